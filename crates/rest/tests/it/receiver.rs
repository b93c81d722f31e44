//! A webhook of somebody else: it answers by a script, and keeps what it was sent.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use ring::hmac;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// Status, headers, body.
    Say(u16, &'static str, String),
    /// The connection is closed without a word.
    Reset,
    /// Never.
    Silence,
}

impl Script {
    pub(crate) fn ok() -> Self {
        Self::Say(200, "", String::new())
    }
    pub(crate) fn json(body: &str) -> Self {
        Self::Say(200, "content-type: application/json\r\n", body.to_owned())
    }
    pub(crate) fn status(status: u16, headers: &'static str) -> Self {
        Self::Say(status, headers, String::new())
    }
}

/// One that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) body: Value,
}

#[derive(Debug, Default)]
struct Inner {
    script: Mutex<VecDeque<Script>>,
    always: Mutex<Option<Script>>,
    received: Mutex<Vec<Received>>,
    came: Notify,
}

/// It listens as long as the runtime lives.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    inner: Arc<Inner>,
    at: SocketAddr,
}

impl Receiver {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (inner, at) = (Arc::new(Inner::default()), listener.local_addr().expect("bound"));
        let served = inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, served.clone()));
            }
        });
        Self { inner, at }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.at)
    }

    /// Answers the next ones like this, and those behind with 200.
    pub(crate) fn script(&self, script: impl IntoIterator<Item = Script>) -> &Self {
        self.inner.script.lock().extend(script);
        self
    }

    /// Answers all that no script is left for.
    pub(crate) fn always(&self, script: Script) -> &Self {
        *self.inner.always.lock() = Some(script);
        self
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inner.received.lock().clone()
    }

    /// Waits until so many have come.
    pub(crate) async fn until(&self, count: usize) -> Vec<Received> {
        loop {
            let came = self.inner.came.notified();
            let all = self.received();
            if all.len() >= count {
                return all;
            }
            came.await;
        }
    }
}

async fn serve(mut stream: TcpStream, inner: Arc<Inner>) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let (head, length) = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
                let length: usize = header(&head, "content-length")?.parse().ok()?;
                if bytes.len() >= end + 4 + length {
                    break (head, end + 4 + length);
                }
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let body = String::from_utf8(bytes[head.len() + 4..length].to_vec()).ok()?;
        bytes.drain(..length);
        let (id, timestamp) = (header(&head, "webhook-id")?, header(&head, "webhook-timestamp")?);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(&SECRET[6..]).ok()?);
        let signed = STANDARD.encode(hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes()));
        assert_eq!(header(&head, "webhook-signature"), Some(format!("v1,{signed}")), "signed by us");
        assert!(header(&head, "content-type").is_some_and(|media| media == "application/json"));
        let body = serde_json::from_str(&body).expect("JSON");
        inner.received.lock().push(Received { id, timestamp, body });
        inner.came.notify_waiters();
        let script = inner.script.lock().pop_front().or_else(|| inner.always.lock().clone());
        match script.unwrap_or_else(Script::ok) {
            Script::Say(status, headers, body) => {
                let answer = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.ok()?;
            }
            Script::Reset => return None,
            Script::Silence => std::future::pending().await,
        }
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
}
