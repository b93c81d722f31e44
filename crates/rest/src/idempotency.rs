//! IDEMPOTENCY: a request told twice under the same `Idempotency-Key` is done once and answered the same; through restarts
//! where the bot's store outlives them (draft-ietf-httpapi-idempotency-key-header).
//!
//! A note is in the store before anything is done. Sends take their outbox key from it, so that one whose process ended before
//! it was answered is found again and not said twice.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechaty::types::Timestamp;
use wechaty_puppet::IdempotencyKey;
use wechaty_store::{Store, StoreError};

use crate::{call::Call, problem::Problem, rest::Rest, route::Done, say::SendKey};

/// The header.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Tells that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Where notes are in the store.
const NAMESPACE: &str = "rest/idempotency";
/// How long a key is remembered.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many of a token are, at most; its oldest go.
const MOST: usize = 10_000;
/// How many old ones are looked at with each new one.
const FEW: usize = 8;
/// The longest answer that is kept whole, in bytes.
const ANSWER: usize = 256 << 10;
/// Of a longer one, texts are kept up to so many characters.
const CUT: usize = 256;
/// The longest key.
const LONGEST: usize = 255;

/// Keys under way, and the notes there are.
#[derive(Default)]
pub(crate) struct Keys {
    busy: Mutex<HashSet<String>>,
    notes: Mutex<Notes>,
}

/// When notes were made, so that old ones go a few at a time.
#[derive(Default)]
struct Notes {
    tokens: HashMap<String, TokenNotes>,
    /// Those in the store when it was listed that nobody has looked at; `None`: it was not.
    earlier: Option<Vec<String>>,
}

/// Those of a token.
#[derive(Default)]
struct TokenNotes {
    made: HashMap<String, i64>,
    /// The oldest first.
    order: BTreeSet<(i64, String)>,
}

impl Notes {
    fn set(&mut self, name: &str, at: Option<i64>) {
        let token = self.tokens.entry(token(name).to_owned()).or_default();
        let before = match at {
            Some(at) => token.made.insert(name.to_owned(), at),
            None => token.made.remove(name),
        };
        if let Some(before) = before {
            token.order.remove(&(before, name.to_owned()));
        }
        if let Some(at) = at {
            token.order.insert((at, name.to_owned()));
        } else if token.made.is_empty() {
            self.tokens.remove(self::token(name));
        }
    }

    /// The oldest note that is too old, or one of too many of its token.
    fn oldest(&self, now: Timestamp, most: usize) -> Option<String> {
        let is_over = |token: &&TokenNotes| {
            let oldest = token.order.first().map(|(at, _)| Timestamp::from_millis(*at));
            token.made.len() > most || oldest.is_some_and(|at| now.since(at) >= LIFE)
        };
        self.tokens.values().find(is_over).and_then(|token| token.order.first()).map(|(_, name)| name.clone())
    }
}

/// Whose a note is, by its name.
fn token(name: &str) -> &str {
    name.split('-').next().unwrap_or_default()
}

/// What is remembered of a request.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// Digest of the request.
    fingerprint: String,
    at: i64,
    /// `None`: it was begun.
    answer: Option<Kept>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    status: u16,
    location: Option<String>,
    body: String,
}

/// The key of a call's sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    seed: Option<[u8; 32]>,
    again: bool,
}

impl Told {
    /// The outbox key of the send of this number.
    pub(crate) fn send_key(&self, number: usize) -> SendKey {
        let mut bytes = [0; 16];
        match self.seed {
            Some(seed) => {
                let mut all = Context::new(&SHA256);
                all.update(&seed);
                all.update(&(number as u64).to_be_bytes());
                bytes.copy_from_slice(&all.finish().as_ref()[..16]);
            }
            None => bytes = *uuid::Uuid::new_v4().as_bytes(),
        }
        SendKey { key: IdempotencyKey::from_bytes(bytes), may_exist: self.again }
    }
}

/// The key of a request.
///
/// # Errors
/// 400: there are two, or it is none.
pub(crate) fn key(call: &Call) -> Result<Option<String>, Problem> {
    let bad = || Problem::new(StatusCode::BAD_REQUEST, "W500", "rest-bad-key").set("longest", LONGEST.to_string());
    let mut all = call.parts.headers.get_all(HEADER).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let text = first.to_str().map_err(|_| bad())?.trim();
    // The draft writes it as a structured string; everybody else as it is.
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits =
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) && all.next().is_none();
    if fits { Ok(Some(text.to_owned())) } else { Err(bad()) }
}

/// Does a call once for its key.
pub(crate) async fn once(mut call: Call, key: String) -> Done {
    let rest = call.rest.clone();
    let seed = seed(&call, &key);
    let name = format!("{}-{}", hex(&call.caller.name), hex(&seed[..16]));
    let fingerprint = fingerprint(&call);
    let Some(_busy) = Busy::of(&rest, &name) else {
        return Err(Problem::new(StatusCode::CONFLICT, "W516", "rest-key-busy"));
    };
    let store = rest.bot().store().clone();
    let now = rest.bot().clock().wall();
    let found = store.get(NAMESPACE, &name).await?;
    let known = found.as_ref().and_then(|found| serde_json::from_slice::<Note>(&found.value).ok());
    let known = known.filter(|note| now.since(Timestamp::from_millis(note.at)) < LIFE);
    let at = known.as_ref().map_or(now.as_millis(), |note| note.at);
    // A key that is told anew after its time says something else.
    let mut sends = Context::new(&SHA256);
    sends.update(&seed);
    sends.update(&at.to_be_bytes());
    call.told.seed = sends.finish().as_ref().try_into().ok();
    match known {
        Some(note) if note.fingerprint != fingerprint => {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "W515", "rest-key-reused"));
        }
        Some(Note { answer: Some(kept), .. }) => return replay(kept),
        Some(Note { answer: None, .. }) if !call.route.says => {
            return Err(Problem::new(StatusCode::CONFLICT, "W516", "rest-key-in-doubt"));
        }
        Some(_) => call.told.again = true,
        None => {
            let note = Note { fingerprint: fingerprint.clone(), at, answer: None };
            let version = found.map_or(0, |found| found.version);
            match put(&*store, &name, Some(version), Some(&note)).await {
                Err(StoreError::Conflict { .. }) => {
                    return Err(Problem::new(StatusCode::CONFLICT, "W516", "rest-key-busy"));
                }
                put => put?,
            }
            rest.keys().sweep(&*store, &name, now, MOST).await?;
        }
    }
    let again = call.told.again;
    match (call.route.run)(call).await {
        Ok(response) => {
            let (response, kept) = keep(response, ANSWER).await?;
            let note = Note { fingerprint, at, answer: Some(kept) };
            put(&*store, &name, None, Some(&note)).await?;
            Ok(response)
        }
        Err(problem) => {
            // Where surely nothing was done, the key may be used again. Else the note stays: a send is looked for when it is told
            // again, anything else is in doubt. So does the note of an earlier request, which may have got further.
            if !again && problem.did_nothing() {
                put(&*store, &name, None, None).await?;
                rest.keys().notes.lock().set(&name, None);
            }
            Err(problem)
        }
    }
}

async fn put(store: &dyn Store, name: &str, expected: Option<u64>, note: Option<&Note>) -> Result<(), StoreError> {
    let value = note.map(|note| Bytes::from(serde_json::to_vec(note).unwrap_or_default()));
    store.put(NAMESPACE, name, expected, value).await.map(drop)
}

/// A key that is in hand.
struct Busy(Rest, String);

impl Busy {
    fn of(rest: &Rest, name: &str) -> Option<Self> {
        rest.keys().busy.lock().insert(name.to_owned()).then(|| Self(rest.clone(), name.to_owned()))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.keys().busy.lock().remove(&self.1);
    }
}

/// A good answer, to be given whole and to be kept: all of it, or what fits (in bytes).
async fn keep(response: Response, most: usize) -> Result<(Response, Kept), Problem> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| Problem::internal(&error.to_string()))?.to_bytes();
    let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let whole = String::from_utf8(body.to_vec()).unwrap_or_default();
    let kept = Kept { status: parts.status.as_u16(), location, body: fitting(whole, most) };
    Ok((Response::from_parts(parts, Body::from(body)), kept))
}

/// The body as it is, or with its long texts cut; nothing, if that is too long still. What it answers was done all the same.
fn fitting(body: String, most: usize) -> String {
    if body.len() <= most {
        return body;
    }
    let mut value: Value = serde_json::from_str(&body).unwrap_or_default();
    cut(&mut value);
    Some(value.to_string()).filter(|short| short.len() <= most).unwrap_or_default()
}

/// Cuts long texts at every depth; our own answers are not deep.
fn cut(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(CUT) {
                text.truncate(end);
                text.push('…');
            }
        }
        Value::Array(all) => all.iter_mut().for_each(cut),
        Value::Object(all) => all.values_mut().for_each(cut),
        _ => {}
    }
}

fn replay(kept: Kept) -> Done {
    let has_body = !kept.body.is_empty();
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(location) = kept.location.and_then(|location| HeaderValue::try_from(location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    Ok(response)
}

impl Keys {
    /// There is a new note. A few that are too old, or too many of a token, go.
    async fn sweep(&self, store: &dyn Store, new: &str, now: Timestamp, most: usize) -> Result<(), StoreError> {
        let is_listed = self.notes.lock().earlier.is_some();
        if !is_listed {
            let names = store.keys(NAMESPACE).await?;
            self.notes.lock().earlier.get_or_insert(names);
        }
        let some = {
            let mut notes = self.notes.lock();
            notes.set(new, Some(now.as_millis()));
            let earlier = notes.earlier.get_or_insert_default();
            earlier.split_off(earlier.len().saturating_sub(FEW))
        };
        for name in some {
            let Some(found) = store.get(NAMESPACE, &name).await? else { continue };
            let note = serde_json::from_slice::<Note>(&found.value);
            self.notes.lock().set(&name, Some(note.map_or(0, |note| note.at)));
        }
        for _ in 0..FEW {
            let Some(name) = self.notes.lock().oldest(now, most) else { break };
            put(store, &name, None, None).await?;
            self.notes.lock().set(&name, None);
        }
        Ok(())
    }
}

/// Names the key of this token and account; the sends take their keys from it.
fn seed(call: &Call, key: &str) -> [u8; 32] {
    let mut all = Context::new(&SHA256);
    all.update(&call.caller.name);
    if let Some(account) = &call.account {
        all.update(account.id().as_str().as_bytes());
    }
    all.update(&[0]);
    all.update(key.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(all.finish().as_ref());
    bytes
}

fn fingerprint(call: &Call) -> String {
    let body = call.json.as_ref().map(ToString::to_string).unwrap_or_default();
    let request = format!("{} {:?} {:?} {body}", call.route.id, call.path, call.query);
    hex(&digest(&SHA256, request.as_bytes()).as_ref()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use wechaty_store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_given_whole_and_kept_short() {
        let body = serde_json::json!({ "results": [{ "status": 201, "why": "长".repeat(2_000) }] }).to_string();
        let (given, kept) = keep(Response::new(Body::from(body.clone())), 2_000).await.expect("it is given");
        let given = given.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!(given, body.as_bytes());
        let short: Value = serde_json::from_str(&kept.body).expect("JSON");
        assert_eq!(short["results"][0]["status"], 201);
        assert_eq!(short["results"][0]["why"].as_str().map(|why| why.chars().count()), Some(CUT + 1));
        let (_, kept) = keep(Response::new(Body::from(body)), 10).await.expect("it is given");
        assert_eq!((kept.status, kept.body.as_str()), (200, ""));
    }

    fn name(token: &str, number: usize) -> String {
        format!("{token}-{number:04}")
    }

    async fn told(keys: &Keys, store: &dyn Store, name: &str, at: i64) {
        let note = Note { fingerprint: "f".to_owned(), at, answer: None };
        put(store, name, None, Some(&note)).await.expect("it is put");
        keys.sweep(store, name, Timestamp::from_millis(at), 20).await.expect("it is swept");
    }

    #[tokio::test]
    async fn the_notes_of_a_token_push_out_its_own_alone() {
        let (keys, store) = (Keys::default(), MemoryStore::new());
        for number in 0..3 {
            told(&keys, &store, &name("bob", number), 1_000).await;
        }
        for number in 0..100 {
            told(&keys, &store, &name("eve", number), 2_000 + number as i64).await;
        }
        let left = store.keys(NAMESPACE).await.expect("keys");
        let bobs = (0..3).map(|number| name("bob", number));
        assert_eq!(left, bobs.chain((80..100).map(|number| name("eve", number))).collect::<Vec<_>>());
        // One that is told anew counts once, and as new.
        told(&keys, &store, &name("eve", 80), 3_000).await;
        told(&keys, &store, &name("eve", 100), 3_001).await;
        let left = store.keys(NAMESPACE).await.expect("keys");
        assert!(left.contains(&name("eve", 80)) && !left.contains(&name("eve", 81)) && left.len() == 23, "{left:?}");
    }

    #[tokio::test]
    async fn old_notes_go_a_few_at_a_time_and_those_of_an_earlier_life_too() {
        let (before, store) = (Keys::default(), MemoryStore::new());
        for number in 0..20 {
            told(&before, &store, &name("bob", number), 1_000).await;
        }
        let (keys, later) = (Keys::default(), 1_000 + LIFE.as_millis() as i64);
        for (number, left) in [(0, 14), (1, 7), (2, 3), (3, 4)] {
            told(&keys, &store, &name("eve", number), later).await;
            let all = store.keys(NAMESPACE).await.expect("keys");
            assert_eq!(all.len(), left, "{all:?}");
        }
    }
}
