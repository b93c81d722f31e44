//! A bot in a simulated world behind its door, and callers.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;
use tower_service::Service;
use wechaty::{
    Bot,
    store::{OpenError, SqliteStore, Store},
};
use wechaty_puppet_mock::{MockPuppet, World};
use wechaty_rest::{Rate, Rest, RestOptions, Scope, Scopes, Token};

pub(crate) const ALL: &str = "a-token-for-everything";
pub(crate) const READ: &str = "a-token-to-read-only";
pub(crate) const SLOW: &str = "a-token-of-one-account";

const WORLD: &str = include_str!("world.json");

/// A bot and its door.
pub(crate) struct Door {
    pub(crate) bot: Bot,
    pub(crate) puppet: MockPuppet,
    routes: Router,
    folder: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
    /// The code of a problem, which it must be.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::with(None, Rate::default(), 2 << 30).await
    }

    pub(crate) async fn with(store: Option<Arc<dyn Store>>, rate: Rate, largest_file: u64) -> Self {
        let mut options = RestOptions::new(Vec::new(), "");
        (options.rate, options.largest_file) = (rate, largest_file);
        Self::made(store, &options).await
    }

    /// With these bounds, the usual tokens and a folder of its own.
    pub(crate) async fn made(store: Option<Arc<dyn Store>>, options: &RestOptions) -> Self {
        Self::in_world(WORLD, store, options).await
    }

    pub(crate) async fn in_world(world: &str, store: Option<Arc<dyn Store>>, options: &RestOptions) -> Self {
        let puppet = MockPuppet::builder(World::from_json(world).expect("a world")).build();
        let mut bot = Bot::builder(puppet.clone()).remember(10_000);
        if let Some(store) = store {
            bot = bot.store(store);
        }
        let bot = bot.start().await.expect("a bot");
        bot.ready().await;
        let folder = tempfile::tempdir().expect("a folder");
        let token = |token, scopes| Token::new(token, scopes).expect("a token");
        let mut options = options.clone();
        options.files = PathBuf::from(folder.path());
        options.tokens = vec![
            token(ALL, Scopes::all()),
            token(READ, [Scope::Read].into_iter().collect()),
            token(SLOW, Scopes::all()).accounts(["elsewhere".into()]),
        ];
        let routes = Router::new().nest("/api", Rest::new(&bot, options).routes());
        Self { bot, puppet, routes, folder }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.routes.clone().call(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send(request(ALL, method, path, &[], body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    /// With a body, and a key.
    pub(crate) async fn keyed(&self, method: &str, path: &str, key: &str, body: Value) -> Answer {
        self.send(request(ALL, method, path, &[("idempotency-key", key)], Some(body))).await
    }

    /// How many files are in the folder for uploads, whole or not.
    pub(crate) fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path()).expect("a folder").count()
    }

    pub(crate) async fn end(self) {
        self.bot.stop().await.expect("it stops");
    }
}

/// A request below `/api/v1`.
pub(crate) fn request(
    token: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .expect("a request")
}

/// Opens a file, as soon as the bot before has let go of it.
pub(crate) async fn open(path: PathBuf) -> Arc<dyn Store> {
    for _ in 0..1_000_000 {
        match SqliteStore::open(&path) {
            Ok(store) => return Arc::new(store),
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("the store does not open: {error}"),
        }
    }
    panic!("the bot before does not let go of its store");
}
