//! The events of a bot over its socket: streams that go on where they ended, sockets, polls.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wechaty::{Bot, BotBuilder, http::HttpSettings, store::Store, testing::*};
use wechaty_rest::{LogOptions, Rest, RestOptions, Scope, Scopes, StreamLimits, Token};

use crate::support::open;

const TOKEN: &str = "0123456789abcdef";
const READ: &str = "fedcba9876543210";

/// A bot that listens, and where.
struct Door {
    bot: TestBot,
    at: String,
}

impl Door {
    async fn open(platform: &FakePlatform, edit: impl FnOnce(&mut RestOptions), store: Option<Arc<dyn Store>>) -> Self {
        let token = |text, scopes| Token::new(text, scopes).expect("a token");
        let tokens = vec![token(TOKEN, Scopes::all()), token(READ, [Scope::Read].into_iter().collect())];
        let mut options = RestOptions::new(tokens, std::env::temp_dir());
        edit(&mut options);
        let http = HttpSettings { listen: "127.0.0.1:0".parse().expect("an address"), ..HttpSettings::default() };
        let at = Arc::new(Mutex::new(String::new()));
        let told = at.clone();
        let bot = Bot::builder(platform.puppet()).clock(platform.bot_clock()).http(http);
        let bot = bot.on_listen(move |listening| *told.lock() = listening.address().to_string());
        let bot = Rest::door(bot, options);
        let bot: BotBuilder = match store {
            Some(store) => bot.store(store),
            None => bot,
        };
        let bot = spawn(bot).await;
        bot.drained().await;
        let at = at.lock().clone();
        Self { bot, at }
    }

    async fn plain(platform: &FakePlatform) -> Self {
        Self::open(platform, |_| {}, None).await
    }

    async fn say(&self, head: &str) -> Peer {
        self.say_as(TOKEN, head).await
    }

    async fn say_as(&self, token: &str, head: &str) -> Peer {
        let mut stream = TcpStream::connect(&self.at).await.expect("connects");
        let host = &self.at;
        let request = format!("GET /api/v1{head}\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("writes");
        Peer { stream, read: Vec::new() }
    }

    /// A page of events.
    async fn poll(&self, query: &str) -> Value {
        let mut peer = self.say(&format!("/events/poll?wait=0&{query} HTTP/1.1\r\nconnection: close")).await;
        let answer = peer.all().await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let mut value: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        value["status"] = json!(head[9..12].parse::<u16>().expect("a status"));
        value
    }

    async fn all(&self) -> Vec<Value> {
        self.poll("after=0000000000000000&type=message").await["events"].as_array().expect("events").clone()
    }
}

fn texts(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["payload"]["text"].as_str().unwrap_or_default()).collect()
}

/// The other end of a connection.
struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Peer {
    /// Reads until this has come; gives what came up to its end.
    async fn until(&mut self, what: &str) -> String {
        loop {
            let found = self.read.windows(what.len()).position(|part| part == what.as_bytes());
            if let Some(at) = found {
                let rest = self.read.split_off(at + what.len());
                return String::from_utf8_lossy(&std::mem::replace(&mut self.read, rest)).into_owned();
            }
            let read = self.stream.read_buf(&mut self.read).await.expect("reads");
            assert!(read > 0, "it ended without {what:?}: {}", String::from_utf8_lossy(&self.read));
        }
    }

    async fn all(&mut self) -> String {
        self.stream.read_to_end(&mut self.read).await.expect("reads");
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// A frame of a client: a text, or a ping.
    async fn frame(&mut self, opcode: u8, text: &str) {
        self.frame_of(0x80 | opcode, text.as_bytes()).await;
    }

    /// One of any bytes, with its first.
    async fn frame_of(&mut self, first: u8, bytes: &[u8]) {
        let mut frame = vec![first];
        match bytes.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            middle @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(bytes.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame).await.expect("writes");
    }

    /// The next frame of the server: what it is, and what is in it.
    async fn hears(&mut self) -> (u8, String) {
        loop {
            let length = match self.read.get(1).map(|byte| byte & 0x7f) {
                Some(126) => self.read.get(2..4).map(|two| (4, usize::from(u16::from_be_bytes([two[0], two[1]])))),
                Some(short) => Some((2, usize::from(short))),
                None => None,
            };
            if let Some((head, length)) = length
                && self.read.len() >= head + length
            {
                let opcode = self.read[0] & 0x0f;
                let rest = self.read.split_off(head + length);
                let frame = std::mem::replace(&mut self.read, rest);
                return (opcode, String::from_utf8_lossy(&frame[head..]).into_owned());
            }
            assert!(self.stream.read_buf(&mut self.read).await.expect("reads") > 0, "the socket ended");
        }
    }
}

const SOCKET: &str = " HTTP/1.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";

#[tokio::test]
async fn a_stream_tells_what_happens_and_goes_on_where_it_ended() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let door = Door::plain(&platform).await;
    let mut stream = door.say("/events?type=message HTTP/1.1").await;
    let head = stream.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-type: text/event-stream"), "{head}");
    stream.until("retry:").await;
    alice.says("one").await;
    stream.until("id: ").await;
    let id = stream.until("\n").await.trim().to_owned();
    assert_eq!(stream.until("\n").await, "event: message\n");
    let data: Value = serde_json::from_str(stream.until("\n").await.trim_start_matches("data: ")).expect("JSON");
    assert_eq!((&data["id"], &data["payload"]["text"]), (&json!(id), &json!("one")));
    assert_eq!((&data["account"], &data["type"]), (&json!(door.bot.main_account().id().as_str()), &json!("message")));
    drop(stream);
    alice.says("two").await;
    let mut stream = door.say(&format!("/events?type=message HTTP/1.1\r\nlast-event-id: {id}")).await;
    let told = stream.until("\"two\"").await;
    assert!(!told.contains("\"one\""), "{told}");
    platform.clock().advance(Duration::from_secs(15)).await;
    stream.until("\n: \n\n").await;
    door.bot.stop().await.expect("stops");
    stream.all().await;
}

#[tokio::test]
async fn what_is_no_place_of_the_log_is_refused_and_what_is_gone_is_told() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let small = |options: &mut RestOptions| options.log = LogOptions { events: 3, ..LogOptions::default() };
    let door = Door::open(&platform, small, None).await;
    alice.says("0").await;
    door.bot.drained().await;
    let first = door.all().await[0]["id"].as_str().expect("an id").to_owned();
    for text in ["1", "2", "3", "4"] {
        alice.says(text).await;
    }
    door.bot.drained().await;
    let page = door.poll(&format!("after={first}")).await;
    assert_eq!(page["events"], json!([]));
    let events = door.all().await;
    assert_eq!(texts(&events), ["2", "3", "4"]);
    assert_eq!(page["gap"]["oldest"], events[0]["id"]);
    let next = door.poll(&format!("after={}", page["next"].as_str().expect("a place"))).await;
    assert_eq!(texts(next["events"].as_array().expect("events")), ["2", "3", "4"]);
    for (query, code) in [
        ("after=1", "W540"),
        ("after=zzzzzzzzzzzzzzzz", "W540"),
        ("after=ffffffffffffffff", "W540"),
        ("type=mesage", "W542"),
    ] {
        let refused = door.poll(query).await;
        assert_eq!((&refused["status"], &refused["code"]), (&json!(400), &json!(code)), "{query}: {refused}");
    }
    assert_eq!(door.poll("account=other&after=0000000000000000").await["code"], json!("W510"), "it is not waited for");
    let mut stream = door.say(&format!("/events?after={first} HTTP/1.1")).await;
    stream.until("event: gap\n").await;
    stream.until("\"4\"").await;
    door.bot.stop().await.expect("stops");
}

#[tokio::test]
async fn the_log_of_a_named_bot_outlives_it_and_has_nothing_twice() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let folder = tempfile::tempdir().expect("a folder");
    let path = || folder.path().join("bot.wechaty.db");
    let door = Door::open(&platform, |_| {}, Some(open(path()).await)).await;
    for number in 0..150 {
        alice.says(number.to_string()).await;
    }
    door.bot.drained().await;
    let before = loop {
        let all = door.all().await;
        if all.len() == 150 {
            break all;
        }
    };
    door.bot.crash().await;
    let door = Door::open(&platform, |_| {}, Some(open(path()).await)).await;
    alice.says("after").await;
    door.bot.drained().await;
    let after = loop {
        let all = door.all().await;
        if all.last().is_some_and(|event| event["payload"]["text"] == "after") {
            break all;
        }
    };
    assert_eq!(after[..150], before[..], "the same events under the same ids");
    assert_eq!(after.len(), 151);
    assert!(after.is_sorted_by_key(|event| event["id"].as_str().unwrap_or_default().to_owned()));
    door.bot.stop().await.expect("stops");
}

#[tokio::test]
async fn a_socket_tells_what_happens_and_says_what_it_is_told() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let door = Door::plain(&platform).await;
    alice.says("one").await;
    door.bot.drained().await;
    let mut socket = door.say(&format!("/events/socket?type=message&after=0000000000000000{SOCKET}")).await;
    assert!(socket.until("\r\n\r\n").await.starts_with("HTTP/1.1 101"));
    let (opcode, event) = socket.hears().await;
    let event: Value = serde_json::from_str(&event).expect("JSON");
    assert_eq!((opcode, &event["payload"]["text"]), (1, &json!("one")));
    let say = json!({ "say": { "to": { "contact": alice.id().as_str() }, "text": "two" }, "ref": "x" });
    socket.frame(1, &say.to_string()).await;
    assert_eq!(alice.hears().await, "two");
    let answer = loop {
        let (_, text) = socket.hears().await;
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        if answer.get("ref").is_some() {
            break answer;
        }
    };
    assert!(answer["ref"] == "x" && answer["receipt"]["id"].is_string(), "{answer}");
    socket.frame(9, "hi").await;
    for (said, code) in [
        ("{", "W500"),
        ("{}", "W514"),
        (r#"{"say": {"text": "x"}}"#, "W514"),
        (r#"{"after": "1"}"#, "W540"),
        (r#"{"after": "0000000000000000", "say": {"text": "x"}}"#, "W514"),
    ] {
        socket.frame(1, said).await;
        let error = loop {
            let (_, text) = socket.hears().await;
            match serde_json::from_str::<Value>(&text) {
                Ok(value) if value.get("error").is_some() => break value,
                _ => {}
            }
        };
        assert_eq!(error["error"]["code"], code, "{said}: {error}");
    }
    let mut reads = door.say_as(READ, &format!("/events/socket{SOCKET}")).await;
    reads.until("\r\n\r\n").await;
    reads.frame(1, &say.to_string()).await;
    let (_, refused) = reads.hears().await;
    assert!(refused.contains("W502"), "{refused}");
    // Who does not answer a ping is let go.
    for _ in 0..3 {
        platform.clock().advance(Duration::from_secs(31)).await;
    }
    while reads.hears().await.0 != 8 {}
    door.bot.stop().await.expect("stops");
}

#[tokio::test]
async fn what_a_socket_cannot_read_ends_it_with_a_code_and_no_reset() {
    let platform = FakePlatform::new();
    let door = Door::plain(&platform).await;
    let large = vec![b'x'; 3 << 20];
    for (first, bytes, code) in
        [(0x81, &large[..], 1009), (0x81, &b"\xff\xfe"[..], 1007), (0x82, &b"bytes"[..], 1003), (0x83, &b""[..], 1002)]
    {
        let mut socket = door.say(&format!("/events/socket{SOCKET}")).await;
        assert!(socket.until("\r\n\r\n").await.starts_with("HTTP/1.1 101"));
        socket.frame_of(first, bytes).await;
        socket.stream.read_to_end(&mut socket.read).await.expect("no reset");
        let end = &socket.read;
        assert!(end.len() > 4 && end[0] == 0x88, "{code}: a close: {end:?}");
        assert_eq!(u16::from_be_bytes([end[2], end[3]]), code, "{end:?}");
    }
    door.bot.stop().await.expect("stops");
}

#[tokio::test]
async fn streams_are_bounded_and_a_plain_request_is_no_socket() {
    let platform = FakePlatform::new();
    let one = |options: &mut RestOptions| options.streams = StreamLimits { all: 9, token: 1 };
    let door = Door::open(&platform, one, None).await;
    let mut first = door.say("/events HTTP/1.1").await;
    first.until("retry:").await;
    let mut second = door.say("/events HTTP/1.1\r\nconnection: close").await;
    let refused = second.all().await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("W541"), "{refused}");
    let mut other = door.say_as(READ, "/events HTTP/1.1").await;
    other.until("retry:").await;
    let mut plain = door.say("/events/socket HTTP/1.1\r\nconnection: close").await;
    let refused = plain.all().await;
    assert!(refused.starts_with("HTTP/1.1 426") && refused.contains("W547"), "{refused}");
    door.bot.stop().await.expect("stops");
}
