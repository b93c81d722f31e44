//! ROUTES: method and path to what is done. What is not here is answered with an error in JSON, as everything else.

use std::{collections::HashMap, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::json;
use wechaty_puppet::{
    ContactId, ConversationId, DirtyEvent, DirtyType, Event, EventPayload, WebhookRequest, WebhookResponse,
};

use crate::{
    assets,
    chat::{Call, Said, Upload, answer},
    guard, limits,
    puppet::Inner,
    refusal::{Lang, Refusal},
    stream, strings, wire,
};

/// Most messages of one page of history.
const PAGE: usize = 100;

/// Answers a request.
pub(crate) async fn handle(inner: &Arc<Inner>, request: WebhookRequest) -> WebhookResponse {
    let lang = request.header("accept-language").and_then(Lang::of).unwrap_or_default();
    match route(inner, &request, lang).await {
        Ok(response) => response,
        Err(why) => why.response(lang),
    }
}

/// How much body a request may have: only a known visitor's file has more than a few words.
pub(crate) fn admits(inner: &Arc<Inner>, head: &WebhookRequest) -> Result<usize, WebhookResponse> {
    let lang = head.header("accept-language").and_then(Lang::of).unwrap_or_default();
    let known = || {
        let Some(call) = head.path.strip_prefix("/chat/api/") else { return Ok(0) };
        guard::token(head, inner.token.as_ref())?;
        if call == "join" {
            return Ok(limits::JSON);
        }
        let (me, secret) = guard::visitor(head)?;
        inner.state.lock().visitors.known(&me, secret, inner.cx()?.clock().wall())?;
        Ok(if call == "file" { inner.options.file_limit } else { limits::JSON })
    };
    known().map_err(|why: Refusal| why.response(lang))
}

async fn route(inner: &Arc<Inner>, request: &WebhookRequest, lang: Lang) -> Result<WebhookResponse, Refusal> {
    let looks = matches!(request.method.as_str(), "GET" | "HEAD");
    if let Some(call) = request.path.strip_prefix("/chat/api/") {
        guard::token(request, inner.token.as_ref())?;
        return api(inner, request, call, lang).await;
    }
    if !looks {
        return Err(Refusal::NotFound);
    }
    match request.path.strip_prefix("/chat/") {
        Some(path) if path.starts_with("files/") => {
            inner.state.lock().files.serve(path.strip_prefix("files/").unwrap_or_default(), request)
        }
        Some(path) if path.starts_with("strings/") => strings::serve(path.strip_prefix("strings/").unwrap_or_default()),
        Some("") => assets::serve("index.html", request),
        // The page is only at its own address: it would be another origin's elsewhere.
        Some("index.html") => Err(Refusal::NotFound),
        Some(name) => assets::serve(name, request),
        None if request.path == "/" => assets::serve("index.html", request),
        None => Err(Refusal::NotFound),
    }
}

async fn api(inner: &Arc<Inner>, request: &WebhookRequest, call: &str, lang: Lang) -> Result<WebhookResponse, Refusal> {
    let now = inner.cx()?.clock().wall();
    if (request.method.as_str(), call) == ("POST", "join") {
        return join(inner, &read(request)?, lang).await;
    }
    let (me, secret) = guard::visitor(request)?;
    inner.state.lock().visitors.known(&me, secret, now)?;
    let to = Call { inner: inner.clone(), me, lang, now };
    match (request.method.as_str(), call) {
        ("GET", "state") => to.state(),
        ("GET", "history") => to.history(&query(request)?),
        ("GET", "stream") => {
            let after =
                query(request)?.get("after").map(|seq| seq.parse().map_err(|_| Refusal::Request)).transpose()?;
            stream::open(inner, &inner.running()?, &to.me, after)
        }
        ("POST", "name") => to.rename(&read(request)?).await,
        ("POST", "say") => to.say(&read(request)?).await,
        ("POST", "file") => upload(to, request).await,
        ("POST", "edit") => to.edit(&read(request)?).await,
        ("POST", "recall") => to.recall(&read::<wire::Named>(request)?.id).await,
        ("POST", "react") => to.react(&read(request)?).await,
        ("POST", "action") => to.action(&read(request)?).await,
        ("POST", "typing") => to.typing(&read::<wire::Typing>(request)?.conversation),
        ("POST", "rooms") => to.make_room(&read(request)?).await,
        ("POST", "rooms/enter") => to.enter(&read::<wire::Named>(request)?.id).await,
        ("POST", "rooms/leave") => to.leave(&read::<wire::Named>(request)?.id).await,
        ("POST", "rooms/topic") => to.rename_room(&read(request)?).await,
        _ => Err(Refusal::NotFound),
    }
}

fn read<T: DeserializeOwned>(request: &WebhookRequest) -> Result<T, Refusal> {
    if request.body.len() > limits::JSON {
        return Err(Refusal::TooLarge);
    }
    serde_json::from_slice(&request.body).map_err(|_| Refusal::Request)
}

/// Each key once: of two, another reader may take the other.
fn query(request: &WebhookRequest) -> Result<HashMap<String, String>, Refusal> {
    let mut all = HashMap::new();
    for (key, value) in form_urlencoded::parse(request.query.as_bytes()) {
        if all.insert(key.into_owned(), value.into_owned()).is_some() {
            return Err(Refusal::Request);
        }
    }
    Ok(all)
}

async fn upload(call: Call, request: &WebhookRequest) -> Result<WebhookResponse, Refusal> {
    if request.body.len() > call.inner.options.file_limit {
        return Err(Refusal::TooLarge);
    }
    let query = query(request)?;
    let part = |key: &str| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let said = Said {
        conversation: part("conversation").ok_or(Refusal::Request)?,
        quote: part("quote"),
        mentions: &[],
        nonce: part("nonce").ok_or(Refusal::Request)?,
    };
    let media = guard::only(request, "content-type")?.unwrap_or_default();
    let name = part("name").ok_or(Refusal::Request)?;
    call.file(said, Upload { name, media, bytes: request.body.clone() }).await
}

/// `POST join`: somebody opened the page.
async fn join(inner: &Arc<Inner>, join: &wire::Join, lang: Lang) -> Result<WebhookResponse, Refusal> {
    let name = match join.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Some(limits::name(name).ok_or(Refusal::Name)?),
        None => None,
    };
    let lang = join.lang.as_deref().and_then(Lang::of).unwrap_or(lang);
    let now = inner.cx()?.clock().wall();
    let oldest = {
        let state = inner.state.lock();
        if state.visitors.is_full() { Some(state.visitors.longest_away(now).ok_or(Refusal::Full)?) } else { None }
    };
    if let Some(oldest) = oldest {
        inner.forget(oldest, now).await?;
    }
    let mut state = inner.state.lock();
    if state.visitors.is_full() {
        return Err(Refusal::Full);
    }
    let (id, seq) = (ContactId::new(state.id('v', now)), state.seq());
    let visitor = state.visitors.join(id, name, lang, now, seq);
    let who = wire::Who { id: visitor.id.to_string(), name: visitor.name.clone() };
    answer(&json!({ "visitor": who, "secret": visitor.secret(), "bot": state.bot() }))
}

impl Call {
    /// `GET state`.
    fn state(self) -> Result<WebhookResponse, Refusal> {
        let state = self.inner.state.lock();
        let visitor = state.visitors.get(&self.me).ok_or(Refusal::Visitor)?;
        let (name, last) = (visitor.name.clone(), visitor.log.last());
        let rooms = state.rooms.of(&self.me).into_iter().map(ConversationId::Room);
        let all = std::iter::once(ConversationId::Contact(self.me.clone())).chain(rooms);
        let conversations: Vec<_> = all.filter_map(|to| state.conversation(&to)).collect();
        answer(&json!({
            "visitor": { "id": self.me, "name": name },
            "bot": state.bot(),
            "conversations": conversations,
            "rooms": state.rooms.list(Some(&self.me)),
            "last": last,
            "limits": { "text": limits::TEXT, "file": self.inner.options.file_limit },
        }))
    }

    /// `GET history`.
    fn history(self, query: &HashMap<String, String>) -> Result<WebhookResponse, Refusal> {
        let number = |key: &str| match query.get(key).map(String::as_str) {
            None | Some("" | "null") => Ok(None),
            Some(text) => text.parse::<u64>().map(Some).map_err(|_| Refusal::Request),
        };
        let (before, limit) = (number("before")?.unwrap_or(u64::MAX), number("limit")?.unwrap_or(50));
        let limit = usize::try_from(limit).unwrap_or(PAGE).clamp(1, PAGE);
        let state = self.inner.state.lock();
        let to = query.get("conversation").ok_or(Refusal::Request)?;
        let to = state.place(&self.me, to).ok_or(Refusal::Conversation)?;
        let lang = state.visitors.get(&self.me).map_or(self.lang, |visitor| visitor.lang);
        let (page, more) = state.book.page(&to, before, limit);
        let messages: Vec<_> = page.into_iter().map(|kept| kept.view(&self.me, lang)).collect();
        answer(&json!({ "messages": messages, "more": more }))
    }

    /// `POST name`.
    async fn rename(self, name: &wire::Name) -> Result<WebhookResponse, Refusal> {
        let wanted = limits::name(&name.name).ok_or(Refusal::Name)?;
        self.pace()?;
        let rooms = self.inner.state.lock().rooms.of(&self.me);
        // A member is named with its room: the separator is the reference's.
        let members = rooms.iter().map(|room| (DirtyType::RoomMember, format!("{room}\u{1f}{}", self.me)));
        let dirty = std::iter::once((DirtyType::Contact, self.me.to_string())).chain(members);
        let events = dirty
            .map(|(payload_type, payload_id)| Event::new(EventPayload::Dirty(DirtyEvent { payload_type, payload_id })));
        let events: Vec<Event> = events.collect();
        let me = self.me;
        {
            // Changed first, so that nobody loads the old name behind the event.
            let mut state = self.inner.state.lock();
            let name = state.visitors.free(wanted, &me);
            state.visitors.rename(&me, name);
        }
        self.inner
            .accepted(events, move |state, accepted| {
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
