//! ROUTES: method and path to what is done. What is not here is answered with an error in JSON, as everything else.

use std::{collections::HashMap, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::json;
use wechaty_catalogue::Lang;
use wechaty_puppet::{ConversationId, WebhookRequest, WebhookResponse};

use crate::{
    assets,
    chat::{Call, Said, Upload, answer},
    guard, join, limits,
    puppet::Inner,
    refusal::Refusal,
    stream, strings, wire,
};

/// Most messages of one page of history.
const PAGE: usize = 100;

/// Answers a request.
pub(crate) async fn handle(inner: &Arc<Inner>, request: WebhookRequest) -> WebhookResponse {
    let lang = language(inner, &request);
    match route(inner, &request, lang).await {
        Ok(response) => response,
        Err(why) => why.response(lang),
    }
}

/// The language of whoever asks: of a visitor, what their page told, else what the browser wants.
fn language(inner: &Inner, request: &WebhookRequest) -> Lang {
    let known = guard::visitor(request).ok().and_then(|(me, secret)| inner.state.lock().visitors.lang(&me, secret));
    known.unwrap_or_else(|| Lang::of_accept_language(request.header("accept-language").unwrap_or_default()))
}

/// How much body a request may have: only a known visitor's file has more than a few words.
pub(crate) fn admits(inner: &Arc<Inner>, head: &WebhookRequest) -> Result<usize, WebhookResponse> {
    let known = || {
        let Some(call) = head.path.strip_prefix("/chat/api/") else { return Ok(0) };
        token(inner, head)?;
        if matches!(call, "join" | "ticket") {
            return Ok(limits::JSON);
        }
        let (me, secret) = guard::visitor(head)?;
        let now = inner.cx()?.clock().wall();
        let mut state = inner.state.lock();
        let visitor = state.visitors.known(&me, secret, now)?;
        if call != "file" || head.method != "POST" {
            return Ok(limits::JSON);
        }
        // Paid before it comes, so that what is on its way is bounded too. One that is too large is refused anyway.
        let limit = inner.options.file_limit;
        let length = guard::only(head, "content-length")?.and_then(|length| length.parse::<usize>().ok());
        let part = length.unwrap_or(limit) as f64 / limit as f64;
        if part <= 1.0 {
            visitor.uploads.take_many(part, now).map_err(Refusal::TooMuch)?;
        }
        Ok(limit)
    };
    known().map_err(|why: Refusal| why.response(language(inner, head)))
}

/// Refuses who does not know the token. Who guesses is soon not listened to any more, right or wrong; the visitors that
/// share the address go on.
fn token(inner: &Inner, request: &WebhookRequest) -> Result<(), Refusal> {
    let Some(token) = inner.token.as_ref() else { return guard::token(request, None) };
    let now = inner.cx()?.clock().wall();
    let visitor = guard::visitor(request).ok();
    let mut state = inner.state.lock();
    if visitor.is_none_or(|(me, secret)| state.visitors.lang(&me, secret).is_none()) {
        state.guesses.has(request.peer, now).map_err(Refusal::TooFast)?;
    }
    let known = guard::token(request, Some(token));
    if known == Err(Refusal::Token) {
        // It was told that there is one.
        let _ = state.guesses.take(request.peer, now);
    }
    known
}

async fn route(inner: &Arc<Inner>, request: &WebhookRequest, lang: Lang) -> Result<WebhookResponse, Refusal> {
    let looks = matches!(request.method.as_str(), "GET" | "HEAD");
    if let Some(call) = request.path.strip_prefix("/chat/api/") {
        token(inner, request)?;
        return api(inner, request, call, lang).await;
    }
    let found = match request.path.strip_prefix("/chat/") {
        Some(path) if path.starts_with("files/") => {
            inner.state.lock().files.serve(path.strip_prefix("files/").unwrap_or_default(), request)
        }
        Some(path) if path.starts_with("strings/") => strings::serve(path.strip_prefix("strings/").unwrap_or_default()),
        // The page is only at its own address: it would be another origin's elsewhere.
        Some("index.html") => Err(Refusal::NotFound),
        Some("") => Ok(moved()),
        Some(name) => assets::serve(name, request),
        None => match request.path.as_str() {
            "/" => assets::serve("index.html", request),
            "/chat" => Ok(moved()),
            // Asked for by browsers that show a file, or an error.
            "/favicon.ico" => assets::serve("icon.svg", request),
            _ => Err(Refusal::NotFound),
        },
    }?;
    if looks { Ok(found) } else { Err(Refusal::Method("GET, HEAD")) }
}

fn moved() -> WebhookResponse {
    WebhookResponse::text(308, "/\n").header("location", "/").header("cache-control", "no-store")
}

/// The method of a call.
fn method(call: &str) -> Result<&'static str, Refusal> {
    match call {
        "state" | "history" | "stream" => Ok("GET"),
        "ticket" | "join" | "name" | "language" | "say" | "file" | "edit" | "recall" | "react" | "action"
        | "status" | "typing" | "rooms" | "rooms/enter" | "rooms/leave" | "rooms/topic" => Ok("POST"),
        _ => Err(Refusal::NotFound),
    }
}

async fn api(inner: &Arc<Inner>, request: &WebhookRequest, call: &str, lang: Lang) -> Result<WebhookResponse, Refusal> {
    let now = inner.cx()?.clock().wall();
    if (request.method.as_str(), call) == ("POST", "join") {
        inner.state.lock().joins.take(request.peer, now).map_err(Refusal::TooFast)?;
        return join::join(inner, &read(request)?, request.header("accept-language"), now).await;
    }
    if (request.method.as_str(), call) == ("POST", "ticket") {
        return join::ticket(inner, now);
    }
    let (me, secret) = guard::visitor(request)?;
    inner.state.lock().visitors.known(&me, secret, now)?;
    let allowed = method(call)?;
    if request.method != allowed {
        return Err(Refusal::Method(allowed));
    }
    let to = Call { inner: inner.clone(), me, lang, now };
    match call {
        "state" => to.state(),
        "history" => to.history(&query(request)?),
        "stream" => {
            let after =
                query(request)?.get("after").map(|seq| seq.parse().map_err(|_| Refusal::Request)).transpose()?;
            stream::open(inner, &inner.running()?, &to.me, after)
        }
        "name" => to.rename(&read(request)?).await,
        "language" => to.language(&read(request)?).await,
        "say" => to.say(&read(request)?).await,
        "file" => upload(to, request).await,
        "edit" => to.edit(&read(request)?).await,
        "recall" => to.recall(&read::<wire::Named>(request)?.id).await,
        "react" => to.react(&read(request)?).await,
        "action" => to.action(&read(request)?).await,
        "status" => to.status(&read(request)?).await,
        "typing" => to.typing(&read::<wire::Typing>(request)?.conversation),
        "rooms" => to.make_room(&read(request)?).await,
        "rooms/enter" => to.enter(&read::<wire::Named>(request)?.id).await,
        "rooms/leave" => to.leave(&read::<wire::Named>(request)?.id).await,
        "rooms/topic" => to.rename_room(&read(request)?).await,
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
        let (page, more) = state.book.page(&to, before, limit);
        let messages: Vec<_> = page.into_iter().map(|kept| kept.view(&self.me, self.lang)).collect();
        answer(&json!({ "messages": messages, "more": more }))
    }
}
