//! The other side: people of the homeserver, by plain HTTP calls.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};

/// The homeserver.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) base: String,
    secret: String,
    http: reqwest::Client,
    requests: Arc<AtomicU64>,
    names: Arc<AtomicU64>,
}

/// Somebody with an account.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) token: String,
    server: Server,
    /// What they reacted with, to take it back.
    reactions: Arc<Mutex<HashMap<(String, String), String>>>,
}

/// One part of a path.
pub(crate) fn part(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().build()
}

impl Server {
    /// Those that `SYNAPSE_URL` names, with spaces between, and that share `SYNAPSE_SECRET`.
    pub(crate) fn from_env() -> Option<Vec<Self>> {
        let addresses = std::env::var("SYNAPSE_URL").ok()?;
        let secret = std::env::var("SYNAPSE_SECRET").ok()?;
        // Accounts of an earlier run stay: names begin where the clock is.
        let start = wechaty_puppet::Clock::system().wall().as_millis().unsigned_abs();
        let one = Self {
            base: String::new(),
            secret,
            http: client().ok()?,
            requests: Arc::default(),
            names: Arc::new(AtomicU64::new(start * 100)),
        };
        let at = |base: &str| Self { base: base.trim_end_matches('/').to_owned(), ..one.clone() };
        Some(addresses.split_whitespace().map(at).collect::<Vec<_>>()).filter(|all| !all.is_empty())
    }

    /// The same with connections of its own: those of a runtime end with it.
    pub(crate) fn anew(&self) -> Self {
        Self { http: client().expect("a client"), ..self.clone() }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value) {
        self.count();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.expect("the homeserver answers");
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// A new account.
    pub(crate) async fn person(&self, who: &str) -> Person {
        let name = format!("{who}-{}", self.names.fetch_add(1, Ordering::Relaxed));
        let (_, nonce) = self.call(Method::GET, "/_synapse/admin/v1/register", None, None).await;
        let nonce = nonce["nonce"].as_str().expect("a nonce").to_owned();
        let password = format!("pw-{name}");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let signed = ring::hmac::sign(&key, format!("{nonce}\0{name}\0{password}\0notadmin").as_bytes());
        let mac: String = signed.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let body = json!({ "nonce": nonce, "username": name, "password": password, "admin": false, "mac": mac });
        let (status, account) = self.call(Method::POST, "/_synapse/admin/v1/register", None, Some(body)).await;
        assert_eq!(status, 200, "{account}");
        Person {
            id: account["user_id"].as_str().expect("a user").to_owned(),
            token: account["access_token"].as_str().expect("a token").to_owned(),
            name,
            password,
            server: self.clone(),
            reactions: Arc::default(),
        }
    }
}

impl Person {
    pub(crate) async fn try_call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.server.call(method, &format!("/_matrix/client/v3{path}"), Some(&self.token), body).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.try_call(method, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// A call of another version.
    pub(crate) async fn call_version(&self, version: &str, method: Method, path: &str, body: Option<Value>) -> Value {
        self.server.call(method, &format!("/_matrix/client/{version}{path}"), Some(&self.token), body).await.1
    }

    pub(crate) async fn create_room(&self, request: Value) -> String {
        self.call(Method::POST, "/createRoom", Some(request)).await["room_id"].as_str().expect("a room").to_owned()
    }

    /// A conversation with somebody, as a client opens it.
    pub(crate) async fn opens_direct(&self, other: &str) -> String {
        self.create_room(json!({ "preset": "trusted_private_chat", "is_direct": true, "invite": [other] })).await
    }

    pub(crate) async fn joins(&self, room: &str) {
        self.call(Method::POST, &format!("/join/{}", part(room)), Some(json!({}))).await;
    }

    pub(crate) async fn leaves(&self, room: &str) {
        self.call(Method::POST, &format!("/rooms/{}/leave", part(room)), Some(json!({}))).await;
    }

    pub(crate) async fn sets(&self, room: &str, kind: &str, content: Value) {
        self.call(Method::PUT, &format!("/rooms/{}/state/{kind}", part(room)), Some(content)).await;
    }

    pub(crate) async fn puts(&self, room: &str, kind: &str, content: Value) -> String {
        let transaction = self.server.names.fetch_add(1, Ordering::Relaxed);
        let path = format!("/rooms/{}/send/{kind}/t{transaction}", part(room));
        self.call(Method::PUT, &path, Some(content)).await["event_id"].as_str().expect("an event").to_owned()
    }

    pub(crate) async fn says(&self, room: &str, text: &str) -> String {
        self.puts(room, "m.room.message", json!({ "msgtype": "m.text", "body": text, "m.mentions": {} })).await
    }

    pub(crate) async fn redacts(&self, room: &str, event: &str) {
        let transaction = self.server.names.fetch_add(1, Ordering::Relaxed);
        let path = format!("/rooms/{}/redact/{}/t{transaction}", part(room), part(event));
        self.call(Method::PUT, &path, Some(json!({}))).await;
    }

    pub(crate) async fn reacts(&self, room: &str, event: &str, key: &str, add: bool) {
        let of = (event.to_owned(), key.to_owned());
        if add {
            let relation = json!({ "rel_type": "m.annotation", "event_id": event, "key": key });
            let id = self.puts(room, "m.reaction", json!({ "m.relates_to": relation })).await;
            self.reactions.lock().insert(of, id);
        } else {
            let id = self.reactions.lock().remove(&of).expect("a reaction");
            self.redacts(room, &id).await;
        }
    }

    pub(crate) async fn reads(&self, room: &str, event: &str) {
        let path = format!("/rooms/{}/receipt/m.read/{}", part(room), part(event));
        self.call(Method::POST, &path, Some(json!({}))).await;
    }

    /// Uploads bytes.
    pub(crate) async fn uploads(&self, name: &str, media_type: &str, bytes: Vec<u8>) -> String {
        self.server.count();
        let url = format!("{}/_matrix/media/v3/upload?filename={}", self.server.base, part(name));
        let request = self.server.http.post(url).bearer_auth(&self.token).header("content-type", media_type);
        let answer = request.body(bytes).send().await.expect("an answer").bytes().await.expect("a body");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        answer["content_uri"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The bytes of a file.
    pub(crate) async fn downloads(&self, uri: &str) -> Vec<u8> {
        self.server.count();
        let path = uri.strip_prefix("mxc://").expect("a file");
        let url = format!("{}/_matrix/client/v1/media/download/{path}", self.server.base);
        let response = self.server.http.get(url).bearer_auth(&self.token).send().await.expect("an answer");
        assert!(response.status().is_success(), "{uri}: {}", response.status());
        response.bytes().await.expect("bytes").to_vec()
    }

    /// The events of a room, oldest first.
    pub(crate) async fn events(&self, room: &str) -> Vec<Value> {
        let path = format!("/rooms/{}/messages?dir=b&limit=500", part(room));
        let mut events = self.call(Method::GET, &path, None).await["chunk"].as_array().cloned().unwrap_or_default();
        events.reverse();
        events
    }

    /// Who is typing.
    pub(crate) async fn sees_typing(&self, room: &str) -> Vec<String> {
        // The homeserver answers the same question from its memory: each is another one.
        let limit = 1 + self.server.names.fetch_add(1, Ordering::Relaxed) % 1_000_000;
        let filter = json!({ "room": { "ephemeral": { "types": ["m.typing"] }, "timeline": { "limit": 1 }, "rooms": [room] },
            "presence": { "types": [], "limit": limit } });
        let answer =
            self.call(Method::GET, &format!("/sync?timeout=0&filter={}", part(&filter.to_string())), None).await;
        let ephemeral = answer["rooms"]["join"][room]["ephemeral"]["events"].as_array().cloned().unwrap_or_default();
        let users =
            ephemeral.iter().flat_map(|event| event["content"]["user_ids"].as_array().cloned().unwrap_or_default());
        users.filter_map(|user| user.as_str().map(str::to_owned)).collect()
    }

    /// Who reacted to a message with what; `None`: it is not in this room.
    pub(crate) async fn sees_reactions(&self, room: &str, event: &str) -> Option<Vec<(String, String)>> {
        let path = format!("/_matrix/client/v1/rooms/{}/relations/{}/m.annotation?limit=100", part(room), part(event));
        let (status, answer) = self.server.call(Method::GET, &path, Some(&self.token), None).await;
        if status != 200 {
            return None;
        }
        let reactions = answer["chunk"].as_array().cloned().unwrap_or_default();
        let told = |event: &Value| {
            let key = event["content"]["m.relates_to"]["key"].as_str()?;
            Some((event["sender"].as_str()?.to_owned(), key.to_owned()))
        };
        Some(reactions.iter().filter_map(told).collect())
    }
}
