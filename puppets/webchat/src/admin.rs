//! Rooms of the bot: it makes them, adds and removes people, renames and closes them.

use std::collections::BTreeSet;

use wechaty_puppet::{ContactId, PlatformName, PuppetError, Result, RoomAdmin, RoomId, async_trait};

use crate::{BOT, PLATFORM, WebChatPuppet, limits, notes::Note, rooms::Room, state::State};

fn topic(text: &str) -> Result<String> {
    limits::name(text).ok_or_else(|| PuppetError::Invalid {
        what: "topic",
        reason: format!("expected 1 to {} letters without control characters", limits::NAME),
    })
}

/// Visitors, all of whom are known; the bot is in every room anyway.
fn visitors(state: &State, members: &[ContactId]) -> Result<BTreeSet<ContactId>> {
    let members = members.iter().filter(|id| id.as_str() != BOT);
    members
        .map(|id| match state.visitors.get(id) {
            Some(visitor) if !visitor.leaving => Ok(id.clone()),
            _ => Err(PuppetError::not_found("contact", id)),
        })
        .collect()
}

fn room<'a>(state: &'a mut State, id: &RoomId) -> Result<&'a mut Room> {
    state.rooms.get_mut(id).ok_or_else(|| PuppetError::not_found("room", id))
}

#[async_trait]
impl RoomAdmin for WebChatPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// Nobody but these may enter. Without a topic it is named after them.
    async fn create(&self, members: &[ContactId], wanted: Option<&str>) -> Result<RoomId> {
        let now = self.0.time()?;
        let mut state = self.0.state.lock();
        let members = visitors(&state, members)?;
        let named = match wanted {
            Some(wanted) => topic(wanted)?,
            None => {
                let names = members.iter().filter_map(|id| state.name(id)).collect::<Vec<_>>().join(", ");
                topic(&names.chars().take(limits::NAME).collect::<String>()).unwrap_or_else(|_| state.bot_name.clone())
            }
        };
        let id = RoomId::new(State::id('r', now));
        let number = state.next_number();
        state.add_room(&id, Room::new(named, BOT.into(), false, members, number)).map_err(|why| {
            let message = "there are as many rooms as the settings allow, and people in all of them".to_owned();
            PuppetError::Rejected { code: why.code().to_owned(), message }
        })?;
        state.tell_room(&id);
        let name = state.bot_name.clone();
        state.note(&id, &BOT.into(), Note::Created { name }, now);
        Ok(id)
    }

    /// Invitations are not needed here: `invite_only` adds as well.
    async fn add(&self, id: &RoomId, members: &[ContactId], _invite_only: bool) -> Result<()> {
        let now = self.0.time()?;
        let mut state = self.0.state.lock();
        room(&mut state, id)?;
        let mut new = visitors(&state, members)?;
        let found = room(&mut state, id)?;
        new.retain(|who| found.members.insert(who.clone()));
        found.barred.retain(|who| !new.contains(who));
        state.tell_room(id);
        for who in new {
            let name = state.name(&who).unwrap_or_default();
            state.note(id, &who, Note::Came { name }, now);
        }
        Ok(())
    }

    /// Who was removed does not come back by themselves.
    async fn remove(&self, id: &RoomId, members: &[ContactId]) -> Result<()> {
        let now = self.0.time()?;
        let mut state = self.0.state.lock();
        let found = room(&mut state, id)?;
        if let Some(stranger) = members.iter().find(|who| !found.members.contains(*who)) {
            return Err(PuppetError::not_found("room member", stranger));
        }
        found.barred.extend(members.iter().cloned());
        for who in members {
            state.leave(id, who);
        }
        state.tell_room(id);
        for who in members {
            let name = state.name(who).unwrap_or_default();
            state.note(id, who, Note::Removed { name }, now);
        }
        Ok(())
    }

    async fn set_topic(&self, id: &RoomId, wanted: &str) -> Result<()> {
        let now = self.0.time()?;
        let mut state = self.0.state.lock();
        room(&mut state, id)?;
        let topic = topic(wanted)?;
        state.set_topic(id, topic, &BOT.into(), now);
        Ok(())
    }

    async fn dismiss(&self, id: &RoomId) -> Result<()> {
        self.0.time()?;
        let mut state = self.0.state.lock();
        room(&mut state, id)?;
        state.remove_room(id);
        state.tell_rooms();
        Ok(())
    }
}
