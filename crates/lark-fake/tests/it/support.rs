//! A fake whose time is ours, and calls to it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wechaty_lark_fake::{Fake, Person, Settings};
use wechaty_puppet::{Clock, VirtualClock};

pub(crate) struct World {
    pub(crate) fake: Fake,
    pub(crate) clock: VirtualClock,
    pub(crate) alice: Person,
    token: String,
}

impl World {
    /// Alice, and an app with a token that lives for a month.
    pub(crate) async fn new() -> Self {
        let clock = VirtualClock::new();
        let settings = Settings { token_seconds: 30 * 86_400, ..Settings::default() };
        let fake = Fake::builder().settings(settings).clock(Clock::from(clock.clone())).start().await.unwrap();
        let alice = fake.with(|state| state.add_person(Person { name: "Alice".to_owned(), ..Person::default() }));
        let token = token(&fake).await["tenant_access_token"].as_str().unwrap().to_owned();
        Self { fake, clock, alice, token }
    }

    /// A call of the app; gives the status and the body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        call(&self.fake, method, &format!("/open-apis{path}"), &self.token, body).await
    }

    /// A call that succeeds; gives its data.
    pub(crate) async fn good(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.call(method, path, body).await;
        assert_eq!((status, &body["code"]), (200, &json!(0)), "{method} {path}: {body}");
        body["data"].clone()
    }

    /// The code with which a call is refused.
    pub(crate) async fn code(&self, method: &str, path: &str, body: Value) -> i64 {
        self.call(method, path, body).await.1["code"].as_i64().unwrap()
    }

    /// The app sends to Alice; gives the message's id.
    pub(crate) async fn send(&self, msg_type: &str, content: Value, uuid: &str) -> String {
        let content = content.to_string();
        let body = json!({"receive_id": self.alice.open_id, "msg_type": msg_type, "content": content, "uuid": uuid});
        let sent = self.good("POST", "/im/v1/messages?receive_id_type=open_id", body).await;
        sent["message_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds)).await;
    }
}

/// What the token call answers.
pub(crate) async fn token(fake: &Fake) -> Value {
    let Settings { app_id, app_secret, .. } = Settings::default();
    let body = json!({"app_id": app_id, "app_secret": app_secret});
    call(fake, "POST", "/open-apis/auth/v3/tenant_access_token/internal", "", body).await.1
}

async fn call(fake: &Fake, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
    let body = body.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", fake.port())).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: fake\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}
