//! JOIN: somebody opens the page and is a new friend of the bot, with a name and a language, which both may change.

use std::sync::Arc;

use serde_json::{Value, json};
use wechaty_catalogue::Lang;
use wechaty_puppet::{
    ContactId, ContactPayload, ConversationId, DirtyEvent, DirtyType, Event, EventPayload, FriendshipEvent,
    FriendshipId, FriendshipPayload, FriendshipType, Payload, Timestamp, WebhookResponse,
};

use crate::{
    chat::{Call, Guard, answer, done},
    limits,
    puppet::Inner,
    refusal::Refusal,
    visitors::{AWAY, Visitor},
    wire,
};

/// `POST ticket`: who somebody will be who joins with it, however often they have to try. Nothing is kept of it.
pub(crate) fn ticket(inner: &Inner, now: Timestamp) -> Result<WebhookResponse, Refusal> {
    answer(&json!({ "secret": inner.state.lock().ticket(now) }))
}

/// What a page is told that has joined.
fn joined(bot: &wire::Person, visitor: &Visitor) -> Value {
    let who = wire::Who { id: visitor.id.to_string(), name: visitor.name.clone() };
    json!({ "visitor": who, "secret": visitor.secret(), "bot": bot })
}

/// Somebody who has joined already and asks again: the answer was lost, or it is another tab of theirs. Waits until the bot
/// has heard of them; `None`: they are not here, or it has not.
async fn again(
    inner: &Inner,
    id: &ContactId,
    secret: &str,
    now: Timestamp,
) -> Result<Option<WebhookResponse>, Refusal> {
    let turn = inner.state.lock().visitors.known(id, secret, now).map(|visitor| visitor.turn.clone());
    let Ok(turn) = turn else { return Ok(None) };
    let _turn = turn.lock_owned().await;
    let state = inner.state.lock();
    state.visitors.get(id).map(|visitor| answer(&joined(&state.bot(), visitor))).transpose()
}

/// Somebody who is among the visitors, and of whom the bot is to hear.
struct Arrived {
    id: ContactId,
    /// Whether the id was given to them before.
    is_back: bool,
    contact: ContactPayload,
    data: Value,
    /// Whoever shows the same ticket waits for it.
    turn: Option<Guard>,
}

/// `POST join`: somebody opened the page. The bot hears of it as of somebody who scanned its code: a confirmed friend.
pub(crate) async fn join(
    inner: &Arc<Inner>,
    join: &wire::Join,
    accepted: Option<&str>,
    now: Timestamp,
) -> Result<WebhookResponse, Refusal> {
    let name = match join.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Some(limits::name(name).ok_or(Refusal::Name)?),
        None => None,
    };
    // What the page shows, else what the browser wants.
    let told = join.lang.as_deref().and_then(|told| Some((told, Lang::of_tag(told)?)));
    let (told, lang) = told.unwrap_or_else(|| {
        let accepted = accepted.unwrap_or_default();
        (accepted, Lang::of_accept_language(accepted))
    });
    let language = limits::language(told);
    let shown = join.before.as_deref().and_then(|shown| shown.split_once('.'));
    let shown = shown.map(|(id, secret)| (ContactId::new(id), secret));
    let Arrived { id, is_back, contact, data, turn } = loop {
        if let Some((id, secret)) = &shown
            && let Some(answer) = again(inner, id, secret, now).await?
        {
            return Ok(answer);
        }
        let oldest = {
            let visitors = &mut inner.state.lock().visitors;
            if visitors.is_full() { Some(visitors.take_away(now, AWAY).ok_or(Refusal::Full)?) } else { None }
        };
        if let Some(oldest) = oldest {
            inner.forget(oldest, now).await?;
        }
        let mut state = inner.state.lock();
        let is_here = |(id, secret): &(ContactId, &str)| state.visitors.known(id, secret, now).is_ok();
        if shown.as_ref().is_some_and(is_here) {
            // Another try was quicker.
            continue;
        }
        if state.visitors.is_full() {
            return Err(Refusal::Full);
        }
        let back = shown.as_ref().filter(|(id, secret)| state.comes(id, secret)).map(|(id, _)| id.clone());
        let (is_back, seq) = (back.is_some(), state.seq());
        let id = back.unwrap_or_else(|| state.maker.visitor(now));
        let secret = state.maker.secret(&id);
        let visitor = state.visitors.join(id.clone(), name, lang, now, seq, secret);
        visitor.language = language;
        // Nobody has it yet.
        let (contact, turn) = (visitor.payload(), visitor.turn.clone().try_lock_owned().ok());
        let data = joined(&state.bot(), state.visitors.get(&id).ok_or(Refusal::Visitor)?);
        break Arrived { id, is_back, contact, data, turn };
    };
    let friendship = FriendshipPayload {
        id: FriendshipId::new(format!("f{id}")),
        contact_id: id.clone(),
        timestamp: now,
        kind: FriendshipType::Confirm,
        hello: None,
        receive: None,
    };
    let event = EventPayload::Friendship(FriendshipEvent { friendship_id: friendship.id.clone() });
    let event = Event::new(event).payload(Payload::Friendship(Arc::new(friendship)));
    // The bot need not ask for the name: whoever looks for this visitor later looks for it.
    let (payload_type, payload_id) = (DirtyType::Contact, id.to_string());
    let known = Event::new(EventPayload::Dirty(DirtyEvent { payload_type, payload_id }));
    let known = known.payload(Payload::Contact(Arc::new(contact)));
    inner
        .accepted(vec![known, event], move |state, accepted| {
            let _turn = turn;
            match accepted {
                // What the bot has said to them waits for the next try.
                Err(_) if is_back => state.visitors.remove(&id),
                Err(_) => state.forget(&id),
                Ok(()) => {}
            }
            accepted?;
            answer(&data)
        })
        .await
}

impl Call {
    /// `POST language`: the page is shown in another one.
    pub(crate) async fn language(self, language: &wire::Language) -> Result<WebhookResponse, Refusal> {
        let lang = Lang::of_tag(&language.lang).ok_or(Refusal::Request)?;
        let language = limits::language(&language.lang);
        self.pace()?;
        let turn = self.turn(&ConversationId::Contact(self.me.clone())).await?;
        let before = {
            let mut state = self.inner.state.lock();
            let visitor = state.visitors.get_mut(&self.me).ok_or(Refusal::Visitor)?;
            if visitor.language == language {
                return Ok(done());
            }
            (std::mem::replace(&mut visitor.lang, lang), std::mem::replace(&mut visitor.language, language))
        };
        let (payload_type, payload_id) = (DirtyType::Contact, self.me.to_string());
        let event = Event::new(EventPayload::Dirty(DirtyEvent { payload_type, payload_id }));
        let me = self.me;
        self.inner
            .accepted(vec![event], move |state, accepted| {
                let _turn = turn;
                // As it was, so that it can be told again.
                if accepted.is_err()
                    && let Some(visitor) = state.visitors.get_mut(&me)
                {
                    (visitor.lang, visitor.language) = before;
                }
                accepted.map(|()| done())
            })
            .await
    }

    /// `POST name`.
    pub(crate) async fn rename(self, name: &wire::Name) -> Result<WebhookResponse, Refusal> {
        let wanted = limits::name(&name.name).ok_or(Refusal::Name)?;
        self.pace()?;
        let turn = self.turn(&ConversationId::Contact(self.me.clone())).await?;
        let rooms = self.inner.state.lock().rooms.of(&self.me);
        // A member is named with its room: the separator is the reference's.
        let members = rooms.iter().map(|room| (DirtyType::RoomMember, format!("{room}\u{1f}{}", self.me)));
        let dirty = std::iter::once((DirtyType::Contact, self.me.to_string())).chain(members);
        let events = dirty
            .map(|(payload_type, payload_id)| Event::new(EventPayload::Dirty(DirtyEvent { payload_type, payload_id })));
        let events: Vec<Event> = events.collect();
        let me = self.me;
        let (old, name) = {
            // Changed first, so that nobody loads the old name behind the event.
            let mut state = self.inner.state.lock();
            let name = state.visitors.free(wanted, &me);
            (state.rename(&me, name.clone()).ok_or(Refusal::Visitor)?, name)
        };
        self.inner
            .accepted(events, move |state, accepted| {
                let _turn = turn;
                if accepted.is_err() {
                    state.rename(&me, old.clone());
                }
                [&old, &name].into_iter().for_each(|name| state.visitors.drop_name(&me, name));
                accepted?;
                let name = state.name(&me).ok_or(Refusal::Visitor)?;
                let who = wire::Who { id: me.to_string(), name };
                let mut whom: Vec<ContactId> =
                    rooms.into_iter().flat_map(|room| state.audience(&ConversationId::Room(room))).collect();
                whom.push(me.clone());
                whom.sort_unstable();
                whom.dedup();
                state.tell(&whom, "visitor", Some(&format!("visitor {me}")), &who);
                answer(&json!({ "visitor": who }))
            })
            .await
    }
}
