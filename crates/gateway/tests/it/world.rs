//! Calls: what is in the world comes over the wire, in both generations of its fields.

use wechaty_grpc::pb;

use crate::support::{Gateway, OURS, TYPESCRIPT, start};

const LOGIN: i32 = 25;
const READY: i32 = 23;

#[tokio::test]
async fn people_and_rooms_of_the_world_come_over_the_wire() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    assert_eq!(events.until(LOGIN).await["contactId"], "bot-self");
    events.until(READY).await;
    let ids = client.contact_list(pb::ContactListRequest {}).await.expect("contacts").into_inner().ids;
    assert!(ids.contains(&"c-alice".to_owned()), "{ids:?}");
    let alice = pb::ContactPayloadRequest { id: "c-alice".into() };
    let alice = client.contact_payload(alice).await.expect("Alice").into_inner();
    assert_eq!((alice.name.as_str(), alice.alias.as_str()), ("Alice Liddell", "ally"));
    let unknown = client.contact_payload(pb::ContactPayloadRequest { id: "1001@chatroom".into() }).await;
    assert_eq!(unknown.expect_err("a room is no contact").code(), tonic::Code::NotFound);
    let rooms = client.room_list(pb::RoomListRequest {}).await.expect("rooms").into_inner().ids;
    assert_eq!(rooms, ["1001@chatroom", "1002@chatroom"]);
    let topic = client.room_topic(pb::RoomTopicRequest::get("1001@chatroom")).await.expect("a topic").into_inner();
    assert_eq!(topic.topic_string_value_deprecated.as_deref(), Some("Tea Party"));
    let member = pb::RoomMemberPayloadRequest { id: "1001@chatroom".into(), member_id: "c-bob".into() };
    assert_eq!(client.room_member_payload(member).await.expect("Bob").into_inner().room_alias, "Mad Hatter");
    gateway.end().await;
}

#[tokio::test]
async fn an_old_client_sets_and_clears_an_alias_with_the_old_field() {
    let gateway = Gateway::new();
    let client = gateway.client("grpc-python-grpclib/0.4.3");
    let mut events = start(&client).await;
    events.until(READY).await;
    for alias in ["queen", ""] {
        let old = pb::ContactAliasRequest {
            id: "c-alice".into(),
            alias_string_value_deprecated: Some(alias.into()),
            alias: None,
        };
        client.contact_alias(old).await.expect("it is set");
        let told =
            client.contact_alias(pb::ContactAliasRequest::get("c-alice")).await.expect("it is told").into_inner();
        assert_eq!((told.alias_string_value_deprecated.as_deref(), told.alias.as_str()), (Some(alias), alias));
    }
    gateway.end().await;
}

#[tokio::test]
async fn what_is_sent_has_an_id_that_is_readable_at_once() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    for (to, in_room) in [("c-alice", false), ("1001@chatroom", true)] {
        let text =
            pb::MessageSendTextRequest { conversation_id: to.into(), text: "hello".into(), mentional_ids: vec![] };
        let sent = client.message_send_text(text).await.expect("it is sent").into_inner();
        let id = sent.id_string_value_deprecated.clone().expect("the old field, too");
        assert_eq!(id, sent.id);
        let payload = client.message_payload(pb::MessagePayloadRequest { id }).await.expect("readable").into_inner();
        assert_eq!((payload.text.as_str(), payload.talker_id.as_str()), ("hello", "bot-self"));
        assert_eq!(payload.room_id == to, in_room);
        assert_eq!(payload.receive_time.map(|time| time.seconds as u64), Some(payload.timestamp_deprecated / 1000));
    }
    let nobody =
        pb::MessageSendTextRequest { conversation_id: "nobody".into(), text: "x".into(), mentional_ids: vec![] };
    assert_eq!(client.message_send_text(nobody).await.expect_err("nobody").code(), tonic::Code::NotFound);
    gateway.end().await;
}

#[tokio::test]
async fn a_file_goes_up_and_into_a_message_and_comes_down_again() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let bytes: Vec<u8> = (0..600_000u32).map(|i| (i % 251) as u8).collect();
    let pieces: Vec<_> =
        bytes.chunks(64 << 10).map(|chunk| pb::UploadRequest { chunk: chunk.to_vec().into() }).collect();
    let id = client.upload(futures_util::stream::iter(pieces)).await.expect("uploaded").into_inner().id;
    let file_box = serde_json::json!({ "type": 7, "boxType": 7, "name": "cycle.bin", "uuid": id }).to_string();
    let send = pb::MessageSendFileRequest { conversation_id: "c-alice".into(), file_box };
    let sent = client.message_send_file(send).await.expect("sent").into_inner().id;
    let file = client.message_file(pb::MessageFileRequest { id: sent.clone() }).await.expect("a box").into_inner();
    let json: serde_json::Value = serde_json::from_str(&file.file_box).expect("JSON");
    assert_eq!((&json["type"], &json["name"]), (&7.into(), &"cycle.bin".into()));
    for _ in 0..2 {
        let id = json["uuid"].as_str().expect("an id").to_owned();
        let mut down = client.download(pb::DownloadRequest { id }).await.expect("a stream").into_inner();
        let mut got = Vec::new();
        while let Some(piece) = down.message().await.expect("a piece") {
            assert!(!piece.chunk.is_empty());
            got.extend_from_slice(&piece.chunk);
        }
        assert!(got == bytes, "{} bytes came back", got.len());
    }
    let mut old =
        client.message_file_stream(pb::MessageFileStreamRequest { id: sent }).await.expect("chunks").into_inner();
    let first = old.message().await.expect("a chunk").expect("its name").file_box_chunk.expect("a chunk");
    assert_eq!((first.name.as_deref(), first.data), (Some("cycle.bin"), None));
    let unknown = client.download(pb::DownloadRequest { id: "11111111-2222-4333-8444-555555555555".into() }).await;
    assert_eq!(unknown.expect_err("an error, not silence").code(), tonic::Code::NotFound);
    let legacy = gateway.client("grpc-python-grpclib/0.4.3");
    let small = pb::MessageFileRequest { id: "m-file".into() };
    if let Ok(file) = legacy.message_file(small).await {
        let json: serde_json::Value = serde_json::from_str(&file.into_inner().file_box).expect("JSON");
        assert_ne!(json["boxType"], 7, "it cannot read one");
    }
    gateway.end().await;
}

#[tokio::test]
async fn a_file_in_chunks_is_sent_and_one_without_a_name_is_refused() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let chunk = |name: Option<&str>, data: Option<&'static [u8]>| pb::MessageSendFileStreamRequest {
        conversation_id: None,
        file_box_chunk: Some(pb::FileBoxChunk { name: name.map(Into::into), data: data.map(Into::into) }),
    };
    let whole = [
        pb::MessageSendFileStreamRequest::to("c-alice"),
        chunk(Some("a.txt"), None),
        chunk(None, Some(b"ab")),
        chunk(None, Some(b"c")),
    ];
    let sent = client.message_send_file_stream(futures_util::stream::iter(whole)).await.expect("sent").into_inner().id;
    let mut file =
        client.message_file_stream(pb::MessageFileStreamRequest { id: sent }).await.expect("chunks").into_inner();
    let (mut name, mut bytes) = (None, Vec::new());
    while let Some(chunk) = file.message().await.expect("a chunk").map(|chunk| chunk.file_box_chunk.expect("a chunk")) {
        name = name.or(chunk.name);
        bytes.extend(chunk.data.unwrap_or_default());
    }
    assert_eq!((name.as_deref(), &*bytes), (Some("a.txt"), &b"abc"[..]));
    let nameless = [pb::MessageSendFileStreamRequest::to("c-alice"), chunk(None, Some(b"ab"))];
    let refused = client.message_send_file_stream(futures_util::stream::iter(nameless)).await.expect_err("no name");
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    gateway.end().await;
}

#[tokio::test]
async fn a_stop_without_a_start_succeeds_and_a_second_start_begins_the_world_again() {
    let gateway = Gateway::new();
    let client = gateway.client(OURS);
    client.stop(pb::StopRequest {}).await.expect("nothing to stop");
    client.logout(pb::LogoutRequest::default()).await.expect("nobody is logged in");
    for _ in 0..2 {
        let mut events = start(&client).await;
        assert_eq!(events.until(LOGIN).await["contactId"], "bot-self");
        client.stop(pb::StopRequest {}).await.expect("it stops");
        assert!(!gateway.tenant.is_listened_to());
    }
    gateway.end().await;
}

#[tokio::test]
async fn a_type_of_an_image_that_is_none_is_refused_however_it_is_asked_for() {
    let gateway = Gateway::new();
    let client = gateway.client(TYPESCRIPT);
    let mut events = start(&client).await;
    events.until(READY).await;
    let id = || "m-file".to_owned();
    for r#type in [-1, 4, 99] {
        let inside = client.message_image(pb::MessageImageRequest { id: id(), r#type }).await;
        assert_eq!(inside.expect_err("it is none").code(), tonic::Code::InvalidArgument, "{type}");
        let streamed = client.message_image_stream(pb::MessageImageStreamRequest { id: id(), r#type }).await;
        assert_eq!(streamed.map(drop).expect_err("it is none").code(), tonic::Code::InvalidArgument, "{type}");
    }
    let request = pb::MessageImageStreamRequest { id: id(), r#type: 3 };
    client.message_image_stream(request).await.expect("the artwork");
    gateway.end().await;
}
