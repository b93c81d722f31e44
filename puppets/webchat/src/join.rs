//! JOIN: somebody opens the page and is a new friend of the bot, with a name and a language, which both may change.

use std::sync::Arc;

use serde_json::json;
use wechaty_catalogue::Lang;
use wechaty_puppet::{
    ContactId, ConversationId, DirtyEvent, DirtyType, Event, EventPayload, FriendshipEvent, FriendshipId,
    FriendshipPayload, FriendshipType, Payload, Timestamp, WebhookResponse,
};

use crate::{
    chat::{Call, answer, done},
    limits,
    puppet::Inner,
    refusal::Refusal,
    visitors::AWAY,
    wire,
};

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
    let oldest = {
        let visitors = &mut inner.state.lock().visitors;
        if visitors.is_full() { Some(visitors.take_away(now, AWAY).ok_or(Refusal::Full)?) } else { None }
    };
    if let Some(oldest) = oldest {
        inner.forget(oldest, now).await?;
    }
    let (id, is_back, contact, data) = {
        let mut state = inner.state.lock();
        if state.visitors.is_full() {
            return Err(Refusal::Full);
        }
        let back = join.before.as_deref().and_then(|shown| state.returns(shown));
        let (is_back, seq, bot) = (back.is_some(), state.seq(), state.bot());
        let id = back.unwrap_or_else(|| ContactId::new(state.id('v', now)));
        let secret = state.maker.secret(&id);
        let visitor = state.visitors.join(id.clone(), name, lang, now, seq, secret);
        visitor.language = limits::language(told);
        let who = wire::Who { id: visitor.id.to_string(), name: visitor.name.clone() };
        (id, is_back, visitor.payload(), json!({ "visitor": who, "secret": visitor.secret(), "bot": bot }))
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
                whom.sort();
                whom.dedup();
                state.tell(&whom, "visitor", Some(&format!("visitor {me}")), &who);
                answer(&json!({ "visitor": who }))
            })
            .await
    }
}
