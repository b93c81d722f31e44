//! `send`: into the book, into the world, and back as an echo.

use std::sync::Arc;

use wechaty_puppet::{
    Capability, ConversationId, Event, Mention, MessageId, MessagePayload, Outgoing, Result, RoomId, SayablePayload,
    Sent, Timestamp,
};

use crate::{
    MockPuppet,
    book::SentRecord,
    content::Content,
    puppet::Live,
    state::{Message, State},
};

/// `growing`: it is still being written.
pub(crate) fn send(puppet: &MockPuppet, out: Outgoing, growing: bool) -> Result<Sent> {
    for mention in out.mentions() {
        puppet.need(if *mention == Mention::All { Capability::MentionAll } else { Capability::Mention })?;
    }
    if out.quote.is_some() {
        puppet.need(Capability::Quote)?;
    }
    let keyed = puppet.need(Capability::IdempotencyKey).is_ok();
    let features = puppet.0.world.features;
    let ids_only = puppet.0.ids_only;
    puppet.change(Capability::of(&out.what), |live| {
        let now = live.now();
        if keyed && let Some(sent) = live.book.repeat(&out.key, now) {
            return Ok(sent);
        }
        let to = resolve(&live.state, &out.to)?;
        let failure = live.failures.pop_front();
        if let Some((error, false)) = failure {
            return Err(error);
        }
        let mut message = compose(live, &out, &to, now)?;
        let id = message.payload.id.clone();
        let forward = matches!(*out.what, SayablePayload::Forward(_));
        // A forward tells its id by its own feature.
        message.id_told = features.send_returns_id || forward;
        let mut sent = if message.id_told { Sent::new(id.clone()) } else { Sent::without_id() };
        sent.timestamp = Some(now);
        message.echoed = features.echo_self && out.what.as_text().is_some();
        if message.echoed {
            let mut echo = Event::message(message.payload.clone());
            if ids_only {
                echo.payload = None;
            }
            live.waiting.push_back(echo);
        }
        let stands = match &message.content {
            Some(Content::Say(what)) if forward => Some(what.clone()),
            _ => None,
        };
        live.state.remember(message);
        if growing {
            live.state.growing.insert(id.clone());
        }
        let record =
            SentRecord { key: out.key, to, what: out.what, quote: out.quote, time: now, id, stands, recalled: false };
        live.book.enter(record, sent.clone(), keyed);
        match failure {
            Some((error, _)) => Err(error),
            None => Ok(sent),
        }
    })
}

/// Where it goes. An id with an `@` is a room's, however it was wrapped.
pub(crate) fn resolve(state: &State, to: &ConversationId) -> Result<ConversationId> {
    let room = match to {
        ConversationId::Room(room) => room.clone(),
        ConversationId::Contact(contact) if contact.as_str().contains('@') => RoomId::from(contact.as_str()),
        ConversationId::Contact(contact) => {
            state.contact(contact)?;
            return Ok(to.clone());
        }
    };
    state.our_room(&room)?;
    Ok(ConversationId::Room(room))
}

fn compose(live: &mut Live, out: &Outgoing, to: &ConversationId, now: Timestamp) -> Result<Message> {
    let content = match &*out.what {
        SayablePayload::Forward(forward) => {
            let original = live.state.message(&forward.message_id)?;
            let content = original.content.clone();
            return Ok(address(live, original.payload.clone(), content, to, now));
        }
        SayablePayload::Contact(card) => {
            live.state.contact(&card.contact_id)?;
            Content::Say(out.what.clone())
        }
        _ => Content::Say(out.what.clone()),
    };
    let mut payload = MessagePayload::direct("", "", "", "");
    payload.kind = out.what.message_type();
    payload.text = match &*out.what {
        // Wechaty has no type for these; the text is what a person would read.
        SayablePayload::Card(_) | SayablePayload::Menu(_) => Some(out.what.fallback_text()),
        what => what.as_text().map(str::to_owned),
    };
    payload.mentions = out.what.as_text().map(|_| out.mentions().to_vec());
    payload.filename = out.what.file_box().map(|file| file.name().to_owned());
    let mut message = address(live, Arc::new(payload), Some(content), to, now);
    Arc::make_mut(&mut message.payload).quote_id = out.quote.clone();
    Ok(message)
}

/// A message of ours with the content of `like`.
fn address(
    live: &mut Live,
    like: Arc<MessagePayload>,
    content: Option<Content>,
    to: &ConversationId,
    now: Timestamp,
) -> Message {
    let mut payload = Arc::unwrap_or_clone(like);
    // With the time in it: another process with the same store must not meet ids of this one.
    payload.id = MessageId::new(format!("sent-{}-{}", now.as_millis(), live.number()));
    payload.talker_id = live.state.me().clone();
    payload.timestamp = now;
    payload.quote_id = None;
    payload.room_id = to.room().cloned();
    payload.listener_id = to.contact().cloned();
    let mut message = Message::received(Arc::new(payload), content);
    message.sent = true;
    message
}

/// The payload a loader shows, by what the world lets be read back of sent messages: all of it with `storeSent`;
/// otherwise, where its id was told, that it was sent, but not what.
pub(crate) fn readable(message: &Message, store_sent: bool, ids_only: bool) -> Option<Arc<MessagePayload>> {
    if !message.sent || store_sent || (message.echoed && ids_only) {
        return Some(message.payload.clone());
    }
    message.id_told.then(|| {
        let mut payload = MessagePayload::clone(&message.payload);
        payload.text = None;
        payload.mentions = None;
        payload.filename = None;
        Arc::new(payload)
    })
}
