//! DIGEST: one answer of the homeserver as the events of a batch, in order, with everything that was left out.

use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use wechaty_puppet::{
    Batch, ContactId, DeliveryStatus, ErrorEvent, Event, MessageId, MessageRecallEvent, MessageStatusEvent, Payload,
    PuppetError, ReactionEvent, Result, RoomInviteEvent, Timestamp,
};

#[cfg(feature = "e2ee")]
use crate::late::Wait;
use crate::{
    backfill::{is_whole, meant},
    convert::{Place, What, id, invite, read, text},
    faults::may_be_of_room,
    link::Link,
    sdk::{Answer, Room},
    seen::Kind,
};

/// Events that are handed on before the answer is over: what long gaps hold is not gathered.
const HANDED_ON: usize = 500;
/// Readers of one answer that are told.
const READERS: usize = 1000;
/// Rooms of one answer that may fail before the homeserver itself has.
const FAULTY: usize = 10;

/// Tells of a change that is not told.
fn left_out(room: &str) -> Event {
    let data = format!("the homeserver does not tell what was edited or taken back in {room}: the change is left out");
    ErrorEvent { gerror: None, data: Some(data) }.into()
}

impl Link {
    /// The events of an answer to `since`, but for those that are handed on already. A room that fails does not hold up those
    /// behind it, only the position.
    pub(crate) async fn digest(&self, since: &str, answer: &Answer) -> Result<Vec<Event>> {
        for data in &answer.account_data {
            if text(data, &["type"]) == Some("m.direct") {
                self.directs.replace(&data["content"]);
            }
        }
        let mut events = Vec::new();
        for (room, states) in &answer.invited {
            events.extend(self.invited(room, since, states).await?);
        }
        let mut faults = Vec::new();
        for room in answer.joined.iter().chain(&answer.left) {
            let from = self.cx.clock().now();
            match self.room(since, room, &mut events).await {
                Ok(()) => self.faults.passed(&room.id, from),
                Err(error) if may_be_of_room(&error) && faults.len() < FAULTY => faults.push(error),
                Err(error) => return Err(error),
            }
            if events.len() >= HANDED_ON {
                // Without the position: after a crash they come again, and are known.
                let events = std::mem::take(&mut events);
                self.cx.accept(Batch { events, cursor: None }).await?;
                #[cfg(feature = "e2ee")]
                self.late.told();
            }
        }
        match faults.into_iter().next() {
            Some(error) => {
                if !events.is_empty() {
                    self.cx.accept(Batch { events, cursor: None }).await?;
                }
                Err(error)
            }
            None => Ok(events),
        }
    }

    /// An invitation: one to one it is taken, into a room it is told.
    pub(crate) async fn invited(&self, room: &str, since: &str, states: &[Value]) -> Result<Option<Event>> {
        let Some(invite) = invite(room, since, states, &self.me) else { return Ok(None) };
        let payload = Arc::new(invite.payload);
        if invite.is_direct && self.options.direct_invites {
            match self.take(payload.inviter_id.as_str(), room).await {
                Ok(()) => return Ok(None),
                Err(PuppetError::NotLoggedIn) => return Err(PuppetError::NotLoggedIn),
                // It is told; the other events of the answer do not wait for one room.
                Err(error) => {
                    tracing::warn!(%room, %error, "a conversation cannot be joined");
                    self.join_again(payload.inviter_id.as_str(), room, &error).await?;
                }
            }
        }
        self.keep_invite(payload.clone());
        let event = Event::new(RoomInviteEvent { room_invitation_id: payload.id.clone() });
        Ok(Some(event.payload(Payload::RoomInvitation(payload))))
    }

    /// Comes into a one-to-one conversation. It is noted first: a join whose answer is lost has happened all the same.
    pub(crate) async fn take(&self, inviter: &str, room: &str) -> Result<()> {
        self.add_direct(inviter, room).await?;
        self.join(room, &[]).await.map(drop)
    }

    /// Comes into a room by id or alias; its id.
    pub(crate) async fn join(&self, room: &str, via: &[&str]) -> Result<String> {
        let about = crate::error::About { context: "joining a room", what: "room", id: room };
        let mut call = self.v3(Method::POST, &["join", room], about).json(serde_json::json!({}));
        for server in via {
            call = call.query("server_name", server).query("via", server);
        }
        let answer = call.send().await?;
        Ok(text(&answer, &["room_id"]).unwrap_or(room).to_owned())
    }

    async fn room(&self, since: &str, room: &Room, events: &mut Vec<Event>) -> Result<()> {
        // Whoever came or went decides whether a room is one to one.
        if room.events.iter().chain(&room.states).any(|event| text(event, &["type"]) == Some("m.room.member")) {
            self.directs.doubt(&room.id);
        }
        if room.events.iter().chain(&room.states).any(|event| text(event, &["type"]) == Some("m.room.encryption")) {
            self.plain_rooms.lock().remove(&room.id);
        }
        let peer = self.peer_noted(&room.id).await?;
        let place = Place { room: &room.id, peer: peer.as_deref(), me: &self.me };
        let gap = match &room.prev_batch {
            Some(from) if room.limited && !is_whole(&room.events, &self.me, peer.is_some()) => {
                self.earlier(&room.id, from, since, peer.is_some(), &room.events).await?
            }
            _ => Default::default(),
        };
        if gap.cut {
            let data = format!("more was said in {} than is fetched: the oldest messages are left out", room.id);
            tracing::warn!(room = room.id, most = self.options.backfill, "a gap is larger than is fetched");
            events.push(ErrorEvent { gerror: None, data: Some(data) }.into());
        }
        let told: Vec<_> = gap.events.iter().chain(&room.events).collect();
        for event in meant(&told, &self.me, peer.is_some()) {
            self.event_of(&place, event, events).await?;
        }
        for event in &room.ephemeral {
            self.receipts(&place, event, events);
        }
        Ok(())
    }

    /// What one event of a timeline is to the bot; one that cannot be read yet waits.
    async fn event_of(&self, place: &Place<'_>, event: &Value, events: &mut Vec<Event>) -> Result<()> {
        #[cfg(feature = "e2ee")]
        match self.waits(place, event) {
            Wait::No => {}
            Wait::Yes => return Ok(()),
            Wait::InsteadOf(oldest) => return self.end_of_wait(oldest, events).await,
        }
        self.event_now(place, event, events).await
    }

    /// What an event is to the bot.
    pub(crate) async fn event_now(&self, place: &Place<'_>, event: &Value, events: &mut Vec<Event>) -> Result<()> {
        let (Some(id), Some(what)) = (id(event), read(event, place)) else { return Ok(()) };
        match what {
            What::Message(message) => {
                let sender = message.talker_id.as_str().into();
                self.seen.lock().note(place.room, id, Kind::Message { sender });
                events.push(Event::message(*message));
            }
            What::Edit(edit) => {
                let known = {
                    let mut seen = self.seen.lock();
                    seen.note(place.room, id, Kind::Other);
                    seen.kind_of(edit.message_id.as_str()).cloned()
                };
                let author = match known {
                    Some(Kind::Message { sender }) => Some(sender.to_string()),
                    Some(_) => None,
                    // From before we looked.
                    None => match self.event_in(place.room, edit.message_id.as_str()).await {
                        Ok(event) => text(&event, &["sender"]).map(str::to_owned),
                        Err(PuppetError::NotFound { .. }) => None,
                        Err(error) => {
                            self.bear(place.room, error)?;
                            events.push(left_out(place.room));
                            None
                        }
                    },
                };
                let by_author = author.is_some() && author.as_deref() == edit.editor_id.as_ref().map(ContactId::as_str);
                // The edit of somebody else is none.
                if by_author {
                    events.push(edit.into());
                }
            }
            What::Reaction(reaction) => {
                let kind = Kind::Reaction {
                    target: reaction.message_id.as_str().into(),
                    actor: reaction.actor_id.as_str().into(),
                    key: reaction.reaction.as_str().into(),
                };
                self.seen.lock().note(place.room, id, kind);
                events.push(reaction.into());
            }
            What::Redaction { target, by, at } => events.extend(self.taken_back(place, target, by, at).await?),
            What::Change(changes) => events.extend(changes),
            What::Replaced { room, message } => {
                let via = message.talker_id.as_str().split_once(':').map(|(_, server)| server);
                if let Err(error) = self.join(room.as_str(), via.as_slice()).await {
                    tracing::warn!(from = place.room, to = %room, %error, "the bot cannot follow to the room that replaces one");
                }
                events.push(Event::message(*message));
            }
        }
        Ok(())
    }

    /// What it means that an event was taken back.
    async fn taken_back(
        &self,
        place: &Place<'_>,
        target: MessageId,
        by: ContactId,
        at: Timestamp,
    ) -> Result<Option<Event>> {
        let known = self.seen.lock().kind_of(target.as_str()).cloned();
        let kind = match known {
            Some(kind) => kind,
            // From before we looked: its kind outlives its content.
            None => match self.event_in(place.room, target.as_str()).await {
                Ok(event)
                    if matches!(text(&event, &["type"]), Some("m.room.message" | "m.sticker" | "m.room.encrypted")) =>
                {
                    Kind::Message { sender: Arc::from("") }
                }
                Ok(_) | Err(PuppetError::NotFound { .. }) => Kind::Other,
                Err(error) => return self.bear(place.room, error).map(|()| Some(left_out(place.room))),
            },
        };
        let conversation = place.conversation();
        Ok(match kind {
            Kind::Message { .. } => {
                let recalled =
                    MessageRecallEvent { message_id: target, conversation, recaller_id: Some(by), timestamp: at };
                Some(recalled.into())
            }
            Kind::Reaction { target, actor, key } => Some(
                ReactionEvent {
                    message_id: MessageId::new(target),
                    conversation,
                    actor_id: actor.as_ref().into(),
                    reaction: key.to_string(),
                    added: false,
                    timestamp: at,
                }
                .into(),
            ),
            Kind::Other => None,
        })
    }

    /// Who has read what of ours.
    fn receipts(&self, place: &Place<'_>, event: &Value, events: &mut Vec<Event>) {
        if text(event, &["type"]) != Some("m.receipt") {
            return;
        }
        let mut seen = self.seen.lock();
        let told = event["content"].as_object().into_iter().flatten();
        let read = told.flat_map(|(id, kinds)| {
            let people = kinds["m.read"].as_object().into_iter().flatten();
            people.map(move |(who, data)| (id, who, data["ts"].as_i64().unwrap_or_default()))
        });
        for (id, who, at) in read.filter(|(_, who, _)| who.starts_with('@') && **who != *self.me).take(READERS) {
            let message_ids = seen.read_by(place.room, who, id, &self.me);
            if message_ids.is_empty() {
                continue;
            }
            events.push(
                MessageStatusEvent {
                    message_ids,
                    conversation: place.conversation(),
                    status: DeliveryStatus::Read,
                    by: Some(who.as_str().into()),
                    timestamp: Timestamp::from_millis(at.clamp(0, 100_000_000_000_000)),
                }
                .into(),
            );
        }
    }
}
