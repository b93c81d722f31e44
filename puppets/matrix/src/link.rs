//! LINK: what a run has while it is logged in, shared with the calls that come meanwhile.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, atomic::AtomicBool},
};

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::OnceCell;
use wechaty_puppet::{
    CancellationToken, ContactPayload, MessageId, PuppetContext, PuppetError, Result, RoomInvitationPayload,
};

use crate::{
    Options,
    again::Again,
    convert::text,
    directs::Directs,
    error::{About, not_the_server},
    faults::Faults,
    login::Session,
    sdk::Sdk,
    seen::Seen,
    wire::{Call, Wire},
};

/// Invitations kept for whoever asks.
const INVITES: usize = 1000;
/// Rooms that are asked where a message is.
const SEARCHED: usize = 100;

pub(crate) struct Link {
    pub(crate) options: Options,
    pub(crate) wire: Wire,
    pub(crate) sdk: Sdk,
    pub(crate) me: Arc<str>,
    pub(crate) cx: PuppetContext,
    pub(crate) directs: Directs,
    pub(crate) seen: Mutex<Seen>,
    pub(crate) invites: Mutex<VecDeque<Arc<RoomInvitationPayload>>>,
    /// Changes of power levels are read and written back: one at a time.
    pub(crate) levels: tokio::sync::Mutex<()>,
    /// Rooms that are known not to be encrypted.
    pub(crate) plain_rooms: Mutex<HashSet<String>>,
    largest: OnceCell<u64>,
    pub(crate) again: Again,
    #[cfg(feature = "e2ee")]
    pub(crate) late: crate::late::Late,
    #[cfg(feature = "e2ee")]
    pub(crate) verifying: crate::verify::Verifying,
    /// Of the runs before, too.
    pub(crate) faults: Arc<Faults>,
    /// The bot is logging out.
    pub(crate) leaving: AtomicBool,
    /// Cancelled when it has.
    pub(crate) left: CancellationToken,
}

impl Link {
    pub(crate) fn new(
        options: Options,
        wire: Wire,
        sdk: Sdk,
        session: &Session,
        faults: Arc<Faults>,
        cx: PuppetContext,
    ) -> Self {
        Self {
            options,
            wire,
            sdk,
            me: session.user_id.as_str().into(),
            cx,
            directs: Directs::default(),
            seen: Mutex::default(),
            invites: Mutex::default(),
            levels: tokio::sync::Mutex::default(),
            plain_rooms: Mutex::default(),
            largest: OnceCell::new(),
            again: Again::default(),
            #[cfg(feature = "e2ee")]
            late: Default::default(),
            #[cfg(feature = "e2ee")]
            verifying: Default::default(),
            faults,
            leaving: AtomicBool::new(false),
            left: CancellationToken::new(),
        }
    }

    /// A request of version 3 of the client API.
    pub(crate) fn v3<'a>(&self, method: Method, path: &[&'a str], about: About<'a>) -> Call<'a> {
        let mut whole = vec!["client", "v3"];
        whole.extend(path);
        self.wire.call(method, &whole, about)
    }

    /// A request about a room.
    pub(crate) fn in_room<'a>(
        &self,
        method: Method,
        room: &'a str,
        path: &[&'a str],
        context: &'static str,
    ) -> Call<'a> {
        let mut whole = vec!["rooms", room];
        whole.extend(path);
        self.v3(method, &whole, About { context, what: "room", id: room })
    }

    /// A state of a room; `None`: it has none.
    ///
    /// # Errors
    /// [`PuppetError::NotFound`] for a room that does not exist or in which the account is not.
    pub(crate) async fn state(&self, room: &str, kind: &str, key: &str) -> Result<Option<Value>> {
        match self.in_room(Method::GET, room, &["state", kind, key], "reading a room").send().await {
            Ok(content) => Ok(Some(content)),
            Err(PuppetError::NotFound { .. }) => Ok(None),
            Err(error) => Err(not_a_member(error, room)),
        }
    }

    pub(crate) async fn set_state(&self, room: &str, kind: &str, key: &str, content: Value) -> Result<()> {
        let call = self.in_room(Method::PUT, room, &["state", kind, key], "changing a room").json(content);
        self.changed(room, call.send().await).await
    }

    /// The outcome of a change of a room. Homeservers say of a room that does not exist that it is forbidden.
    pub(crate) async fn changed(&self, room: &str, outcome: Result<Value>) -> Result<()> {
        match outcome {
            Ok(_) => Ok(()),
            Err(PuppetError::Rejected { code, message }) if code == "M_FORBIDDEN" => {
                self.state(room, "m.room.create", "").await?;
                Err(PuppetError::Rejected { code, message })
            }
            Err(error) => Err(error),
        }
    }

    /// The rooms in which the account is.
    pub(crate) async fn joined(&self) -> Result<Vec<String>> {
        let about = About { context: "listing rooms", what: "room", id: "" };
        let answer = self.v3(Method::GET, &["joined_rooms"], about).send().await?;
        let rooms = answer["joined_rooms"].as_array().cloned().unwrap_or_default();
        Ok(rooms.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The event with its room.
    ///
    /// # Errors
    /// [`PuppetError::NotFound`].
    pub(crate) async fn event(&self, id: &MessageId) -> Result<(String, Value)> {
        let event_id = crate::id::event(id)?;
        let known = self.seen.lock().room_of(event_id);
        if let Some(room) = known {
            let event = self.event_in(&room, event_id).await?;
            return Ok((room.to_string(), event));
        }
        let about = About { context: "loading a message", what: "message", id: event_id };
        // An old call that many homeservers have: nothing else finds a message without its room.
        if let Ok(event) = self.v3(Method::GET, &["events", event_id], about).send().await
            && let Some(room) = text(&event, &["room_id"])
        {
            return Ok((room.to_owned(), self.sdk.opened(room, event.clone()).await));
        }
        for room in self.joined().await?.iter().take(SEARCHED) {
            match self.event_in(room, event_id).await {
                Ok(event) => return Ok((room.clone(), event)),
                Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(PuppetError::not_found("message", event_id))
    }

    /// An event whose room is known.
    pub(crate) async fn event_in(&self, room: &str, event: &str) -> Result<Value> {
        let about = About { context: "loading a message", what: "message", id: event };
        let found = self.v3(Method::GET, &["rooms", room, "event", event], about).send().await;
        match found.map_err(not_the_server) {
            Ok(found) => Ok(self.sdk.opened(room, found).await),
            Err(PuppetError::Rejected { .. }) => Err(PuppetError::not_found("message", event)),
            Err(error) => Err(error),
        }
    }

    /// Who somebody is.
    ///
    /// # Errors
    /// [`PuppetError::NotFound`].
    pub(crate) async fn profile(&self, user: &str) -> Result<ContactPayload> {
        let about = About { context: "loading a contact", what: "contact", id: user };
        let profile = match self.v3(Method::GET, &["profile", user], about).send().await {
            // Without a name and a picture there may be none, and elsewhere it may not be shown: they exist all the same.
            Err(PuppetError::NotFound { .. }) if user == &*self.me => Value::Null,
            Err(PuppetError::Rejected { .. }) => Value::Null,
            profile => profile?,
        };
        Ok(contact(user, &profile))
    }

    /// The largest file that may be sent: the homeserver's limit or ours.
    pub(crate) async fn largest_file(&self) -> Result<u64> {
        let asked = self.largest.get_or_try_init(|| async {
            let about = About { context: "asking for the limit of files", what: "limit", id: "m.upload.size" };
            let config = self.wire.call(Method::GET, &["client", "v1", "media", "config"], about).send().await;
            let config = match config {
                // From before files needed a login.
                Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => {
                    self.wire.call(Method::GET, &["media", "v3", "config"], about).send().await
                }
                config => config,
            };
            match config {
                Ok(config) => Ok(config["m.upload.size"].as_u64().unwrap_or(u64::MAX)),
                Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => Ok(u64::MAX),
                Err(error) => Err(error),
            }
        });
        Ok((*asked.await?).min(self.options.file_limit))
    }

    /// The limit of files, if it was asked for.
    pub(crate) fn known_limit(&self) -> Option<u64> {
        self.largest.get().map(|largest| (*largest).min(self.options.file_limit))
    }

    pub(crate) fn keep_invite(&self, invite: Arc<RoomInvitationPayload>) {
        let mut invites = self.invites.lock();
        invites.retain(|known| known.id != invite.id);
        if invites.len() >= INVITES {
            invites.pop_front();
        }
        invites.push_back(invite);
    }
}

/// A contact by its profile.
pub(crate) fn contact(user: &str, profile: &Value) -> ContactPayload {
    let localpart = user.trim_start_matches('@').split(':').next().unwrap_or(user);
    let name = text(profile, &["displayname"]).filter(|name| !name.trim().is_empty()).unwrap_or(localpart);
    let mut contact = ContactPayload::new(user, name);
    contact.avatar = text(profile, &["avatar_url"]).unwrap_or_default().to_owned();
    contact.handle = Some(user.to_owned());
    contact
}

/// Of what one is not in, a homeserver tells nothing.
pub(crate) fn not_a_member(error: PuppetError, room: &str) -> PuppetError {
    match error {
        PuppetError::Rejected { code, .. }
            if matches!(&*code, "M_FORBIDDEN" | "M_INVALID_PARAM" | "M_GUEST_ACCESS_FORBIDDEN") =>
        {
            PuppetError::not_found("room", room)
        }
        error => error,
    }
}
