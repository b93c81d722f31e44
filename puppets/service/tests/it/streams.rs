//! The event stream: resumed by number, watched in silence, and deaf to nonsense.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::json;
use tonic::Status;
use wechaty_puppet::{
    Capability, Clock, ContactId, ConversationId, Event, EventPayload, IdempotencyKey, Outgoing, Puppet, PuppetError,
    Retry, SayablePayload, VirtualClock,
};
use wechaty_puppet_service::{Options, ServicePuppet};
use wechaty_puppet_testkit::{FakePlatform, Person};

use crate::{
    gate::{Gate, TOKEN},
    stage::{Stage, eventually, told},
};

const MESSAGE: i32 = 2;
const ERROR: i32 = 16;
const ROOM_LEAVE: i32 = 20;
const LOGOUT: i32 = 26;

/// A gateway of ours with a friend behind it.
async fn gate() -> (Gate, Person) {
    let platform = FakePlatform::builder().clock(Clock::system()).build();
    let alice = platform.user("alice");
    (Gate::open(Arc::new(platform.puppet()), true, None).await, alice)
}

fn message(event: &Event, id: &str) -> bool {
    matches!(&event.what, EventPayload::Message(message) if message.message_id.as_str() == id)
}

fn out(to: &ContactId) -> Outgoing {
    let what = Arc::new(SayablePayload::text("hello"));
    Outgoing::new(IdempotencyKey::from_bytes([7; 16]), ConversationId::Contact(to.clone()), what)
}

/// Lets virtual time pass, a second at a time, until this holds; how many that were.
async fn seconds_until(clock: &VirtualClock, what: &str, mut holds: impl FnMut() -> bool) -> u32 {
    let real = Clock::system();
    for second in 0..1000 {
        if holds() {
            return second;
        }
        clock.advance(Duration::from_secs(1)).await;
        // What goes over the network takes real time.
        real.sleep(Duration::from_millis(5)).await;
    }
    panic!("{what} did not come in a thousand seconds");
}

#[tokio::test]
async fn an_event_is_acknowledged_after_it_was_accepted_and_not_before() {
    let (gate, _) = gate().await;
    let puppet = Arc::new(gate.client());
    let first = Stage::run(puppet.clone());
    first.logged_in().await;
    first.fill();
    gate.emit(MESSAGE, json!({ "messageId": "m-1" }));
    eventually("the event on its way", || gate.0.kept.lock().values().any(|kept| kept.sent)).await;
    gate.cut();
    let error = first.ended().await;
    assert!(gate.0.acked.lock().is_empty(), "it was never accepted");
    // While nobody is there.
    gate.emit(MESSAGE, json!({ "messageId": "m-2" }));
    assert!(error.is_err_and(|error| error.retry() == Retry::Backoff));
    let second = Stage::run(puppet);
    second
        .until("both", |events| events.iter().any(|e| message(e, "m-1")) && events.iter().any(|e| message(e, "m-2")))
        .await;
    eventually("their acknowledgement", || gate.0.kept.lock().is_empty()).await;
    // No other call is made any more, so the next number has one of its own.
    gate.emit(MESSAGE, json!({ "messageId": "m-3" }));
    eventually("its acknowledgement", || gate.0.kept.lock().is_empty()).await;
    assert!(gate.seen("Version").iter().any(|seen| !seen.acks.is_empty()));
}

#[tokio::test]
async fn numbers_go_with_the_next_call_whichever_it_is() {
    let (gate, _) = gate().await;
    let puppet = Arc::new(gate.client());
    // Time stands still, so no number has a call of its own.
    let stage = Stage::run_on(puppet.clone(), VirtualClock::new().into());
    stage.logged_in().await;
    for n in 0..600 {
        gate.emit(MESSAGE, json!({ "messageId": format!("m-{n}") }));
    }
    stage.until("the last", |events| events.iter().any(|event| message(event, "m-599"))).await;
    puppet.directory().unwrap().contacts().await.unwrap();
    let first = gate.seen("ContactList").remove(0).acks;
    assert!(first.len() <= 512 && !first.is_empty(), "{} in one header", first.len());
    puppet.directory().unwrap().contacts().await.unwrap();
    eventually("all numbers", || gate.0.kept.lock().is_empty()).await;
}

#[tokio::test]
async fn what_has_no_id_is_known_again_by_its_number() {
    let (gate, _) = gate().await;
    let puppet = Arc::new(gate.client());
    let first = Stage::run_on(puppet.clone(), VirtualClock::new().into());
    first.logged_in().await;
    let left = json!({ "removeeIdList": ["a"], "removerId": "", "roomId": "r" });
    gate.emit(ERROR, json!({ "data": "it hiccuped" }));
    gate.emit(ROOM_LEAVE, left.clone());
    gate.emit(ROOM_LEAVE, left);
    let leaves = |events: &[Event]| {
        let leaves = events.iter().filter(|event| matches!(event.what, EventPayload::RoomLeave(_)));
        leaves.map(|event| (event.revision, event.dedupe_id())).collect::<Vec<_>>()
    };
    first.until("all three", |events| leaves(events).len() == 2).await;
    let before = leaves(&first.events());
    assert!(before[0] != before[1] && before.iter().all(|(_, id)| id.is_some()), "two leaves are two: {before:?}");
    gate.cut();
    let _ = first.ended().await;
    let second = Stage::run(puppet);
    gate.emit(MESSAGE, json!({ "messageId": "after" }));
    second.until("what came after", |events| events.iter().any(|event| message(event, "after"))).await;
    let events = second.events();
    assert!(!events.iter().any(|event| matches!(event.what, EventPayload::Error(_))), "the hiccup came twice");
    assert!(leaves(&events).iter().all(|leave| before.contains(leave)), "the bot could not know them again");
    eventually("all numbers", || gate.0.kept.lock().is_empty()).await;
}

#[tokio::test]
async fn what_has_no_id_is_known_again_by_that_of_a_gateway_that_has_come_back() {
    let (gate, _) = gate().await;
    let puppet = Arc::new(gate.client());
    let first = Stage::run_on(puppet.clone(), VirtualClock::new().into());
    first.logged_in().await;
    let (one, other) = (format!("{:032x}", 7_u128 << 64), format!("{:032x}", 8_u128 << 64));
    let left = |seq: u64, id: &str, again: bool| {
        let left = json!({ "removeeIdList": ["a"], "removerId": "", "roomId": "r", "wechatySeq": seq, "wechatyId": id,
            "redelivered": again });
        gate.tell(ROOM_LEAVE, left.to_string());
    };
    let hiccup = |seq: u64, again: bool| {
        let hiccup =
            json!({ "data": "it hiccuped", "wechatySeq": seq, "wechatyId": "f".repeat(32), "redelivered": again });
        gate.tell(ERROR, hiccup.to_string());
    };
    let leaves = |events: &[Event]| {
        let leaves = events.iter().filter(|event| matches!(event.what, EventPayload::RoomLeave(_)));
        leaves
            .map(|event| event.dedupe_id().map(|id| (id, event.revision)))
            .collect::<Option<Vec<_>>>()
            .expect("an id each")
    };
    hiccup(1, false);
    left(2, &one, false);
    left(3, &other, false);
    first.until("both", |events| leaves(events).len() == 2).await;
    let before = leaves(&first.events());
    assert_ne!(before[0], before[1], "two leaves are two");
    gate.cut();
    let _ = first.ended().await;
    let again = || {
        hiccup(100, true);
        left(101, &one, true);
        left(102, &other, true);
        gate.tell(MESSAGE, json!({ "messageId": "after" }).to_string());
    };
    let second = Stage::run(puppet);
    second.logged_in().await;
    again();
    second.until("what came after", |events| events.iter().any(|event| message(event, "after"))).await;
    let events = second.events();
    assert!(leaves(&events).is_empty(), "they came twice");
    assert!(!events.iter().any(|event| matches!(event.what, EventPayload::Error(_))), "the hiccup came twice");
    gate.cut();
    let _ = second.ended().await;
    // A client that has died, too, tells the bot what its store knows.
    let third = Stage::run(Arc::new(gate.client()));
    third.logged_in().await;
    again();
    third.until("both", |events| leaves(events).len() == 2).await;
    assert_eq!(leaves(&third.events()), before);
}

#[tokio::test]
async fn silence_is_asked_and_given_up_in_the_end() {
    let (gate, _) = gate().await;
    let clock = VirtualClock::new();
    let stage = Stage::run_on(Arc::new(gate.client()), clock.clone().into());
    stage.logged_in().await;
    // Answered dings keep it, and are nobody's business.
    seconds_until(&clock, "a hundred dings", || gate.seen("Ding").len() >= 10).await;
    assert!(!stage.events().iter().any(|event| matches!(event.what, EventPayload::Dong(_))));
    gate.0.no_dongs.store(true, Ordering::Relaxed);
    let over = stage.is_over();
    let seconds = seconds_until(&clock, "the end", || over.load(Ordering::Relaxed)).await;
    assert!((40..=80).contains(&seconds), "given up after {seconds} s");
    let error = stage.ended().await.unwrap_err();
    assert!(matches!(error, PuppetError::Transport { .. }) && error.retry() == Retry::Backoff, "{}", told(&error));
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_given_up() {
    let (gate, _) = gate().await;
    gate.0.mute.store(true, Ordering::Relaxed);
    let clock = VirtualClock::new();
    let stage = Stage::run_on(Arc::new(gate.client()), clock.clone().into());
    let over = stage.is_over();
    seconds_until(&clock, "the end", || over.load(Ordering::Relaxed)).await;
    let error = stage.ended().await.unwrap_err();
    assert_eq!(error.retry(), Retry::Backoff, "{}", told(&error));
}

#[tokio::test]
async fn a_send_without_an_answer_is_in_doubt_and_one_without_a_connection_is_not() {
    let (gate, alice) = gate().await;
    let clock = VirtualClock::new();
    let puppet = Arc::new(gate.client());
    let stage = Stage::run_on(puppet.clone(), clock.clone().into());
    stage.logged_in().await;
    gate.0.mute.store(true, Ordering::Relaxed);
    let sending = tokio::spawn({
        let (puppet, id) = (puppet.clone(), alice.id());
        async move { puppet.send(out(&id)).await }
    });
    seconds_until(&clock, "the end of the send", || sending.is_finished()).await;
    let error = sending.await.unwrap().unwrap_err();
    assert!(!error.is_certain() && error.retry() == Retry::Backoff, "{}", told(&error));
    stage.cancel.cancel();
    // So long a silence ends it by itself, too.
    let _ = stage.ended().await;
    let error = puppet.send(out(&alice.id())).await.unwrap_err();
    assert!(error.is_certain() && error.retry() == Retry::Backoff, "{}", told(&error));
}

#[tokio::test]
async fn nobody_listens_is_told_with_what_to_do() {
    let settings = wechaty_puppet::Settings::new()
        .set("token", TOKEN)
        .set("endpoint", "127.0.0.1:9")
        .set("no_tls_insecure_client", "true");
    let puppet = Arc::new(ServicePuppet::new(Options::read(&settings).unwrap()));
    let error = Stage::run(puppet).ended().await.unwrap_err();
    assert!(error.is_certain() && error.retry() == Retry::Backoff);
    assert!(told(&error).contains("127.0.0.1:9") && told(&error).contains("check the address"), "{}", told(&error));
}

#[tokio::test]
async fn there_is_one_stream_and_the_second_client_is_told() {
    let (gate, _) = gate().await;
    let first = Stage::run(Arc::new(gate.client()));
    first.logged_in().await;
    let error = Stage::run(Arc::new(gate.client())).ended().await.unwrap_err();
    assert!(told(&error).contains("another client"), "{}", told(&error));
    assert_eq!(error.retry(), Retry::Backoff);
    gate.emit(MESSAGE, json!({ "messageId": "m" }));
    first.until("what comes to the first", |events| events.iter().any(|event| message(event, "m"))).await;
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_never_told() {
    let (gate, _) = gate().await;
    let wrong = "insecure_wr0ng-s3cret";
    let settings = gate.settings().set("token", wrong);
    let error = Stage::run(Arc::new(ServicePuppet::new(Options::read(&settings).unwrap()))).ended().await.unwrap_err();
    assert!(matches!(error, PuppetError::LoginRefused { .. }), "{error:?}");
    assert!(!format!("{error:?} {}", told(&error)).contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn the_end_of_the_stream_is_no_end_of_the_account() {
    for status in [None, Some(Status::unknown("Error: boom\n   at x")), Some(Status::unavailable("later"))] {
        let (gate, _) = gate().await;
        let stage = Stage::run(Arc::new(gate.client()));
        stage.logged_in().await;
        match status {
            Some(status) => gate.fail_stream(status),
            None => drop(gate.0.stream.lock().take()),
        }
        assert_eq!(stage.ended().await.unwrap_err().retry(), Retry::Backoff);
    }
}

#[tokio::test]
async fn nonsense_is_left_out_and_what_follows_arrives() {
    let (gate, _) = gate().await;
    let stage = Stage::run(Arc::new(gate.client()));
    stage.logged_in().await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (kind, payload) in [
        (MESSAGE, ""),
        (MESSAGE, "{}"),
        (MESSAGE, "null"),
        (MESSAGE, "\u{0}{"),
        (MESSAGE, r#"{"messageId":7}"#),
        (MESSAGE, r#"{"messageId":""}"#),
        (MESSAGE, deep.as_str()),
        (0, "{}"),
        (99, "{}"),
        (-1, "{}"),
        (i32::MAX, "{}"),
        (ROOM_LEAVE, r#"{"roomId":"r","removeeIdList":"none","timestamp":"soon"}"#),
    ] {
        gate.tell(kind, payload.to_owned());
    }
    for seq in [json!("17"), json!(-1), json!(1.5), json!(null), json!({})] {
        gate.tell(MESSAGE, json!({ "messageId": format!("odd-{seq}"), "wechatySeq": seq }).to_string());
    }
    // A number without an event, which must not come for ever.
    gate.emit(MESSAGE, json!({ "odd": true }));
    let huge = "h".repeat(1 << 20);
    gate.emit(MESSAGE, json!({ "messageId": huge }));
    stage.until("what makes sense", |events| events.iter().any(|event| message(event, &huge))).await;
    let events = stage.events();
    let ids = events.iter().filter(|event| matches!(event.what, EventPayload::Message(_))).count();
    assert_eq!(ids, 6, "five with odd numbers, and the huge one");
    eventually("all numbers", || gate.0.kept.lock().is_empty()).await;
}

#[tokio::test]
async fn after_a_logout_nothing_is_sent_and_a_login_opens_it_again() {
    let (gate, alice) = gate().await;
    let puppet = Arc::new(gate.client());
    let stage = Stage::run(puppet.clone());
    stage.logged_in().await;
    let me = gate.0.me.lock().clone().unwrap();
    gate.emit(LOGOUT, json!({ "data": "elsewhere" }));
    let names_me = |events: &[Event]| {
        events
            .iter()
            .any(|event| matches!(&event.what, EventPayload::Logout(logout) if logout.contact_id.as_str() == me))
    };
    stage.until("the logout with its name", names_me).await;
    let error = puppet.send(out(&alice.id())).await.unwrap_err();
    assert!(matches!(error, PuppetError::NotLoggedIn));
    gate.emit(25, json!({ "contactId": me }));
    let logins = |events: &[Event]| events.iter().filter(|e| matches!(e.what, EventPayload::Login(_))).count();
    stage.until("the login", |events| logins(events) == 2).await;
    puppet.send(out(&alice.id())).await.unwrap();
}

#[tokio::test]
async fn what_the_gateway_does_not_do_is_no_longer_declared() {
    for own in [true, false] {
        let platform = FakePlatform::builder().deny(Capability::Tag).clock(Clock::system()).build();
        let alice = platform.user("alice");
        let gate = Gate::open(Arc::new(platform.puppet()), own, None).await;
        let puppet = Arc::new(gate.client());
        let stage = Stage::run(puppet.clone());
        stage.logged_in().await;
        assert!(puppet.capabilities().has(Capability::Tag));
        let error = puppet.tags().unwrap().list(Some(&alice.id())).await.unwrap_err();
        assert!(matches!(error, PuppetError::Unsupported { capability: Capability::Tag, .. }), "{error:?}");
        assert!(!puppet.capabilities().has(Capability::Tag) && puppet.tags().is_none());
        assert!(puppet.capabilities().has(Capability::LoadContact), "and nothing else is");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_of_whatever_level_has_the_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (gate, alice) = gate().await;
    let puppet = Arc::new(gate.client());
    let stage = Stage::run(puppet.clone());
    stage.logged_in().await;
    puppet.send(out(&alice.id())).await.unwrap();
    stage.cancel.cancel();
    stage.ended().await.unwrap();
    let told = String::from_utf8(log.0.lock().clone()).unwrap();
    assert!(told.contains("connected to the gateway"), "the log is read: {told}");
    let secret = TOKEN.split_once('_').unwrap().1;
    let line = told.lines().find(|line| line.contains(secret));
    assert!(line.is_none(), "{line:?}");
}
