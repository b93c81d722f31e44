//! Events as each client wants them, key by key, and as servers write them.

use serde_json::{Value, json};
use wechaty_grpc::{Dialect, WireError, event, pb::EventResponse};
use wechaty_types::{
    DirtyEvent, DirtyType, DongEvent, ErrorEvent, EventPayload, HeartbeatEvent, LoginEvent, LogoutEvent, PostEvent,
    ReadyEvent, ResetEvent, RoomAnnounceEvent, RoomJoinEvent, RoomLeaveEvent, RoomTopicEvent, ScanEvent, ScanStatus,
    Timestamp, VerifyCodeEvent,
};

const ALL: [Dialect; 6] =
    [Dialect::Rust, Dialect::TypeScript, Dialect::Go, Dialect::Python, Dialect::Java, Dialect::Unknown];

fn written(what: impl Into<EventPayload>, dialect: Dialect) -> Option<(i32, Value)> {
    let event = event::write(&what.into(), dialect)?;
    Some((event.r#type, serde_json::from_str(&event.payload).unwrap()))
}

fn read(number: i32, payload: &str) -> wechaty_grpc::Result<EventPayload> {
    event::read(&EventResponse { r#type: number, payload: payload.into() })
}

#[test]
fn data_is_there_for_who_indexes_it() {
    for dialect in ALL {
        assert_eq!(written(HeartbeatEvent { data: None }, dialect), Some((1, json!({ "data": "" }))));
        assert_eq!(written(DongEvent { data: Some("x".into()) }, dialect), Some((3, json!({ "data": "x" }))));
        assert_eq!(written(ReadyEvent { data: None }, dialect), Some((23, json!({ "data": "" }))));
        let logout = LogoutEvent { contact_id: "c".into(), data: None };
        assert_eq!(written(logout, dialect), Some((26, json!({ "contactId": "c", "data": "" }))));
        assert_eq!(written(LoginEvent { contact_id: "c".into() }, dialect), Some((25, json!({ "contactId": "c" }))));
    }
}

#[test]
fn an_error_has_both_keys_and_to_java_the_one_it_knows() {
    let plain = ErrorEvent { gerror: None, data: Some("broken".into()) };
    let (number, json) = written(plain.clone(), Dialect::TypeScript).unwrap();
    assert_eq!((number, json["data"].as_str()), (16, Some("broken")));
    let gerror: Value = serde_json::from_str(json["gerror"].as_str().unwrap()).unwrap();
    assert_eq!(gerror, json!({ "name": "Error", "message": "broken" }));
    assert_eq!(written(plain, Dialect::Java), Some((16, json!({ "data": "broken" }))));
    let serialised = ErrorEvent { gerror: Some(r#"{"name":"Error","message":"m"}"#.into()), data: None };
    assert_eq!(written(serialised.clone(), Dialect::Java), Some((16, json!({ "data": "m" }))));
    assert_eq!(written(serialised, Dialect::Python).unwrap().1["data"], "m");
    let words = ErrorEvent { gerror: Some("no JSON".into()), data: None };
    assert_eq!(written(words, Dialect::Go).unwrap().1["data"], "no JSON");
}

#[test]
fn a_scan_has_three_keys_for_strict_clients() {
    let scan = || ScanEvent { status: ScanStatus::Waiting, qrcode: Some("q".into()), data: None };
    let strict = json!({ "status": 2, "qrcode": "q", "data": "" });
    assert_eq!(written(scan(), Dialect::Java), Some((22, strict.clone())));
    assert_eq!(written(scan(), Dialect::Python), Some((22, strict)));
    assert_eq!(written(scan(), Dialect::TypeScript), Some((22, json!({ "status": 2, "qrcode": "q" }))));
}

#[test]
fn java_gets_no_event_it_does_not_know() {
    let dirty = || DirtyEvent { payload_type: DirtyType::Room, payload_id: "r".into() };
    assert_eq!(written(dirty(), Dialect::Java), None);
    assert_eq!(written(PostEvent { post_id: "p".into() }, Dialect::Java), None);
    for dialect in ALL.into_iter().filter(|dialect| *dialect != Dialect::Java) {
        assert_eq!(written(dirty(), dialect), Some((27, json!({ "payloadType": 3, "payloadId": "r" }))));
        assert_eq!(written(PostEvent { post_id: "p".into() }, dialect), Some((4, json!({ "postId": "p" }))));
    }
}

#[test]
fn a_stale_member_is_told_by_its_room() {
    let dirty = DirtyEvent { payload_type: DirtyType::RoomMember, payload_id: "r\u{1f}c".into() };
    assert_eq!(written(dirty.clone(), Dialect::TypeScript).unwrap().1["payloadId"], "r");
    assert_eq!(written(dirty, Dialect::Rust).unwrap().1["payloadId"], "r\u{1f}c");
    let tag = DirtyEvent { payload_type: DirtyType::Tag, payload_id: "t".into() };
    assert_eq!(written(tag, Dialect::TypeScript), None, "published clients throw at a type they do not know");
}

#[test]
fn who_came_or_went_with_nobody_did_so_by_itself() {
    let timestamp = Timestamp::from_millis(1_600_000_010_000);
    let join = || RoomJoinEvent { invitee_id_list: vec!["c".into()], inviter_id: None, room_id: "r".into(), timestamp };
    let wire = json!({ "inviteeIdList": ["c"], "inviterId": "c", "roomId": "r", "timestamp": 1_600_000_010_000_i64 });
    assert_eq!(written(join(), Dialect::TypeScript), Some((19, wire)));
    assert_eq!(written(join(), Dialect::Rust).unwrap().1["inviterId"], "");
    let leave = RoomLeaveEvent { removee_id_list: vec![], remover_id: None, room_id: "r".into(), timestamp };
    let wire = json!({ "removeeIdList": [], "removerId": "", "roomId": "r", "timestamp": 1_600_000_010_000_i64 });
    assert_eq!(written(leave, Dialect::Java), Some((20, wire)));
    let topic = RoomTopicEvent {
        changer_id: None,
        new_topic: "b".into(),
        old_topic: "a".into(),
        room_id: "r".into(),
        timestamp: Timestamp::default(),
    };
    let wire = json!({ "changerId": "", "newTopic": "b", "oldTopic": "a", "roomId": "r", "timestamp": 0 });
    assert_eq!(written(topic, Dialect::Java), Some((21, wire)));
}

#[test]
fn what_is_on_no_wire_is_not_sent() {
    for dialect in ALL {
        assert_eq!(written(ResetEvent { data: None }, dialect), None);
        let code = VerifyCodeEvent { id: "1".into(), message: String::new(), wrong: false };
        assert_eq!(written(code, dialect), None);
        let announce = RoomAnnounceEvent {
            changer_id: None,
            new_announce: "b".into(),
            old_announce: None,
            room_id: "r".into(),
            timestamp: Timestamp::default(),
        };
        let sent = written(announce, dialect).map(|(number, _)| number);
        assert_eq!(sent, (dialect == Dialect::Rust).then_some(32));
    }
}

#[test]
fn events_of_published_servers_are_read() {
    let heartbeat = read(1, r#"{"data":"Wechaty Puppet gRPC stream connect successfully"}"#).unwrap();
    assert!(matches!(heartbeat, EventPayload::Heartbeat(HeartbeatEvent { data: Some(_) })));
    let error = read(16, r#"{"gerror":"{\"name\":\"Error\"}"}"#).unwrap();
    assert!(matches!(error, EventPayload::Error(ErrorEvent { gerror: Some(_), data: None })));
    let EventPayload::RoomJoin(join) =
        read(19, r#"{"inviteeIdList":["c"],"inviterId":"","roomId":"r","timestamp":1600000010,"x":1}"#).unwrap()
    else {
        panic!("a room-join")
    };
    assert_eq!((join.inviter_id, join.timestamp.as_millis()), (None, 1_600_000_010_000));
    let scan = read(22, r#"{"status":2,"qrcode":null,"data":null}"#).unwrap();
    assert_eq!(scan, ScanEvent { status: ScanStatus::Waiting, qrcode: None, data: None }.into());
    assert_eq!(read(24, "").unwrap(), ResetEvent { data: None }.into());
    assert_eq!(read(26, "{}").unwrap(), LogoutEvent { contact_id: "".into(), data: None }.into());
    let data = read(3, r#"{"data":{"a":1}}"#).unwrap();
    assert_eq!(data, DongEvent { data: Some(r#"{"a":1}"#.into()) }.into());
    let dirty = read(27, r#"{"payloadType":6,"payloadId":"p"}"#).unwrap();
    assert_eq!(dirty, DirtyEvent { payload_type: DirtyType::Post, payload_id: "p".into() }.into());
}

#[test]
fn what_makes_no_event_is_told() {
    for number in [0, 5, 15, 28, 31, 33, -1, i32::MIN, i32::MAX] {
        let error = read(number, "{}").unwrap_err();
        assert!(matches!(error, WireError::UnknownEvent { number: n } if n == number), "{error:?}");
    }
    for (number, payload) in
        [(2, "{}"), (2, r#"{"messageId":""}"#), (2, r#"{"messageId":null}"#), (25, ""), (19, r#"{"inviterId":"c"}"#)]
    {
        assert!(matches!(read(number, payload), Err(WireError::Missing { .. })), "{payload}");
    }
    for (number, payload) in [
        (1, "data"),
        (1, "[]"),
        (1, "null"),
        (2, r#"{"messageId":7}"#),
        (22, "{}"),
        (22, r#"{"status":1e99}"#),
        (27, r#"{"payloadType":"Room","payloadId":"r"}"#),
        (19, r#"{"roomId":"r","timestamp":"yesterday"}"#),
    ] {
        assert!(matches!(read(number, payload), Err(WireError::Json { .. })), "{payload}");
    }
    let deep = format!("{}{}", r#"{"data":"#.repeat(100_000), "}".repeat(100_000));
    assert!(matches!(read(1, &deep), Err(WireError::Json { .. })));
}
