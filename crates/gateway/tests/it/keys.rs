//! Sends that our client names: told twice, done once, whatever ends in between.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use tokio::sync::Notify;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;
use wechaty::{Bot, Clock};
use wechaty_gateway::{
    Calls, Tenant, TenantOptions,
    auth::Auth,
    keys::Keys,
    listen::{ListenSettings, Listening, serve},
};
use wechaty_grpc::pb;
use wechaty_puppet::{CancellationToken, Puppet as _, Settings};
use wechaty_puppet_mock::{MockPuppet, World};
use wechaty_puppet_service::{Options, ServicePuppet};

use crate::support::{TOKEN, WORLD};

const KNOWN: Duration = Duration::from_secs(3_600);

/// A life of a gateway whose puppet and store outlive it.
struct Life {
    bot: Bot,
    listening: Listening,
    /// Told when a send was answered, and its answer is kept back.
    answered: Arc<Notify>,
}

/// `keeps`: whether it keeps the answer to each text to itself.
async fn life(puppet: &MockPuppet, folder: &Path, at: SocketAddr, keys: Keys, keeps: bool) -> Life {
    let clock = Clock::system();
    let end = clock.now() + Duration::from_secs(120);
    let bot = loop {
        assert!(clock.now() < end, "the life before does not let go of its file");
        // It does when the last of its connections has ended.
        match Bot::builder(puppet.clone()).name("keys").folder(folder).build() {
            Ok(bot) => break bot,
            Err(error) if format!("{error:?}").contains("InUse") => tokio::task::yield_now().await,
            Err(error) => panic!("no bot: {error}"),
        }
    };
    let tenants = Tenant::all(&bot, &TenantOptions::new(folder.join("files"))).expect("a tenant");
    let (stop, answered) = (CancellationToken::new(), Arc::new(Notify::new()));
    let calls = Calls::new(tenants, &clock, &stop);
    let kept = Kept { inner: calls, keeps, answered: answered.clone() };
    let service = Auth::new([TOKEN]).expect("a door").layer(keys.layer(kept));
    // A short farewell, as of a process that is killed.
    let mut settings = ListenSettings::default();
    settings.drain = Duration::from_millis(10);
    let listener = tokio::net::TcpListener::bind(at).await.expect("a port");
    let listening = serve(listener, None, service, settings, clock, &stop).expect("it listens");
    Life { bot, listening, answered }
}

/// Does what it is told, and keeps answers to itself.
#[derive(Clone)]
struct Kept {
    inner: Calls,
    keeps: bool,
    answered: Arc<Notify>,
}

impl Service<http::Request<Incoming>> for Kept {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Incoming>) -> Self::Future {
        let keeps = self.keeps && request.uri().path() == "/wechaty.Puppet/MessageSendText";
        let (answer, answered) = (self.inner.call(request), self.answered.clone());
        Box::pin(async move {
            let answer = answer.await;
            if keeps {
                answered.notify_one();
                std::future::pending::<()>().await;
            }
            answer
        })
    }
}

fn client(at: SocketAddr) -> Arc<ServicePuppet> {
    let settings =
        Settings::new().set("token", TOKEN).set("endpoint", at.to_string()).set("no_tls_insecure_client", "true");
    Arc::new(ServicePuppet::new(Options::read(&settings).expect("settings")))
}

fn mock() -> MockPuppet {
    // A platform that knows no keys: what comes twice is there twice.
    MockPuppet::builder(World::from_json(WORLD).expect("a world")).key_window(None).build()
}

/// Says something through a gateway that ends between send and answer and comes back: what the client's ledger says, and
/// how many messages there are.
async fn said_across_an_end(keys: Keys) -> (wechaty::store::Ledger, u64) {
    let (puppet, folder) = (mock(), tempfile::tempdir().expect("a folder"));
    let first = life(&puppet, folder.path(), "127.0.0.1:0".parse().expect("an address"), keys, true).await;
    let at = first.listening.address();
    let service = client(at);
    let bot = wechaty::BotBuilder::new().account_arc("default", service.clone()).build().expect("a client");
    bot.start().await.expect("it starts");
    let clock = Clock::system();
    clock.timeout(Duration::from_secs(90), bot.ready()).await.expect("it gets ready");
    assert_eq!(service.capabilities().key_window.is_some(), !matches!(format!("{keys:?}").as_str(), "Keys(None)"));
    let receipt = bot.main_account().contact_handle(&"c-alice".into()).say("once").await.expect("it is said");
    first.answered.notified().await;
    first.listening.stop().await;
    first.bot.stop().await.expect("it stops");
    drop(first.bot);

    let second = life(&puppet, folder.path(), at, keys, false).await;
    let sent = clock.timeout(Duration::from_secs(90), receipt.sent()).await.expect("it comes to an end");
    if let Ok(sent) = &sent {
        assert_eq!(sent.id, puppet.sent().last().map(|sent| sent.id.clone()), "the id of the first");
    }
    let ledger = bot.ledger().await.expect("the books");
    bot.stop().await.expect("it stops");
    second.listening.stop().await;
    second.bot.stop().await.expect("it stops");
    (ledger, puppet.sent_total().0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_whose_answer_is_lost_with_the_gateway_is_told_again_and_done_once() {
    let (ledger, sent) = said_across_an_end(Keys::known_for(KNOWN)).await;
    assert_eq!((ledger.outbound.sent, ledger.outbound.maybe_sent, sent), (1, 0, 1), "{ledger}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_gateway_takes_no_keys_it_stays_in_doubt() {
    let (ledger, sent) = said_across_an_end(Keys::NONE).await;
    assert_eq!((ledger.outbound.sent, ledger.outbound.maybe_sent, sent), (0, 1, 1), "{ledger}");
}

#[tokio::test]
async fn what_is_told_twice_at_once_is_done_once_and_a_key_of_another_send_is_its_own() {
    let (puppet, folder) = (mock(), tempfile::tempdir().expect("a folder"));
    let bot = Bot::builder(puppet.clone()).build().expect("a bot");
    let tenants = Tenant::all(&bot, &TenantOptions::new(folder.path())).expect("a tenant");
    let calls = Calls::new(tenants, &Clock::system(), &CancellationToken::new());
    let client = crate::support::keyed_client(Keys::known_for(KNOWN).layer(calls));
    let mut events = crate::support::Heard(client.event(pb::EventRequest {}).await.expect("a stream").into_inner());
    client.start(pb::StartRequest {}).await.expect("it starts");
    events.until(23).await;
    let send = |key: u128, attempt: &str| {
        let text = pb::MessageSendTextRequest {
            conversation_id: "c-alice".into(),
            text: "hello".into(),
            mentional_ids: vec![],
        };
        let mut request = tonic::Request::new(text);
        request.metadata_mut().insert("wechaty-key", format!("{key:032x}").parse().expect("digits"));
        request.metadata_mut().insert("wechaty-attempt", attempt.parse().expect("a number"));
        let client = client.clone();
        async move { client.message_send_text(request).await.expect("sent").into_inner().id }
    };
    let (first, second, third) = tokio::join!(send(7, "1"), send(7, "2"), send(7, "1"));
    assert_eq!((&first, &first), (&second, &third));
    assert_eq!(send(7, "3").await, first);
    assert_ne!(send(8, "2").await, first);
    assert_eq!(puppet.sent_total().0, 2);
    bot.stop().await.expect("it stops");
}
