//! A gateway with one account in a simulated world, and clients that call it.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{StreamExt, future::BoxFuture};
use serde_json::Value;
use tonic::{
    body::Body,
    transport::{Channel, Endpoint},
};
use tower_layer::Layer;
use tower_service::Service;
use wechaty::{Bot, BotBuilder, Clock, VirtualClock, store::Store};
use wechaty_gateway::{
    Calls, Tenant, TenantOptions,
    auth::{Auth, Guarded},
    keys::Keyed,
    listen::{ListenSettings, serve},
};
use wechaty_grpc::{
    PuppetClient,
    pb::{EventRequest, EventResponse, StartRequest},
    rpc::Streaming,
};
use wechaty_puppet_mock::{MockPuppet, World};

pub(crate) const TOKEN: &str = "insecure_0c2e8d3a-5d3b-4a6e-9d0f-3f1c8f7b2a11";

pub(crate) const WORLD: &str = include_str!("world.json");

/// The gateway; kept, with its folder.
pub(crate) struct Gateway {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) puppet: MockPuppet,
    calls: Calls,
    _folder: tempfile::TempDir,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        Self::with(|bot| bot)
    }

    pub(crate) fn with_store(store: Arc<dyn Store>) -> Self {
        Self::with(|bot| bot.store(store))
    }

    pub(crate) fn with_clock(clock: &VirtualClock) -> Self {
        Self::with(|bot| bot.clock(clock.clone()))
    }

    /// On a platform that knows no keys: what comes twice is there twice.
    pub(crate) fn without_keys(clock: &VirtualClock) -> Self {
        let puppet = MockPuppet::builder(World::from_json(WORLD).expect("a world")).key_window(None).build();
        Self::of(puppet, |bot| bot.clock(clock.clone()))
    }

    fn with(build: impl FnOnce(BotBuilder) -> BotBuilder) -> Self {
        Self::of(MockPuppet::builder(World::from_json(WORLD).expect("a world")).ids_only(true).build(), build)
    }

    fn of(puppet: MockPuppet, build: impl FnOnce(BotBuilder) -> BotBuilder) -> Self {
        let bot = build(Bot::builder(puppet.clone())).build().expect("a bot");
        let folder = tempfile::tempdir().expect("a folder");
        let tenants = Tenant::all(&bot, &TenantOptions::new(folder.path())).expect("a tenant");
        let tenant = tenants[0].clone();
        let stop = wechaty_puppet::CancellationToken::new();
        Self { calls: Calls::new(tenants, &Clock::system(), &stop), tenant, puppet, _folder: folder }
    }

    /// A client of this user agent.
    pub(crate) fn client(&self, user_agent: &'static str) -> PuppetClient<Wire> {
        client(&self.calls, &[TOKEN], TOKEN, user_agent)
    }

    /// On a port: each of its clients has a connection of its own.
    pub(crate) async fn listening(&self) -> Listening {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let service = Auth::new([TOKEN]).expect("a door").layer(self.calls.clone());
        let stop = wechaty_puppet::CancellationToken::new();
        let serving = serve(listener, None, service, ListenSettings::default(), Clock::system(), &stop);
        Listening(serving.expect("it listens"))
    }

    /// The puppet stops as it would when its process ends.
    pub(crate) async fn end(self) {
        self.tenant.bot().stop().await.expect("it stops");
    }
}

/// A gateway on a port.
pub(crate) struct Listening(wechaty_gateway::listen::Listening);

impl Listening {
    /// A client of this user agent, by a connection of its own.
    pub(crate) async fn connect(&self, user_agent: &'static str) -> PuppetClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.0.address())).expect("an address");
        let endpoint = endpoint.user_agent(user_agent).expect("a user agent");
        let authority = format!("http://{TOKEN}").parse().expect("an authority");
        PuppetClient::new(endpoint.origin(authority).connect().await.expect("a connection"))
    }
}

/// A client with this token at a door with these.
pub(crate) fn client(
    calls: &Calls,
    tokens: &[&str],
    token: &'static str,
    user_agent: &'static str,
) -> PuppetClient<Wire> {
    let door = Auth::new(tokens).expect("a door").layer(calls.clone());
    PuppetClient::new(Wire { door, token, user_agent })
}

/// A client of ours at a service whose sends it may name.
pub(crate) fn keyed_client(calls: Keyed<Calls>) -> PuppetClient<Wire<Keyed<Calls>>> {
    let door = Auth::new([TOKEN]).expect("a door").layer(calls);
    PuppetClient::new(Wire { door, token: TOKEN, user_agent: OURS })
}

/// What a connection does: names the client, and brings its token.
#[derive(Clone)]
pub(crate) struct Wire<S = Calls> {
    door: Guarded<S>,
    token: &'static str,
    user_agent: &'static str,
}

impl<S> Service<http::Request<Body>> for Wire<S>
where
    S: Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = std::convert::Infallible,
            Future: Send + 'static,
        >,
{
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let headers = request.headers_mut();
        headers.insert("user-agent", http::HeaderValue::from_static(self.user_agent));
        headers
            .insert("authorization", http::HeaderValue::try_from(format!("Wechaty {}", self.token)).expect("a header"));
        let called = self.door.call(request);
        Box::pin(called)
    }
}

pub(crate) const TYPESCRIPT: &str = "grpc-node-js/1.9.0";
pub(crate) const OURS: &str = "wechaty-rust/0.1.0";

/// Opens the stream, then starts, as TypeScript does.
pub(crate) async fn start(client: &PuppetClient<Wire>) -> Heard {
    let events = listen(client).await;
    client.start(StartRequest {}).await.expect("it starts");
    events
}

pub(crate) async fn listen(client: &PuppetClient<Wire>) -> Heard {
    Heard(client.event(EventRequest {}).await.expect("a stream").into_inner())
}

/// Nobody listens any more.
pub(crate) async fn until_left(gateway: &Gateway) {
    while gateway.tenant.is_listened_to() {
        tokio::task::yield_now().await;
    }
}

/// What a client hears.
pub(crate) struct Heard(pub(crate) Streaming<EventResponse>);

impl Heard {
    /// The next event: its number and its payload.
    pub(crate) async fn next(&mut self) -> (i32, Value) {
        let clock = Clock::system();
        let event = clock.timeout(std::time::Duration::from_secs(60), self.0.next());
        let event = event.await.expect("an event comes").expect("the stream goes on").expect("an event");
        (event.r#type, serde_json::from_str(&event.payload).expect("JSON"))
    }

    /// The next event of this number; others before it are left out.
    pub(crate) async fn until(&mut self, number: i32) -> Value {
        loop {
            let (found, payload) = self.next().await;
            if found == number {
                return payload;
            }
        }
    }
}
