//! HOME: a Synapse as people use it, by plain HTTP.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use ring::hmac;
use serde_json::{Value, json};

use super::http::{Answer, Request, seg};

/// Only what is said in rooms, and all of it.
const FILTER: &str = r#"{"presence":{"types":[]},"account_data":{"types":[]},"room":{"ephemeral":{"types":[]},"account_data":{"types":[]},"state":{"types":[]},"timeline":{"limit":500,"types":["m.room.message"]}}}"#;

/// Where it is, and what lets us make accounts.
pub(super) struct Home {
    /// `host:port`.
    pub(super) host: String,
    secret: String,
    /// What makes the names of this run its own.
    run: String,
}

impl Home {
    /// The one that the environment names.
    pub(super) fn from_env(seed: u64) -> Result<Self> {
        let read = |name: &str| {
            std::env::var(name)
                .with_context(|| format!("{name} is not set: it and its neighbour name a Synapse to run at"))
        };
        let (url, secret) = (read("SYNAPSE_URL")?, read("SYNAPSE_SECRET")?);
        let Some(host) = url.strip_prefix("http://") else { bail!("SYNAPSE_URL is not of http://: {url}") };
        let run = format!("{seed}-{:08x}", RandomState::new().hash_one(seed) >> 32);
        Ok(Self { host: host.trim_end_matches('/').to_owned(), secret, run })
    }

    /// Somebody's name in their id.
    pub(super) fn local(&self, name: &str) -> String {
        format!("crash-{}-{name}", self.run)
    }

    /// Makes an account; gives its id, and a token.
    pub(super) fn register(&self, name: &str, password: &str) -> Result<Person> {
        const PATH: &str = "/_synapse/admin/v1/register";
        let nonce = self.done(Request { method: "GET".to_owned(), path: PATH.to_owned(), ..Request::default() })?;
        let nonce = nonce["nonce"].as_str().context("no nonce")?;
        let user = self.local(name);
        // Synapse takes no other.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let mac = hmac::sign(&key, format!("{nonce}\0{user}\0{password}\0notadmin").as_bytes());
        let mac: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let body = json!({ "nonce": nonce, "username": user, "password": password, "admin": false, "mac": mac });
        let made = self.done(Request {
            method: "POST".to_owned(),
            path: PATH.to_owned(),
            content_type: "application/json".to_owned(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        })?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| format!("it has no {name}"));
        Ok(Person {
            host: self.host.clone(),
            id: text("user_id")?,
            token: text("access_token")?,
            said: AtomicU64::new(0),
        })
    }

    fn done(&self, request: Request) -> Result<Value> {
        done(&request, &request.send(&self.host)?)
    }
}

fn done(request: &Request, answer: &Answer) -> Result<Value> {
    if answer.status == 200 {
        return Ok(answer.json());
    }
    let said = String::from_utf8_lossy(&answer.body);
    bail!("{} {}: {} {said}", request.method, request.path, answer.status)
}

/// Somebody with an account.
pub(super) struct Person {
    host: String,
    pub(super) id: String,
    token: String,
    said: AtomicU64,
}

impl Person {
    fn request(&self, method: &str, path: &str, body: Option<Value>) -> Request {
        Request {
            method: method.to_owned(),
            path: format!("/_matrix/client/{path}"),
            authorization: format!("Bearer {}", self.token),
            content_type: "application/json".to_owned(),
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        }
    }

    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let request = self.request(method, path, body);
        done(&request, &request.send(&self.host)?)
    }

    /// Makes a room; gives its id.
    pub(super) fn make_room(&self, room: Value) -> Result<String> {
        let made = self.call("POST", "v3/createRoom", Some(room))?;
        Ok(made["room_id"].as_str().context("a room without an id")?.to_owned())
    }

    /// Comes into a room.
    pub(super) fn join(&self, room: &str) -> Result<()> {
        self.call("POST", &format!("v3/join/{}", seg(room)), Some(json!({}))).map(drop)
    }

    /// Says something; gives the event's id.
    pub(super) fn say(&self, room: &str, text: &str) -> Result<String> {
        let nth = self.said.fetch_add(1, Ordering::Relaxed);
        let path = format!("v3/rooms/{}/send/m.room.message/said-{nth}", seg(room));
        let said = self.call("PUT", &path, Some(json!({ "msgtype": "m.text", "body": text })))?;
        Ok(said["event_id"].as_str().context("a message without an id")?.to_owned())
    }

    /// What is new since a position; waits for it.
    pub(super) fn sync(&self, since: Option<&str>, wait: Duration) -> Result<Value> {
        let mut path = format!("v3/sync?timeout={}&filter={}", wait.as_millis(), seg(FILTER));
        if let Some(since) = since {
            path.push_str(&format!("&since={}", seg(since)));
        }
        self.call("GET", &path, None)
    }

    /// The bytes behind an `mxc://` address.
    pub(super) fn download(&self, address: &str) -> Result<Vec<u8>> {
        let place = address.strip_prefix("mxc://").context("no address of a file")?;
        let request = self.request("GET", &format!("v1/media/download/{place}"), None);
        let answer = request.send(&self.host)?;
        done(&request, &answer)?;
        Ok(answer.body)
    }
}
