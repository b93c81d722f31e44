//! ONE TO ONE: which rooms are conversations with one person, by `m.direct`; found, or made when somebody is written to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{AcceptError, BoxError, ConversationId, PuppetError, Result};

use crate::{
    convert::text,
    error::{About, not_the_server, nothing_sent},
    link::Link,
};

/// Where people are kept for whom a room may have been made.
const DOUBTED: &str = "doubted";
/// So many of them.
const DOUBTS: usize = 1000;
/// Rooms of which it is known whether they are one to one.
const KNOWN: usize = 10_000;

#[derive(Default)]
pub(crate) struct Directs {
    /// User to rooms, newest last, as the account's data has it.
    map: Mutex<BTreeMap<String, Vec<String>>>,
    /// Whether a room of the map has no third person, and the other side is in it.
    checked: Mutex<HashMap<String, bool>>,
    /// Rooms of the map in which the other side is known to be.
    there: Mutex<HashSet<String>>,
    /// Whoever finds none makes one, and nobody a second.
    making: tokio::sync::Mutex<()>,
    /// People for whom a room is being made, or may have been: the answer was lost, or the process ended.
    doubted: Mutex<BTreeSet<String>>,
}

impl Directs {
    /// Takes over what the account's data says.
    pub(crate) fn replace(&self, content: &Value) {
        let mut map = BTreeMap::new();
        for (user, rooms) in content.as_object().into_iter().flatten().filter(|(user, _)| user.starts_with('@')) {
            let rooms = rooms.as_array().into_iter().flatten().filter_map(Value::as_str);
            map.insert(user.clone(), rooms.map(str::to_owned).collect());
        }
        *self.map.lock() = map;
    }

    fn rooms_of(&self, user: &str) -> Vec<String> {
        self.map.lock().get(user).cloned().unwrap_or_default()
    }

    /// Every person and room.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        let map = self.map.lock();
        map.iter().flat_map(|(user, rooms)| rooms.iter().map(|room| (user.clone(), room.clone()))).collect()
    }

    pub(crate) fn person_of(&self, room: &str, me: &str) -> Option<String> {
        let map = self.map.lock();
        map.iter()
            .find(|(user, rooms)| *user != me && rooms.iter().any(|known| known == room))
            .map(|(user, _)| user.clone())
    }

    /// People came or went.
    pub(crate) fn doubt(&self, room: &str) {
        self.checked.lock().remove(room);
        self.there.lock().remove(room);
    }
}

fn store(source: BoxError) -> PuppetError {
    PuppetError::Accept(AcceptError::Store(source))
}

/// Who is in a room or invited.
pub(crate) fn members(answer: &Value) -> impl Iterator<Item = (&str, &str)> {
    answer["chunk"].as_array().into_iter().flatten().filter_map(|event| {
        let membership = text(event, &["content", "membership"])?;
        let user = text(event, &["state_key"])?;
        matches!(membership, "join" | "invite").then_some((user, membership))
    })
}

impl Link {
    /// Reads `m.direct`.
    pub(crate) async fn load_directs(&self) -> Result<()> {
        let about = About { context: "reading the list of conversations", what: "account data", id: "m.direct" };
        match self.v3(Method::GET, &["user", &self.me, "account_data", "m.direct"], about).send().await {
            Ok(content) => self.directs.replace(&content),
            Err(PuppetError::NotFound { .. }) => self.directs.replace(&Value::Null),
            Err(error) => return Err(error),
        }
        let kept = self.cx.session().get(DOUBTED).await.map_err(store)?;
        *self.directs.doubted.lock() = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(())
    }

    /// Notes whether a room may have been made for somebody of which nobody knows; it outlives the process.
    async fn doubt(&self, user: &str, is: bool) -> Result<()> {
        let bytes = {
            let mut doubted = self.directs.doubted.lock();
            let is_news =
                if is { doubted.len() < DOUBTS && doubted.insert(user.to_owned()) } else { doubted.remove(user) };
            if !is_news {
                return Ok(());
            }
            serde_json::to_vec(&*doubted).map_err(|error| store(error.into()))?
        };
        self.cx.session().set(DOUBTED, Some(bytes.into())).await.map_err(store)
    }

    /// The other side of a room that is a one-to-one conversation.
    pub(crate) async fn peer(&self, room: &str) -> Result<Option<String>> {
        let Some(peer) = self.directs.person_of(room, &self.me) else { return Ok(None) };
        let known = self.directs.checked.lock().get(room).copied();
        let is_direct = match known {
            Some(known) => known,
            None => {
                let there = match self.all_members(room).await.map_err(not_the_server) {
                    Ok(there) => there,
                    // Left, and not to be looked at any more: it was one when it was noted.
                    Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => Value::Null,
                    Err(error) => return Err(error),
                };
                let third = members(&there).any(|(user, _)| user != peer && user != &*self.me);
                let mut checked = self.directs.checked.lock();
                if checked.len() >= KNOWN {
                    checked.clear();
                }
                checked.insert(room.to_owned(), !third);
                !third
            }
        };
        Ok(is_direct.then_some(peer))
    }

    /// The members of a room as the homeserver lists them.
    pub(crate) async fn all_members(&self, room: &str) -> Result<Value> {
        let call = self.in_room(Method::GET, room, &["members"], "listing members").query("not_membership", "leave");
        call.send().await.map_err(|error| crate::link::not_a_member(error, room))
    }

    /// The room of a conversation that there is.
    pub(crate) async fn find_room(&self, to: &ConversationId) -> Result<Option<String>> {
        let user = match to {
            ConversationId::Room(room) => return crate::id::room(room).map(|room| Some(room.to_owned())),
            ConversationId::Contact(user) => crate::id::user(user)?,
        };
        let candidates = self.directs.rooms_of(user);
        for room in candidates.iter().rev() {
            if self.peer(room).await?.as_deref() != Some(user) {
                continue;
            }
            if self.directs.there.lock().contains(room) {
                return Ok(Some(room.clone()));
            }
            // Whoever left does not hear, and where we have left we cannot speak.
            if self.is_in(room, user).await? && self.is_joined(room).await? {
                let mut known = self.directs.there.lock();
                if known.len() >= KNOWN {
                    known.clear();
                }
                known.insert(room.clone());
                return Ok(Some(room.clone()));
            }
        }
        Ok(None)
    }

    /// Whether somebody is in a room, or invited. A state that is not to be read is that of a room we left.
    async fn is_in(&self, room: &str, user: &str) -> Result<bool> {
        match self.state(room, "m.room.member", user).await {
            Ok(there) => {
                Ok(there.is_some_and(|there| matches!(text(&there, &["membership"]), Some("join" | "invite"))))
            }
            Err(PuppetError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the account itself is in a room.
    async fn is_joined(&self, room: &str) -> Result<bool> {
        let us = self.state(room, "m.room.member", &self.me).await?;
        Ok(us.is_some_and(|us| text(&us, &["membership"]) == Some("join")))
    }

    /// The room of a conversation; one with a person is made if there is none. Nothing is in doubt when it fails: no
    /// message has been sent.
    pub(crate) async fn room_for(&self, to: &ConversationId) -> Result<String> {
        if let Some(room) = self.find_room(to).await.map_err(nothing_sent)? {
            return Ok(room);
        }
        let _making = self.directs.making.lock().await;
        match self.find_room(to).await.map_err(nothing_sent)? {
            Some(room) => Ok(room),
            None => self.make_direct(to.as_str()).await.map_err(nothing_sent),
        }
    }

    async fn make_direct(&self, user: &str) -> Result<String> {
        if user == &*self.me {
            return Err(PuppetError::Invalid { what: "contact", reason: "it is the account itself".into() });
        }
        let about = About { context: "looking for a contact", what: "contact", id: user };
        if let Err(error @ PuppetError::NotFound { .. }) = self.v3(Method::GET, &["profile", user], about).send().await
        {
            return Err(error);
        }
        let is_doubted = self.directs.doubted.lock().contains(user);
        if is_doubted && let Some(room) = self.made_before(user).await? {
            self.add_direct(user, &room).await?;
            self.doubt(user, false).await?;
            return Ok(room);
        }
        self.doubt(user, true).await?;
        let about = About { context: "opening a conversation", what: "contact", id: user };
        let made = self.v3(Method::POST, &["createRoom"], about).json(self.sdk.room_template(json!({
            "preset": "trusted_private_chat",
            "is_direct": true,
            "invite": [user],
        })));
        let made = made.send().await.and_then(|made| {
            text(&made, &["room_id"]).map(str::to_owned).ok_or_else(|| PuppetError::Protocol {
                context: "opening a conversation",
                detail: "it names no room".into(),
            })
        });
        if let Ok(room) = &made {
            self.add_direct(user, room).await?;
        }
        // What came to nothing says nothing of the try before it.
        if made.is_ok() || (!is_doubted && made.as_ref().is_err_and(PuppetError::is_certain)) {
            self.doubt(user, false).await?;
        }
        made
    }

    /// A room that was made for a conversation, though nobody heard of it: the account is there with this one person, whom
    /// it has invited one to one, and it is noted nowhere.
    async fn made_before(&self, user: &str) -> Result<Option<String>> {
        let noted: HashSet<String> = self.directs.all().into_iter().map(|(_, room)| room).collect();
        for room in self.joined().await?.into_iter().filter(|room| !noted.contains(room)) {
            let there = match self.all_members(&room).await {
                Ok(there) => there,
                Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => continue,
                Err(error) => return Err(error),
            };
            let all: Vec<_> = there["chunk"].as_array().into_iter().flatten().collect();
            let asked = |event: &&&Value| {
                let is_theirs =
                    text(event, &["state_key"]) == Some(user) && text(event, &["sender"]) == Some(&*self.me);
                is_theirs && event["content"]["is_direct"].as_bool() == Some(true)
            };
            if all.iter().any(|event| asked(&event)) && members(&there).all(|(who, _)| who == user || who == &*self.me)
            {
                return Ok(Some(room));
            }
        }
        Ok(None)
    }

    /// Notes that a room is a conversation with somebody, here and in the account's data.
    pub(crate) async fn add_direct(&self, user: &str, room: &str) -> Result<()> {
        let content = {
            let mut map = self.directs.map.lock();
            let rooms = map.entry(user.to_owned()).or_default();
            if !rooms.iter().any(|known| known == room) {
                rooms.push(room.to_owned());
            }
            json!(&*map)
        };
        let about = About { context: "noting a conversation", what: "account data", id: "m.direct" };
        self.v3(Method::PUT, &["user", &self.me, "account_data", "m.direct"], about)
            .json(content)
            .send()
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_shape_of_the_list_is_read() {
        let directs = Directs::default();
        for content in [json!(null), json!([1]), json!({"@a:e": 7, "x": ["!r"], "@b:e": ["!1", 2, "!2"]})] {
            directs.replace(&content);
        }
        assert_eq!(directs.rooms_of("@b:e"), ["!1", "!2"]);
        assert_eq!(directs.person_of("!2", "@me:e").as_deref(), Some("@b:e"));
        assert_eq!(directs.person_of("!r", "@me:e"), None);
        assert!(directs.rooms_of("@a:e").is_empty());
    }
}
