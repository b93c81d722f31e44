//! Payloads that were once read wrongly, or not at all.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use wechaty_types::{
    ContactPayload, EventPayload, FriendshipPayload, LocationPayload, MessagePayload, PostContent, PostFilter,
    PostPayload, RoomMemberPayload, RoomPayload, SayablePayload, ScanEvent, ScanStatus,
};

fn read<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_str(&json.to_string()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn written<T: Serialize>(payload: &T) -> Value {
    serde_json::to_value(payload).unwrap()
}

#[test]
fn a_post_with_taps_is_read_and_its_own_form_too() {
    let json = json!({"id":"p","contactId":"c","timestamp":1_600_000_000_000_i64,"type":0,"sayableList":["m"],
        "counter":{"children":0,"descendant":0,"taps":{"1":2}}});
    let post: PostPayload = read(&json);
    let PostContent::Server { counter, .. } = &post.content else { panic!("served") };
    assert_eq!(counter.taps[&1], 2);
    assert_eq!(written(&post), json);
}

#[test]
fn a_filter_for_originals_stays_one() {
    let filter = PostFilter { parent_id: Some(None), root_id: Some(Some("r".into())), ..PostFilter::default() };
    assert_eq!(read::<PostFilter>(&written(&filter)), filter);
    assert_eq!(read::<PostFilter>(&written(&PostFilter::default())), PostFilter::default());
    assert_eq!(read::<PostFilter>(&json!({})), PostFilter::default());
}

#[test]
fn old_and_new_names_may_stand_side_by_side() {
    let message = json!({"id":"m","type":7,"talkerId":"new","fromId":"old","listenerId":"","toId":"b"});
    let message: MessagePayload = read(&message);
    assert_eq!((message.talker_id.as_str(), message.listener_id), ("new", Some("b".into())));
    let contact: ContactPayload = read(&json!({"id":"c","handle":"new","weixin":"old"}));
    assert_eq!(contact.handle.as_deref(), Some("new"));
    let contact: ContactPayload = read(&json!({"id":"c","handle":null,"weixin":"old"}));
    assert_eq!(contact.handle.as_deref(), Some("old"));
}

#[test]
fn a_private_message_with_an_empty_room_id_does_not_go_to_a_room() {
    let json = json!({"id":"m","talkerId":"a","type":7,"roomId":"","listenerId":"","quoteId":""});
    let message: MessagePayload = read(&json);
    assert_eq!((&message.room_id, &message.listener_id, &message.quote_id), (&None, &None, &None));
    assert_eq!(message.conversation(None).contact().unwrap().as_str(), "a");
}

#[test]
fn an_empty_optional_id_is_nobody_everywhere() {
    assert_eq!(read::<RoomPayload>(&json!({"id":"r","ownerId":""})).owner_id, None);
    assert_eq!(read::<RoomMemberPayload>(&json!({"id":"c","inviterId":""})).inviter_id, None);
    let place = json!({"contact": "c"});
    let edit = json!({"event":"message-edit","payload":{"messageId":"m","conversation":place,"editorId":""}});
    let EventPayload::MessageEdit(edit) = read(&edit) else { panic!("message-edit") };
    assert_eq!(edit.editor_id, None);
    let recall = json!({"event":"message-recall","payload":{"messageId":"m","conversation":place,"recallerId":""}});
    let EventPayload::MessageRecall(recall) = read(&recall) else { panic!("message-recall") };
    assert_eq!(recall.recaller_id, None);
}

#[test]
fn a_friend_request_without_a_ticket_keeps_its_scene() {
    let json = json!({"id":"f","contactId":"c","type":2,"scene":3,"stranger":"s"});
    let details = read::<FriendshipPayload>(&json).receive.expect("details");
    assert_eq!((details.ticket.as_str(), details.stranger.as_deref()), ("", Some("s")));
    assert_eq!(read::<FriendshipPayload>(&json!({"id":"f","contactId":"c","type":1})).receive, None);
}

#[test]
fn a_place_does_not_move_when_it_is_read() {
    let json = json!({"latitude":15.511763109660393,"longitude":21.174732115775114});
    let place: LocationPayload = read(&json);
    assert_eq!((place.latitude, place.longitude), (15.511763109660393, 21.174732115775114));
}

#[test]
fn debug_tells_neither_qr_codes_nor_tickets() {
    let qrcode = Some("https://e.invalid/s3cret".to_owned());
    let scan = ScanEvent { status: ScanStatus::Waiting, qrcode, data: Some("s3cret".into()) };
    assert!(!format!("{:?} {scan:?}", EventPayload::from(scan.clone())).contains("s3cret"));
    let request: FriendshipPayload = read(&json!({"id":"f","contactId":"c","type":2,"ticket":"s3cret"}));
    let said = format!("{request:?}");
    assert!(said.contains("ReceiveDetails") && !said.contains("s3cret"), "{said}");
}

#[test]
fn a_sayable_of_a_kind_nobody_knows_survives() {
    let json = serde_json::json!({ "type": "Channel", "payload": { "nickname": "n", "feedType": 4 } });
    let known: SayablePayload = serde_json::from_value(json.clone()).expect("reads");
    assert!(matches!(&known, SayablePayload::Other(value) if *value == json), "{known:?}");
    let again: SayablePayload = serde_json::from_str(&serde_json::to_string(&known).expect("writes")).expect("reads");
    assert!(matches!(&again, SayablePayload::Other(value) if *value == json), "{again:?}");
    assert!(serde_json::from_value::<SayablePayload>(serde_json::json!({ "type": "Text", "payload": 7 })).is_err());
    assert!(serde_json::from_value::<SayablePayload>(serde_json::json!({ "payload": {} })).is_err());
}
