//! The stream: how it begins, what waits for a client, and what is sent again.

use std::sync::Arc;

use futures_util::future::join_all;
use wechaty::{
    store::MemoryStore,
    types::{
        ContactId, DirtyEvent, DirtyType, DongEvent, HeartbeatEvent, LoginEvent, LogoutEvent, ReadyEvent, ScanEvent,
        ScanStatus,
    },
};
use wechaty_grpc::pb;

use crate::support::{Gateway, OURS, TYPESCRIPT, listen, start, until_left};

const HEARTBEAT: i32 = 1;
const MESSAGE: i32 = 2;
const DONG: i32 = 3;
const SCAN: i32 = 22;
const READY: i32 = 23;
const LOGIN: i32 = 25;
const LOGOUT: i32 = 26;
const DIRTY: i32 = 27;

#[tokio::test]
async fn it_begins_with_a_heartbeat_at_once_and_with_how_things_stand() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = listen(&client).await;
    assert_eq!(events.next().await.0, HEARTBEAT, "before anything was started");
    let second = client.event(pb::EventRequest {}).await.expect_err("one stream only");
    assert_eq!(second.code(), tonic::Code::AlreadyExists);
    client.start(pb::StartRequest {}).await.expect("it starts");
    events.until(READY).await;
    drop(events);
    while gateway.tenant.is_listened_to() {
        tokio::task::yield_now().await;
    }
    let mut events = listen(&client).await;
    let told = [events.next().await.0, events.next().await.0];
    assert_eq!(told, [HEARTBEAT, LOGIN]);
    events.until(READY).await;
    gateway.end().await;
}

#[tokio::test]
async fn each_ding_has_its_dong_and_each_dirty_payload_its_event() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = listen(&client).await;
    client.ding(pb::DingRequest { data: "early".into() }).await.expect("before the start, too");
    assert_eq!(events.until(DONG).await["data"], "early");
    client.start(pb::StartRequest {}).await.expect("it starts");
    events.until(READY).await;
    client.ding(pb::DingRequest { data: "late".into() }).await.expect("a ding");
    assert_eq!(events.until(DONG).await["data"], "late");
    client.dirty_payload(pb::DirtyPayloadRequest { r#type: 3, id: "1001@chatroom".into() }).await.expect("stale");
    let dirty = events.until(DIRTY).await;
    assert_eq!((&dirty["payloadType"], &dirty["payloadId"]), (&3.into(), &"1001@chatroom".into()));
    gateway.end().await;
}

#[tokio::test]
async fn what_a_published_client_has_not_fetched_comes_again_and_is_marked() {
    let store: Arc<MemoryStore> = Arc::default();
    let gateway = Gateway::with_store(store.clone());
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let alice = gateway.puppet.clone();
    let said: Vec<_> = ["one", "two"].map(|text| alice.says("c-alice", text).expect("said")).into_iter().collect();
    let first = events.until(MESSAGE).await;
    assert_eq!(first["messageId"], said[0].as_str());
    assert_eq!(first.get("redelivered"), None);
    events.until(MESSAGE).await;
    let id = said[0].to_string();
    client.message_payload(pb::MessagePayloadRequest { id }).await.expect("it is fetched");
    drop(events);
    while gateway.tenant.is_listened_to() {
        tokio::task::yield_now().await;
    }
    let away = alice.says("c-alice", "three").expect("said");
    let mut events = listen(&client).await;
    let again = events.until(MESSAGE).await;
    assert_eq!((&again["messageId"], &again["redelivered"]), (&said[1].as_str().into(), &true.into()));
    let new = events.until(MESSAGE).await;
    assert_eq!((&new["messageId"], new.get("redelivered")), (&away.as_str().into(), None));
    for id in [&said[1], &away] {
        client.message_payload(pb::MessagePayloadRequest { id: id.to_string() }).await.expect("it is fetched");
    }
    let mut ledger = gateway.tenant.bot().ledger().await.expect("the books");
    while !ledger.is_settled() {
        tokio::task::yield_now().await;
        ledger = gateway.tenant.bot().ledger().await.expect("the books");
    }
    assert!(ledger.is_balanced() && ledger.inbound.handled == 5, "{ledger}");
    gateway.end().await;
}

#[tokio::test]
async fn what_our_client_has_not_acknowledged_outlives_the_gateway() {
    let store: Arc<MemoryStore> = Arc::default();
    let gateway = Gateway::with_store(store.clone());
    let client = gateway.client(OURS);
    let mut events = start(&client).await;
    events.until(READY).await;
    let said: Vec<_> =
        ["one", "two"].map(|text| gateway.puppet.says("c-alice", text).expect("said")).into_iter().collect();
    let first = events.until(MESSAGE).await;
    assert_eq!(first["messageId"], said[0].as_str());
    let number = first["wechatySeq"].as_u64().expect("a number");
    events.until(MESSAGE).await;
    // A payload that is fetched is no acknowledgement: our client tells when it has stored it.
    client.message_payload(pb::MessagePayloadRequest { id: said[1].to_string() }).await.expect("readable");
    let mut version = tonic::Request::new(pb::VersionRequest {});
    version.metadata_mut().insert("wechaty-ack", number.to_string().parse().expect("a number"));
    client.version(version).await.expect("acknowledged");
    gateway.end().await;

    let gateway = Gateway::with_store(store);
    let client = gateway.client(OURS);
    let mut events = start(&client).await;
    let again = events.until(MESSAGE).await;
    assert_eq!(again["messageId"], said[1].as_str());
    assert!(again["wechatySeq"].as_u64().expect("a number") > number);
    gateway.end().await;
}

#[tokio::test]
async fn what_is_stale_while_nobody_listens_is_told_once_to_who_comes() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    drop(events);
    while gateway.tenant.is_listened_to() {
        tokio::task::yield_now().await;
    }
    let stale = |id: &str| DirtyEvent { payload_type: DirtyType::Contact, payload_id: id.to_owned() };
    for id in ["c-alice", "c-alice", "c-bob", "c-alice"] {
        gateway.puppet.inject(stale(id)).expect("it is told");
    }
    let in_books = async |received, pending| {
        let books = gateway.tenant.bot().ledger().await.expect("the books").inbound;
        (books.received, books.pending) == (received, pending)
    };
    // Login and ready at first, and two that wait.
    while !in_books(6, 2).await {
        tokio::task::yield_now().await;
    }
    let said = gateway.puppet.says("c-alice", "hello").expect("said");
    while !in_books(7, 3).await {
        tokio::task::yield_now().await;
    }
    let mut events = listen(&client).await;
    let mut told = Vec::new();
    loop {
        match events.next().await {
            (DIRTY, payload) => told.push(payload["payloadId"].as_str().expect("an id").to_owned()),
            (MESSAGE, payload) if payload["messageId"] == said.as_str() => break,
            _ => {}
        }
    }
    told.sort();
    assert_eq!(told, ["c-alice", "c-bob"]);
    gateway.end().await;
}

#[tokio::test]
async fn each_ready_is_told_with_what_it_says_and_once_to_who_comes_later() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    for data in ["42 contacts loaded", "42 contacts loaded", "3 rooms, too"] {
        gateway.puppet.inject(ReadyEvent { data: Some(data.to_owned()) }).expect("ready");
        assert_eq!(events.until(READY).await["data"], data);
    }
    drop(events);
    until_left(&gateway).await;
    let said = gateway.puppet.says("c-alice", "hello").expect("said");
    let mut events = listen(&client).await;
    let (mut next, mut ready) = (events.next().await, 0);
    while next.0 != MESSAGE {
        ready += usize::from(next.0 == READY);
        next = events.next().await;
    }
    assert_eq!((&next.1["messageId"], ready), (&said.as_str().into(), 1));
    gateway.end().await;
}

#[tokio::test]
async fn the_last_scan_is_told_as_it_was_to_who_comes_before_the_login() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let me = || ContactId::new("bot-self");
    gateway.puppet.inject(LogoutEvent { contact_id: me(), data: None }).expect("logged out");
    events.until(LOGOUT).await;
    let mut last = serde_json::Value::Null;
    for (status, data) in [(ScanStatus::Waiting, None), (ScanStatus::Scanned, Some("by a phone".to_owned()))] {
        let qrcode = Some("https://example.invalid/login".to_owned());
        gateway.puppet.inject(ScanEvent { status, qrcode, data }).expect("told");
        last = events.until(SCAN).await;
        drop(events);
        until_left(&gateway).await;
        events = listen(&client).await;
        assert_eq!(events.next().await.0, HEARTBEAT);
        assert_eq!(events.next().await, (SCAN, last.clone()));
    }
    assert_eq!((&last["status"], &last["data"]), (&3.into(), &"by a phone".into()));
    gateway.puppet.inject(LoginEvent { contact_id: me() }).expect("logged in");
    events.until(LOGIN).await;
    drop(events);
    until_left(&gateway).await;
    let mut events = listen(&client).await;
    let told = [events.next().await.0, events.next().await.0];
    assert_eq!(told, [HEARTBEAT, LOGIN]);
    gateway.puppet.says("c-alice", "hello").expect("said");
    assert_eq!(events.next().await.0, MESSAGE, "no scan of a login that is over");
    gateway.end().await;
}

#[tokio::test]
async fn a_ding_that_is_answered_has_its_dong_also_for_who_reads_late() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let dings = (0..3_000).map(|at| client.ding(pb::DingRequest { data: format!("{at:04}") }));
    let answers = join_all(dings).await;
    let answered = answers.iter().enumerate().filter(|(_, answer)| answer.is_ok()).map(|(at, _)| format!("{at:04}"));
    let answered: Vec<_> = answered.collect();
    assert!((1..3_000).contains(&answered.len()), "some are refused: {}", answered.len());
    let mut told = Vec::new();
    for _ in &answered {
        told.push(events.until(DONG).await["data"].as_str().expect("data").to_owned());
    }
    told.sort();
    assert_eq!(told, answered);
    client.ding(pb::DingRequest { data: "again".into() }).await.expect("there is room again");
    assert_eq!(events.until(DONG).await["data"], "again");
    gateway.end().await;
}

#[tokio::test]
async fn who_is_logged_in_is_told_however_much_waits_to_be_read() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    for _ in 0..1_200 {
        gateway.puppet.inject(HeartbeatEvent { data: None }).expect("it lives");
    }
    let me = || ContactId::new("bot-self");
    for why in ["first", "second", "third"] {
        gateway.puppet.inject(LogoutEvent { contact_id: me(), data: Some(why.into()) }).expect("logged out");
        gateway.puppet.inject(LoginEvent { contact_id: me() }).expect("logged in");
    }
    // Login and ready at first, and these six.
    while gateway.tenant.bot().ledger().await.expect("the books").inbound.handled < 8 {
        tokio::task::yield_now().await;
    }
    let mut told = Vec::new();
    while told.len() < 2 {
        let (number, payload) = events.next().await;
        if number != HEARTBEAT {
            told.push((number, payload["data"].clone()));
        }
    }
    assert_eq!(told, [(LOGOUT, "third".into()), (LOGIN, serde_json::Value::Null)], "the latest of each");
    gateway.end().await;
}

#[tokio::test]
async fn what_the_platform_tells_at_once_keeps_its_order() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    for at in ["1", "3"] {
        gateway.puppet.inject(DongEvent { data: Some(at.to_owned()) }).expect("told");
        gateway.puppet.inject(ReadyEvent { data: Some(format!("{at}, and ready")) }).expect("told");
    }
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(events.next().await.1["data"].as_str().expect("data").to_owned());
    }
    assert_eq!(told, ["1", "1, and ready", "3", "3, and ready"]);
    gateway.end().await;
}
