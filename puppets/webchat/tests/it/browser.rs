//! A browser: what the wire says, written a second time. Shares nothing with the crate but the webhook.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::{StreamExt, stream::BoxStream};
use serde_json::{Value, json};
use wechaty_puppet::{Bytes, Puppet, WebhookBody, WebhookRequest};

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).expect("JSON")
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().expect("a code").to_owned()
    }
    /// What it says, if it says yes.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// One event of a stream.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) id: u64,
    pub(crate) event: String,
    pub(crate) data: Value,
}

/// A stream that is read line by line.
pub(crate) struct Events {
    body: BoxStream<'static, Bytes>,
    rest: Vec<u8>,
    /// Bytes that came.
    pub(crate) bytes: usize,
    pub(crate) comments: usize,
}

impl Events {
    /// The next event; `None`: the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some(at) = self.rest.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.rest.drain(..at + 2).collect();
                let block = String::from_utf8(block).expect("UTF-8");
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                if block.starts_with(':') {
                    self.comments += 1;
                    continue;
                }
                return Some(Told {
                    id: field("id").expect("an id").parse().expect("a number"),
                    event: field("event").expect("a name").to_owned(),
                    data: serde_json::from_str(field("data").expect("data")).expect("JSON"),
                });
            }
            let part = self.body.next().await?;
            self.bytes += part.len();
            self.rest.extend_from_slice(&part);
        }
    }

    /// The next event of this name, over others.
    pub(crate) async fn until(&mut self, name: &str) -> Told {
        loop {
            let told = self.next().await.unwrap_or_else(|| panic!("the stream ended before {name}"));
            if told.event == name {
                return told;
            }
        }
    }

    /// Reads a part, whatever is in it; `None`: the stream has ended.
    pub(crate) async fn part(&mut self) -> Option<Bytes> {
        self.body.next().await
    }
}

/// One tab.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) puppet: Arc<dyn Puppet>,
    pub(crate) token: Option<String>,
    pub(crate) secret: String,
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A nonce that nobody has used.
pub(crate) fn nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("nonce-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Browser {
    pub(crate) fn new(puppet: Arc<dyn Puppet>) -> Self {
        Self { puppet, token: None, secret: String::new(), id: String::new(), name: String::new() }
    }

    /// A tab that has joined.
    pub(crate) async fn join(puppet: &Arc<dyn Puppet>, name: &str) -> Self {
        let mut tab = Self::new(puppet.clone());
        let answer = tab.post("join", &json!({ "name": name, "lang": "en" })).await.ok();
        tab.secret = answer["secret"].as_str().expect("a secret").to_owned();
        tab.id = answer["visitor"]["id"].as_str().expect("an id").to_owned();
        tab.name = answer["visitor"]["name"].as_str().expect("a name").to_owned();
        tab
    }

    pub(crate) fn request(&self, method: &str, target: &str, body: impl Into<Bytes>) -> WebhookRequest {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = vec![("host".to_owned(), "localhost:8080".to_owned())];
        if !self.secret.is_empty() {
            headers.push(("x-visitor".to_owned(), self.secret.clone()));
        }
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        WebhookRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.into(),
            peer: None,
        }
    }

    pub(crate) async fn ask(&self, request: WebhookRequest) -> Answer {
        let hook = self.puppet.webhook().expect("a webhook");
        assert!(hook.claims(&request) || !request.path.starts_with("/chat/"));
        let response = hook.handle(request).await;
        let body = match response.body {
            WebhookBody::Bytes(bytes) => bytes,
            WebhookBody::Stream(_) => panic!("a stream where none is wanted"),
        };
        Answer { status: response.status, headers: response.headers, body }
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.ask(self.request("GET", target, Bytes::new())).await
    }

    pub(crate) async fn post(&self, call: &str, body: &Value) -> Answer {
        self.ask(self.request("POST", &format!("/chat/api/{call}"), body.to_string())).await
    }

    pub(crate) async fn state(&self) -> Value {
        self.get("/chat/api/state").await.ok()
    }

    pub(crate) async fn history(&self, conversation: &str) -> Vec<Value> {
        let answer = self.get(&format!("/chat/api/history?conversation={conversation}&limit=100")).await.ok();
        answer["messages"].as_array().expect("messages").clone()
    }

    /// What is to be read in a conversation.
    pub(crate) async fn texts(&self, conversation: &str) -> Vec<String> {
        let texts = self.history(conversation).await;
        texts.iter().map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) async fn says(&self, conversation: &str, text: &str) -> Answer {
        self.says_with(conversation, text, &nonce()).await
    }

    pub(crate) async fn says_with(&self, conversation: &str, text: &str, nonce: &str) -> Answer {
        let body = json!({ "conversation": conversation, "text": text, "quote": null, "mentions": [], "nonce": nonce });
        self.post("say", &body).await
    }

    pub(crate) async fn uploads(&self, conversation: &str, name: &str, media: &str, bytes: impl Into<Bytes>) -> Answer {
        let target = format!("/chat/api/file?conversation={conversation}&name={name}&nonce={}", nonce());
        let mut request = self.request("POST", &target, bytes);
        request.headers.push(("content-type".to_owned(), media.to_owned()));
        self.ask(request).await
    }

    pub(crate) async fn makes_room(&self, topic: &str) -> String {
        let room = self.post("rooms", &json!({ "topic": topic })).await.ok();
        room["id"].as_str().expect("an id").to_owned()
    }

    /// Opens the stream, from now on or after an event.
    pub(crate) async fn listens(&self, after: Option<u64>) -> Result<Events, Answer> {
        let target = match after {
            Some(after) => format!("/chat/api/stream?after={after}"),
            None => "/chat/api/stream".to_owned(),
        };
        let request = self.request("GET", &target, Bytes::new());
        let response = self.puppet.webhook().expect("a webhook").handle(request).await;
        match response.body {
            WebhookBody::Stream(body) => {
                assert!(response.headers.contains(&("content-type".to_owned(), "text/event-stream".to_owned())));
                Ok(Events { body, rest: Vec::new(), bytes: 0, comments: 0 })
            }
            WebhookBody::Bytes(body) => Err(Answer { status: response.status, headers: response.headers, body }),
        }
    }
}
