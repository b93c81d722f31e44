//! Lets a test or a console take the other people's part: say something, ask for friendship, change a room.

use std::sync::Arc;

use wechaty_puppet::{
    ContactId, ContactPayload, Event, MessageId, MessagePayload, Payload, PostEvent, PostId, PostPayload, Result,
    RoomId, RoomPayload, SayablePayload, TapType,
};

use crate::{
    MockPuppet,
    capability::post::{publish, tap},
    change::{dirty, dirty_room},
    content::Content,
    puppet::Live,
    state::Message,
};

impl MockPuppet {
    /// Makes something happen now, as if the timeline had said so: the world changes first, dirty events go out
    /// before the event. A message, friendship or room invitation that comes with its payload becomes part of the
    /// world; one without must be in it.
    ///
    /// Lasts until the run ends, as every change does.
    ///
    /// # Errors
    /// `NotLoggedIn` while nobody runs the puppet; `NotFound` for ids that are not in the world.
    pub fn inject(&self, event: impl Into<Event>) -> Result<()> {
        let event = event.into();
        self.happens(|live| {
            match &event.payload {
                Some(Payload::Message(message)) => {
                    live.state.contact(&message.talker_id)?;
                    if let Some(room) = &message.room_id {
                        live.state.room(room)?;
                    }
                    if live.state.message(&message.id).is_err() {
                        live.state.remember(Message::received(message.clone(), text_of(message)));
                    }
                }
                Some(Payload::Friendship(friendship)) => {
                    live.state.contact(&friendship.contact_id)?;
                    live.state.befriend(friendship.clone());
                }
                Some(Payload::RoomInvitation(invitation)) => {
                    live.state.contact(&invitation.inviter_id)?;
                    live.state.contacts_exist(&invitation.member_id_list)?;
                    live.state.invite(invitation.clone());
                }
                _ => {}
            }
            let events = live.state.apply(event, self.0.ids_only)?;
            live.waiting.extend(events);
            Ok(())
        })
    }

    /// Lets `talker` say something to the bot, one to one.
    ///
    /// # Errors
    /// As [`inject`](Self::inject).
    pub fn says(&self, talker: impl Into<ContactId>, what: impl Into<String>) -> Result<MessageId> {
        self.says_what(talker.into(), None, SayablePayload::text(what), None)
    }

    /// Lets `talker` say something in a room.
    ///
    /// # Errors
    /// As [`inject`](Self::inject).
    pub fn says_in(
        &self,
        room: impl Into<RoomId>,
        talker: impl Into<ContactId>,
        what: impl Into<String>,
    ) -> Result<MessageId> {
        self.says_what(talker.into(), Some(room.into()), SayablePayload::text(what), None)
    }

    /// Lets `talker` say anything sayable, in a room or one to one (`None`), perhaps quoting a message.
    ///
    /// # Errors
    /// As [`inject`](Self::inject).
    pub fn says_what(
        &self,
        talker: ContactId,
        room: Option<RoomId>,
        what: SayablePayload,
        quote: Option<MessageId>,
    ) -> Result<MessageId> {
        self.happens(|live| {
            live.state.contact(&talker)?;
            if let Some(room) = &room {
                live.state.room(room)?;
            }
            let now = live.now();
            let id = MessageId::new(format!("said-{}-{}", now.as_millis(), live.number()));
            let me = live.state.me().clone();
            let mut payload = MessagePayload::direct(id.clone(), talker, me, "");
            payload.kind = what.message_type();
            payload.text = what.as_text().map(str::to_owned);
            payload.mentions = what.as_text().map(|_| what.mentions().to_vec());
            payload.filename = what.file_box().map(|file| file.name().to_owned());
            payload.timestamp = now;
            payload.quote_id = quote;
            if room.is_some() {
                payload.listener_id = None;
                payload.room_id = room;
            }
            let payload = Arc::new(payload);
            live.state.remember(Message::received(payload.clone(), Some(Content::Say(Arc::new(what)))));
            let events = live.state.apply(Event::message(payload), self.0.ids_only)?;
            live.waiting.extend(events);
            Ok(id)
        })
    }

    /// Adds somebody to the world, or replaces who has the id.
    ///
    /// # Errors
    /// As [`inject`](Self::inject).
    pub fn add_contact(&self, contact: ContactPayload) -> Result<()> {
        self.happens(|live| {
            live.waiting.push_back(dirty(wechaty_puppet::DirtyType::Contact, &contact.id));
            live.state.meet(contact);
            Ok(())
        })
    }

    /// Adds a room to the world; its members must be in it.
    ///
    /// # Errors
    /// As [`inject`](Self::inject); `Invalid` for an id without `@` or one that is taken.
    pub fn add_room(&self, room: RoomPayload) -> Result<()> {
        self.happens(|live| {
            live.state.contacts_exist(&room.member_id_list)?;
            if !room.id.as_str().contains('@') || live.state.room(&room.id).is_ok() {
                let reason = format!("{} is taken or contains no @", room.id);
                return Err(wechaty_puppet::PuppetError::Invalid { what: "room id", reason });
            }
            live.waiting.extend(dirty_room(&room.id));
            let qrcode = format!("https://example.invalid/qr/{}", room.id);
            live.state.found_room(room, qrcode);
            Ok(())
        })
    }

    /// Lets somebody publish a post; a post event goes out.
    ///
    /// # Errors
    /// As [`inject`](Self::inject).
    pub fn publishes(&self, who: impl Into<ContactId>, post: PostPayload) -> Result<PostId> {
        let who = who.into();
        self.happens(|live| {
            let post_id = publish(live, &who, post)?;
            let events = live.state.apply(PostEvent { post_id: post_id.clone() }.into(), self.0.ids_only)?;
            live.waiting.extend(events);
            Ok(post_id)
        })
    }

    /// Lets somebody like a post, or take it back.
    ///
    /// # Errors
    /// As [`inject`](Self::inject).
    pub fn likes(&self, who: impl Into<ContactId>, post: &PostId, on: bool) -> Result<()> {
        let who = who.into();
        self.happens(|live| tap(live, &who, post, TapType::Like, on))
    }

    /// Lets somebody read a message of the bot's.
    ///
    /// # Errors
    /// As [`inject`](Self::inject).
    pub fn reads(&self, who: impl Into<ContactId>, message: &MessageId) -> Result<()> {
        let who = who.into();
        self.happens(|live| {
            live.state.contact(&who)?;
            live.state.message(message)?;
            let readers = live.state.readers.entry(message.clone()).or_default();
            if !readers.contains(&who) {
                readers.push(who);
            }
            Ok(())
        })
    }

    /// Like `change`, but not something the bot does: no capability, no login needed.
    pub(crate) fn happens<T>(&self, change: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        let done = {
            let mut live = self.live();
            live.running()?;
            change(&mut live)
        };
        self.0.wake.notify_one();
        done
    }
}

fn text_of(message: &MessagePayload) -> Option<Content> {
    let text = message.text.clone()?;
    let mentions = message.mentions.clone().unwrap_or_default();
    let text = wechaty_puppet::TextPayload { text, mentions };
    Some(Content::Say(Arc::new(SayablePayload::Text(text))))
}
