//! What an event does to the world before it goes out, and what goes out with it.

use std::sync::Arc;

use wechaty_puppet::{DirtyEvent, DirtyType, Event, EventPayload, MessagePayload, Payload, Result, RoomId};

use crate::state::{Login, State};

/// A dirty event.
pub(crate) fn dirty(kind: DirtyType, id: impl std::fmt::Display) -> Event {
    Event::new(DirtyEvent { payload_type: kind, payload_id: id.to_string() })
}

/// Both dirty events of a room.
pub(crate) fn dirty_room(id: &RoomId) -> [Event; 2] {
    [dirty(DirtyType::Room, id), dirty(DirtyType::RoomMember, id)]
}

impl State {
    /// Applies an event. Returns what goes out, in order: dirty events first, so that whoever handles the event finds
    /// no stale payload; then the event, with its payload where the world has one.
    pub(crate) fn apply(&mut self, mut event: Event, ids_only: bool) -> Result<Vec<Event>> {
        let mut out = Vec::new();
        match &event.what {
            EventPayload::Login(login) => {
                self.contact(&login.contact_id)?;
                self.login = Login::In(login.contact_id.clone());
            }
            EventPayload::Logout(_) => self.login = Login::Out,
            EventPayload::RoomJoin(join) => {
                self.contacts_exist(&join.invitee_id_list)?;
                let me = self.me().clone();
                self.room_mut(&join.room_id)?.join(&join.invitee_id_list, join.inviter_id.as_ref(), &me);
                out.extend(dirty_room(&join.room_id));
            }
            EventPayload::RoomLeave(leave) => {
                let me = self.me().clone();
                self.room_mut(&leave.room_id)?.leave(&leave.removee_id_list, &me);
                out.extend(dirty_room(&leave.room_id));
            }
            EventPayload::RoomTopic(topic) => {
                self.room_mut(&topic.room_id)?.payload_mut().topic = topic.new_topic.clone();
                out.extend(dirty_room(&topic.room_id));
            }
            EventPayload::RoomAnnounce(announce) => {
                self.room_mut(&announce.room_id)?.world.announce = announce.new_announce.clone();
                out.extend(dirty_room(&announce.room_id));
            }
            EventPayload::Message(message) => {
                let payload = self.message(&message.message_id)?.payload.clone();
                self.arrived(&payload);
            }
            EventPayload::MessageEdit(edit) => {
                let payload = Arc::make_mut(&mut self.message_mut(&edit.message_id)?.payload);
                if let Some(text) = &edit.new_text {
                    payload.text = Some(text.clone());
                }
                out.push(dirty(DirtyType::Message, &edit.message_id));
            }
            EventPayload::MessageRecall(recall) => {
                self.message_mut(&recall.message_id)?.recalled = true;
                self.pins.retain(|pinned| *pinned != recall.message_id);
                out.push(dirty(DirtyType::Message, &recall.message_id));
            }
            _ => {}
        }
        event.payload = if ids_only { None } else { self.payload_of(&event.what)? };
        out.push(event);
        Ok(out)
    }

    /// A message from somebody else leaves its conversation unread.
    fn arrived(&mut self, payload: &MessagePayload) {
        if &payload.talker_id != self.me() {
            self.unread.insert(payload.conversation(Some(self.me())));
        }
    }

    fn payload_of(&self, what: &EventPayload) -> Result<Option<Payload>> {
        Ok(Some(match what {
            EventPayload::Login(e) => Payload::Contact(self.contact(&e.contact_id)?.clone()),
            EventPayload::Message(e) => Payload::Message(self.message(&e.message_id)?.payload.clone()),
            EventPayload::Friendship(e) => Payload::Friendship(self.friendship(&e.friendship_id)?.clone()),
            EventPayload::RoomInvite(e) => Payload::RoomInvitation(self.invitation(&e.room_invitation_id)?.clone()),
            EventPayload::Post(e) => Payload::Post(self.post_payload(&e.post_id)?),
            _ => return Ok(None),
        }))
    }
}
