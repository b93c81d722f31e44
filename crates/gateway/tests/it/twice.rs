//! Files that published clients tell twice: by `MessageSendFile`, and as a stream when that has failed.

use std::{pin::pin, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{FutureExt, future::Either, stream};
use tonic::{Code, Status};
use wechaty::{
    Clock, VirtualClock,
    types::{LoginEvent, LogoutEvent},
};
use wechaty_grpc::{PuppetClient, pb};
use wechaty_puppet::PuppetError;

use crate::support::{Gateway, Heard, TYPESCRIPT, Wire, start};

const READY: i32 = 23;
const NAME: &str = "a.txt";
const BYTES: &[u8] = b"what is in it";

/// Time passes for what is done.
async fn passing<T>(clock: &VirtualClock, what: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            clock.advance(Duration::from_millis(50)).await;
            // The disk answers in its own time.
            Clock::system().sleep(Duration::from_millis(2)).await;
        }
    };
    match futures_util::future::select(pin!(what), pin!(passing)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => unreachable!("time passes for ever"),
    }
}

struct Fixture {
    clock: VirtualClock,
    gateway: Gateway,
    client: PuppetClient<Wire>,
    _events: Heard,
}

async fn fixture() -> Fixture {
    let clock = VirtualClock::new();
    let gateway = Gateway::without_keys(&clock);
    let client = gateway.client(TYPESCRIPT);
    let events = passing(&clock, async {
        let mut events = start(&client).await;
        events.until(READY).await;
        events
    });
    let events = events.await;
    Fixture { clock, gateway, client, _events: events }
}

impl Fixture {
    async fn first(&self) -> Result<String, Status> {
        let base64 = BASE64_STANDARD.encode(BYTES);
        let file_box = serde_json::json!({ "type": 1, "boxType": 1, "name": NAME, "base64": base64 }).to_string();
        let request = pb::MessageSendFileRequest { conversation_id: "c-alice".into(), file_box };
        Ok(self.client.message_send_file(request).await?.into_inner().id)
    }

    async fn again(&self, name: &str, bytes: &[u8]) -> Result<String, Status> {
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        let piece = |bytes: &[u8]| pb::FileBoxChunk::piece(bytes.to_vec().into()).expect("some bytes").into();
        let told = [
            pb::MessageSendFileStreamRequest::to("c-alice"),
            pb::FileBoxChunk::named(name).into(),
            piece(head),
            piece(tail),
        ];
        Ok(self.client.message_send_file_stream(stream::iter(told)).await?.into_inner().id)
    }

    fn sent(&self) -> u64 {
        self.gateway.puppet.sent_total().0
    }

    fn next_is_in_doubt(&self) {
        let source = std::io::Error::other("the connection broke").into();
        self.gateway.puppet.next_send_fails(PuppetError::Transport { context: "send", source }, true);
    }

    fn next_waits(&self, for_so_long: Duration) {
        self.gateway.puppet.next_send_fails(PuppetError::RateLimited { retry_after: Some(for_so_long) }, false);
    }
}

#[tokio::test]
async fn a_file_that_may_have_been_sent_is_not_sent_again_as_a_stream() {
    let all = fixture().await;
    all.next_is_in_doubt();
    let first = passing(&all.clock, all.first()).await.expect_err("nobody knows");
    let again = passing(&all.clock, all.again(NAME, BYTES)).await.expect_err("nobody knows it now either");
    assert_eq!((first.code(), again.code(), all.sent()), (tonic::Code::Unknown, tonic::Code::Unknown, 1));
    assert_eq!(first.message(), again.message());
    passing(&all.clock, all.again(NAME, BYTES)).await.expect("a file like any other");
    assert_eq!(all.sent(), 2);
    all.gateway.end().await;
}

#[tokio::test]
async fn another_file_or_one_that_was_certainly_not_sent_goes_as_a_stream() {
    let all = fixture().await;
    all.next_is_in_doubt();
    passing(&all.clock, all.first()).await.expect_err("nobody knows");
    passing(&all.clock, all.again("b.txt", BYTES)).await.expect("another name");
    passing(&all.clock, all.again(NAME, b"what is in that")).await.expect("other bytes");
    assert_eq!(all.sent(), 3);
    passing(&all.clock, all.again(NAME, BYTES)).await.expect_err("the first is still in doubt");
    let refused = PuppetError::Rejected { code: "1".into(), message: "not so".into() };
    all.gateway.puppet.next_send_fails(refused, false);
    passing(&all.clock, all.first()).await.expect_err("it is refused");
    passing(&all.clock, all.again(NAME, BYTES)).await.expect("it goes the other way");
    assert_eq!(all.sent(), 4);
    all.gateway.end().await;
}

#[tokio::test]
async fn a_file_that_still_waits_is_waited_for_again() {
    let all = fixture().await;
    // Longer than a call is waited for.
    all.next_waits(Duration::from_secs(90));
    let late = passing(&all.clock, all.first()).await.expect_err("it waits");
    assert_eq!((late.code(), all.sent()), (tonic::Code::DeadlineExceeded, 0));
    let id = passing(&all.clock, all.again(NAME, BYTES)).await.expect("it is sent by then");
    let sent = all.gateway.puppet.sent();
    assert_eq!((all.sent(), sent.last().map(|sent| sent.id.to_string())), (1, Some(id)));
    all.gateway.end().await;
}

#[tokio::test]
async fn a_file_whose_call_was_cut_off_is_the_same_when_it_comes_again() {
    let all = fixture().await;
    all.next_waits(Duration::from_secs(20));
    let cut = async {
        let mut call = pin!(all.first().fuse());
        // Time stands still: it cannot be sent before it is cut off.
        while all.gateway.tenant.bot().ledger().await.expect("the books").outbound.pending == 0 {
            assert!(futures_util::poll!(&mut call).is_pending(), "it waits");
            tokio::task::yield_now().await;
        }
    };
    cut.await;
    let id = passing(&all.clock, all.again(NAME, BYTES)).await.expect("it is sent");
    let sent = all.gateway.puppet.sent();
    assert_eq!((all.sent(), sent.last().map(|sent| sent.id.to_string())), (1, Some(id)));
    all.gateway.end().await;
}

#[tokio::test]
async fn a_file_that_nobody_could_send_is_refused_in_both_ways_and_waits_for_nobody() {
    let of = fixture().await;
    of.gateway.puppet.inject(LogoutEvent { contact_id: "bot-self".into(), data: None }).expect("logged out");
    while of.gateway.tenant.account().is_logged_in() {
        tokio::task::yield_now().await;
    }
    for told in [of.first().await, of.again(NAME, BYTES).await] {
        assert_eq!(told.expect_err("nobody is logged in").code(), Code::FailedPrecondition);
    }
    of.gateway.puppet.inject(LoginEvent { contact_id: "bot-self".into() }).expect("logged in");
    while !of.gateway.tenant.account().is_logged_in() {
        tokio::task::yield_now().await;
    }
    assert!(passing(&of.clock, of.first()).await.is_ok());
    assert_eq!(of.sent(), 1, "what was refused is not sent later");
    of.gateway.end().await;
}
