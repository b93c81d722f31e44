//! What comes again: to a client that is gone before it can have read it, and through the end of the process.

use std::{sync::Arc, time::Duration};

use tonic::transport::Channel;
use wechaty::{
    VirtualClock,
    store::MemoryStore,
    types::{
        ContactId, ErrorEvent, Event, FriendshipEvent, FriendshipPayload, FriendshipType, LoginEvent, LogoutEvent,
        MessageEvent, Payload, ReceiveDetails, RoomId, RoomJoinEvent, Timestamp,
    },
};
use wechaty_grpc::{PuppetClient, pb};

use crate::support::{Gateway, Heard, OURS, TYPESCRIPT, listen, start, until_left};

const MESSAGE: i32 = 2;
const JOIN: i32 = 19;
const READY: i32 = 23;
const FRIENDSHIP: i32 = 17;
const LOGIN: i32 = 25;
const LOGOUT: i32 = 26;
const ERROR: i32 = 16;

fn join(number: i64) -> RoomJoinEvent {
    RoomJoinEvent {
        invitee_id_list: vec![ContactId::new("c-bob")],
        inviter_id: Some(ContactId::new("c-alice")),
        room_id: RoomId::new("1001@chatroom"),
        timestamp: Timestamp::from_millis(1_700_000_000_000 + number),
    }
}

#[tokio::test]
async fn what_its_client_may_not_have_read_comes_again_and_is_marked() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    gateway.puppet.inject(join(1)).expect("somebody comes");
    assert_eq!(events.until(JOIN).await.get("redelivered"), None);
    // It has gone out, and nobody says that it arrived.
    drop(events);
    until_left(&gateway).await;
    let mut events = listen(&client).await;
    assert_eq!(events.until(JOIN).await["redelivered"], true);

    // Whoever fetches what came behind it has it.
    let said = gateway.puppet.says("c-alice", "hello").expect("said").to_string();
    events.until(MESSAGE).await;
    client.message_payload(pb::MessagePayloadRequest { id: said }).await.expect("it is fetched");
    drop(events);
    until_left(&gateway).await;
    let mut events = listen(&client).await;
    gateway.puppet.inject(join(2)).expect("somebody comes");
    assert_eq!(events.until(JOIN).await.get("redelivered"), None, "the second, and not the first once more");
    gateway.end().await;
}

#[tokio::test]
async fn who_is_heard_of_a_while_later_has_read_it() {
    let clock = VirtualClock::new();
    let gateway = Gateway::with_clock(&clock);
    let client = gateway.client(TYPESCRIPT);
    let passing = async {
        loop {
            clock.advance(Duration::from_millis(50)).await;
            tokio::task::yield_now().await;
        }
    };
    let begun = async {
        let mut events = start(&client).await;
        events.until(READY).await;
        events
    };
    let mut events = tokio::select! {
        events = begun => events,
        () = passing => unreachable!("time passes for ever"),
    };
    gateway.puppet.inject(join(1)).expect("somebody comes");
    events.until(JOIN).await;
    clock.advance(Duration::from_secs(2)).await;
    assert!(
        !gateway.tenant.bot().ledger().await.expect("the books").is_settled(),
        "nobody knows whether it has arrived"
    );
    client.version(pb::VersionRequest {}).await.expect("a version");
    let mut ledger = gateway.tenant.bot().ledger().await.expect("the books");
    while !ledger.is_settled() {
        tokio::task::yield_now().await;
        ledger = gateway.tenant.bot().ledger().await.expect("the books");
    }
    gateway.end().await;
}

#[tokio::test]
async fn a_message_that_waits_is_readable_when_nobody_else_has_it_any_more() {
    let store: Arc<MemoryStore> = Arc::default();
    let gateway = Gateway::with_store(store.clone());
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let said = gateway.puppet.says("c-alice", "before the end").expect("said").to_string();
    events.until(MESSAGE).await;
    gateway.end().await;

    // Another world, in which nobody has said it.
    let gateway = Gateway::with_store(store);
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    let (mut again, mut is_logged_in) = (events.next().await, false);
    while again.0 != MESSAGE {
        is_logged_in |= again.0 == LOGIN;
        again = events.next().await;
    }
    assert!(is_logged_in, "published SDKs drop a message that comes before the login");
    let again = again.1;
    assert_eq!((&again["messageId"], &again["redelivered"]), (&said.as_str().into(), &true.into()));
    let payload = client.message_payload(pb::MessagePayloadRequest { id: said }).await.expect("it is readable");
    assert_eq!(payload.into_inner().text, "before the end");
    gateway.end().await;
}

#[tokio::test]
async fn who_asks_for_what_an_event_names_has_read_it() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let friendship = FriendshipPayload {
        id: "f-1".into(),
        contact_id: ContactId::new("c-bob"),
        timestamp: Timestamp::from_millis(1_700_000_000_000),
        kind: FriendshipType::Receive,
        hello: Some("hello".to_owned()),
        receive: Some(ReceiveDetails { ticket: "t-1".to_owned(), scene: None, stranger: None }),
    };
    let event = Event::new(FriendshipEvent { friendship_id: "f-1".into() });
    gateway.puppet.inject(event.payload(Payload::Friendship(Arc::new(friendship)))).expect("asked");
    assert_eq!(events.until(FRIENDSHIP).await["friendshipId"], "f-1");
    let request = pb::FriendshipPayloadRequest { id: "f-1".to_owned(), ..Default::default() };
    client.friendship_payload(request).await.expect("it is there");
    drop(events);
    until_left(&gateway).await;
    let mut events = listen(&client).await;
    gateway.puppet.inject(join(1)).expect("somebody comes");
    let mut next = events.next().await;
    while next.0 != JOIN {
        assert_ne!(next.0, FRIENDSHIP, "it is told once");
        next = events.next().await;
    }
    gateway.end().await;
}

#[tokio::test]
async fn what_comes_while_nobody_is_logged_in_waits_for_the_login() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    gateway.puppet.inject(LogoutEvent { contact_id: ContactId::new("bot-self"), data: None }).expect("logged out");
    events.until(LOGOUT).await;
    let said = gateway.puppet.says("c-alice", "is anybody there?").expect("said").to_string();
    gateway.puppet.inject(ErrorEvent { data: Some("the line is bad".to_owned()), gerror: None }).expect("told");
    let (number, told) = events.next().await;
    assert_eq!((number, &told["data"]), (ERROR, &"the line is bad".into()), "an error needs no login");
    gateway.puppet.inject(LoginEvent { contact_id: ContactId::new("bot-self") }).expect("logged in");
    assert_eq!(events.next().await.0, LOGIN);
    assert_eq!(events.until(MESSAGE).await["messageId"], said.as_str());
    gateway.end().await;
}

#[tokio::test]
async fn what_has_no_time_is_known_by_its_id_when_a_later_life_tells_it_again() {
    let store: Arc<MemoryStore> = Arc::default();
    let gateway = Gateway::with_store(store.clone());
    let client = gateway.client(OURS);
    let mut events = start(&client).await;
    events.until(READY).await;
    let undated = || RoomJoinEvent { timestamp: Timestamp::default(), ..join(0) };
    let mut before = Vec::new();
    for _ in 0..2 {
        gateway.puppet.inject(undated()).expect("somebody comes");
        before.push(events.until(JOIN).await);
    }
    assert_ne!(before[0]["wechatyId"], before[1]["wechatyId"], "two that say the same are two");
    assert!(before[0]["wechatyId"].as_str().is_some_and(|id| id.len() == 32), "{}", before[0]);
    gateway.end().await;

    let gateway = Gateway::with_store(store);
    let client = gateway.client(OURS);
    let mut events = start(&client).await;
    for before in before {
        let again = events.until(JOIN).await;
        assert_eq!((&again["wechatyId"], &again["redelivered"]), (&before["wechatyId"], &true.into()));
        assert_ne!(again["wechatySeq"], before["wechatySeq"]);
    }
    gateway.end().await;
}

#[tokio::test]
async fn a_message_that_is_told_twice_is_done_with_once_it_is_fetched() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let id = gateway.puppet.says("c-alice", "hello").expect("said");
    events.until(MESSAGE).await;
    let told = Event::new(MessageEvent { message_id: id.clone() }).revision(1);
    gateway.puppet.inject(told).expect("told twice");
    events.until(MESSAGE).await;
    client.message_payload(pb::MessagePayloadRequest { id: id.to_string() }).await.expect("it is fetched");
    let mut ledger = gateway.tenant.bot().ledger().await.expect("the books");
    while !ledger.is_settled() {
        tokio::task::yield_now().await;
        ledger = gateway.tenant.bot().ledger().await.expect("the books");
    }
    gateway.end().await;
}

/// While time passes.
async fn in_time<T>(clock: &VirtualClock, what: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            clock.advance(Duration::from_millis(50)).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        done = what => done,
        () = passing => unreachable!("time passes for ever"),
    }
}

/// What another connection does says nothing of what has come on that of the stream.
#[tokio::test]
async fn only_who_calls_on_the_connection_of_the_stream_has_read_it() {
    let clock = VirtualClock::new();
    let gateway = Gateway::with_clock(&clock);
    let listening = gateway.listening().await;
    let (reader, other) = (listening.connect(TYPESCRIPT).await, listening.connect(TYPESCRIPT).await);
    let listen = async |client: &PuppetClient<Channel>| {
        Heard(client.event(pb::EventRequest {}).await.expect("a stream").into_inner())
    };
    let begin = async |client| {
        let mut events = listen(client).await;
        client.start(pb::StartRequest {}).await.expect("it starts");
        events.until(READY).await;
        events
    };
    let mut events = in_time(&clock, begin(&reader)).await;
    gateway.puppet.inject(join(1)).expect("somebody comes");
    events.until(JOIN).await;
    let said = gateway.puppet.says("c-alice", "hello").expect("said").to_string();
    events.until(MESSAGE).await;
    clock.advance(Duration::from_secs(2)).await;
    other.version(pb::VersionRequest {}).await.expect("a version");
    other.message_payload(pb::MessagePayloadRequest { id: said }).await.expect("it is fetched");
    drop(events);
    until_left(&gateway).await;
    let mut events = listen(&reader).await;
    assert_eq!(in_time(&clock, events.until(JOIN)).await["redelivered"], true);

    // Somebody else takes over: it is told.
    clock.advance(Duration::from_secs(2)).await;
    in_time(&clock, other.stop(pb::StopRequest {})).await.expect("it stops");
    let again = async {
        let mut events = listen(&other).await;
        other.start(pb::StartRequest {}).await.expect("it starts");
        (events.until(JOIN).await, events)
    };
    let (again, _events) = in_time(&clock, again).await;
    assert_eq!(again["redelivered"], true);
    clock.advance(Duration::from_secs(2)).await;
    other.version(pb::VersionRequest {}).await.expect("a version");
    let settled = async {
        while !gateway.tenant.bot().ledger().await.expect("the books").is_settled() {
            tokio::task::yield_now().await;
        }
    };
    in_time(&clock, settled).await;
    in_time(&clock, gateway.end()).await;
}

#[tokio::test]
async fn what_comes_again_is_marked_for_each_client_that_can_stand_it() {
    for (agent, is_marked) in [
        (OURS, true),
        ("grpc-go/1.45.0", true),
        ("grpc-python-grpclib/0.4.3 (linux; cpython/3.11.9)", true),
        ("tonic/0.4.3", true),
        ("grpc-java-netty/1.29.0", false),
    ] {
        let gateway = Gateway::new();
        let client = gateway.client(agent);
        let mut events = start(&client).await;
        events.until(READY).await;
        gateway.puppet.inject(join(1)).expect("somebody comes");
        assert_eq!(events.until(JOIN).await.get("redelivered"), None, "{agent}");
        drop(events);
        until_left(&gateway).await;
        let again = listen(&client).await.until(JOIN).await;
        assert_eq!(again.get("redelivered").is_some_and(|mark| *mark == true), is_marked, "{agent}: {again}");
        gateway.end().await;
    }
}

#[tokio::test]
async fn python_makes_an_error_of_all_keys_there_are_and_gets_no_mark_in_one() {
    let gateway = Gateway::new();
    let client = gateway.client("grpc-python-grpclib/0.4.3 (linux; cpython/3.11.9)");
    let mut events = start(&client).await;
    events.until(READY).await;
    gateway.puppet.inject(ErrorEvent { data: Some("the line is bad".to_owned()), gerror: None }).expect("told");
    let first = events.until(ERROR).await;
    drop(events);
    until_left(&gateway).await;
    assert_eq!(listen(&client).await.until(ERROR).await, first);
    gateway.end().await;
}
