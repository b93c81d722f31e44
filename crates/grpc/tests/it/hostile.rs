//! Whatever comes over a wire is read, or is an error; nothing panics.

use proptest::{collection::vec, prelude::*};
use prost::Message;
use wechaty_grpc::{Dialect, SendRequest, event, file, pb, status, token};
use wechaty_puppet::{Capability, PlatformName};
use wechaty_types::{
    ContactPayload, DirtyEvent, FriendshipPayload, LocationPayload, MessagePayload, MessageType, MiniProgramPayload,
    RoomInvitationPayload, RoomMemberPayload, RoomPayload, UrlLinkPayload,
};

use crate::{grpc, seeds};

#[test]
fn everything_of_the_corpus_is_read_and_no_mutant_panics() {
    let seeds = seeds::of("grpc_wire");
    for (name, input) in seeds.iter().filter(|(name, _)| !name.starts_with("found")) {
        assert!(grpc::check(input), "{name}");
    }
    for input in seeds::mutants(&seeds, 400) {
        grpc::check(&input);
    }
}

#[test]
fn numbers_that_nobody_knows_survive() {
    for number in [-1, 17, 40, i32::MIN, i32::MAX] {
        let wire = pb::MessagePayloadResponse {
            id: "m".into(),
            talker_id: "c".into(),
            r#type: number,
            timestamp_deprecated: u64::MAX,
            receive_time: Some(prost_types::Timestamp { seconds: i64::MIN, nanos: i32::MAX }),
            ..Default::default()
        };
        let payload = MessagePayload::try_from(wire).unwrap();
        assert_eq!(payload.kind, MessageType::from_number(number));
        assert_eq!(pb::MessagePayloadResponse::of(&payload, Dialect::Rust).r#type, number);
        let java = pb::MessagePayloadResponse::of(&payload, Dialect::Java).r#type;
        assert!((0..15).contains(&java), "{java}");
    }
    let count = pb::RoomInvitationPayloadResponse {
        id: "i".into(),
        inviter_id: "c".into(),
        member_count: i32::MIN,
        ..Default::default()
    };
    assert_eq!(RoomInvitationPayload::try_from(count).unwrap().member_count, 0);
}

#[test]
fn what_has_no_id_is_told_by_name() {
    for error in [
        ContactPayload::try_from(pb::ContactPayloadResponse::default()).unwrap_err(),
        RoomPayload::try_from(pb::RoomPayloadResponse::default()).unwrap_err(),
        RoomMemberPayload::try_from(pb::RoomMemberPayloadResponse::default()).unwrap_err(),
        RoomInvitationPayload::try_from(pb::RoomInvitationPayloadResponse::default()).unwrap_err(),
        MessagePayload::try_from(pb::MessagePayloadResponse::default()).unwrap_err(),
        FriendshipPayload::try_from(pb::FriendshipPayloadResponse::default()).unwrap_err(),
        UrlLinkPayload::try_from(pb::MessageUrlResponse::default()).unwrap_err(),
        MiniProgramPayload::try_from(pb::MessageMiniProgramResponse::default()).unwrap_err(),
        LocationPayload::try_from(pb::MessageLocationResponse::default()).unwrap_err(),
        SendRequest::try_from(pb::MessageSendTextRequest::default()).unwrap_err(),
        SendRequest::try_from(pb::MessageSendContactRequest::default()).unwrap_err(),
        SendRequest::try_from(pb::MessageSendUrlRequest::default()).unwrap_err(),
        SendRequest::try_from(pb::MessageSendMiniProgramRequest::default()).unwrap_err(),
        SendRequest::try_from(pb::MessageSendLocationRequest::default()).unwrap_err(),
        SendRequest::try_from(pb::MessageForwardRequest::default()).unwrap_err(),
    ] {
        assert!(matches!(error, wechaty_grpc::WireError::Missing { .. }), "{error:?}");
        assert_eq!(tonic::Status::from(error).code(), tonic::Code::InvalidArgument);
    }
    SendRequest::try_from(pb::MessageSendFileRequest::default()).unwrap_err();
}

/// Reads bytes as a message, and the message as ours.
fn read<M: Message + Default, T>(bytes: &[u8], ours: impl FnOnce(M) -> T) {
    if let Ok(message) = M::decode(bytes) {
        ours(message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Fields of every number and wire type, so that much of it decodes.
    #[test]
    fn no_bytes_make_anything_panic(fields in vec((1..11_u32, 0..3_u8, vec(any::<u8>(), 0..12)), 0..12)) {
        let mut bytes = Vec::new();
        for (number, kind, content) in fields {
            let key = |wire: u32| u8::try_from(number << 3 | wire).unwrap();
            match kind {
                0 => bytes.extend([key(0), content.first().copied().unwrap_or(1) & 0x7f]),
                1 => {
                    // The largest of all numbers, in ten bytes.
                    bytes.push(key(0));
                    bytes.extend([0xff; 9]);
                    bytes.push(1);
                }
                _ => {
                    bytes.extend([key(2), u8::try_from(content.len()).unwrap()]);
                    bytes.extend(content);
                }
            }
        }
        read(&bytes, |m: pb::ContactPayloadResponse| ContactPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::RoomPayloadResponse| RoomPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::RoomMemberPayloadResponse| RoomMemberPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::RoomInvitationPayloadResponse| RoomInvitationPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::MessagePayloadResponse| {
            let payload = MessagePayload::try_from(m).ok()?;
            Some(pb::MessagePayloadResponse::of(&payload, Dialect::Java))
        });
        read(&bytes, |m: pb::FriendshipPayloadResponse| FriendshipPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageUrlResponse| UrlLinkPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageMiniProgramResponse| MiniProgramPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageLocationResponse| LocationPayload::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageSendTextRequest| SendRequest::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageSendFileRequest| SendRequest::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageSendUrlRequest| SendRequest::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageSendMiniProgramRequest| SendRequest::try_from(m).is_ok());
        read(&bytes, |m: pb::MessageSendLocationRequest| SendRequest::try_from(m).is_ok());
        read(&bytes, |m: pb::FriendshipPayloadRequest| m.to_set().is_ok());
        read(&bytes, |m: pb::RoomInvitationPayloadRequest| m.to_set().is_ok());
        read(&bytes, |m: pb::FriendshipAddRequest| m.request());
        read(&bytes, |m: pb::RoomAddRequest| m.contacts());
        read(&bytes, |m: pb::DirtyPayloadRequest| DirtyEvent::from(m));
        read(&bytes, |m: pb::MessageSendFileStreamRequest| {
            wechaty_grpc::chunks::SendFileStream::default().push(m).is_ok()
        });
        read(&bytes, |m: pb::EventResponse| event::read(&m).is_ok());
    }

    #[test]
    fn no_text_makes_anything_panic(text in "\\PC{0,40}", number in 0..40) {
        let _ = event::read(&pb::EventResponse { r#type: number, payload: text.clone() });
        let _ = file::read(&text);
        let _ = token::from_authorization(&text);
        let _ = token::server_name(&text);
        let _ = Dialect::of_user_agent(Some(&text));
        let asked = status::Asked {
            platform: PlatformName::new("service"), capability: Capability::SendText, context: "x", what: "y", id: &text,
        };
        let _ = status::to_puppet(&tonic::Status::new(tonic::Code::from(number), text.clone()), asked);
    }

    /// JSON with the right keys and wrong values.
    #[test]
    fn no_json_makes_anything_panic(
        key in prop_oneof![
            Just("data"), Just("messageId"), Just("roomId"), Just("timestamp"), Just("status"), Just("inviteeIdList"),
            Just("payloadType"), Just("type"), Just("boxType"), Just("base64"), Just("url"), Just("headers"), Just("size"),
        ],
        value in prop_oneof![
            Just("null"), Just("-1"), Just("1e308"), Just("18446744073709551615"), Just("[null]"), Just("{\"a\":[{}]}"),
            Just("\"\""), Just("true"), Just("7"),
        ],
        number in 0..40,
    ) {
        let payload = format!("{{\"roomId\":\"r\",\"type\":2,\"{key}\":{value}}}");
        let _ = event::read(&pb::EventResponse { r#type: number, payload: payload.clone() });
        let _ = file::read(&payload);
    }
}
