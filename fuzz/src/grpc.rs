//! What comes over the puppet service: first a line that says what it is, then its JSON or its bytes.

use prost::Message;
use wechaty_grpc::{Dialect, SendRequest, chunks::SendFileStream, event, file, pb};
use wechaty_types::{
    ContactPayload, FriendshipPayload, LocationPayload, MessagePayload, MiniProgramPayload, RoomInvitationPayload,
    RoomMemberPayload, RoomPayload, UrlLinkPayload,
};

const DIALECTS: [Dialect; 6] =
    [Dialect::Rust, Dialect::TypeScript, Dialect::Go, Dialect::Python, Dialect::Java, Dialect::Unknown];

/// Whether it was read at all. What was read is written for every client, and as the same kind of thing.
pub(crate) fn check(input: &[u8]) -> bool {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return false };
    let (what, body) = (&input[..end], &input[end + 1..]);
    if what == b"bytes" {
        return bytes(body);
    }
    let (Ok(what), Ok(json)) = (std::str::from_utf8(what), String::from_utf8(body.to_vec())) else { return false };
    match what {
        "file" => file_box(&json),
        "url" => UrlLinkPayload::try_from(pb::MessageUrlResponse { url_link_deprecated: json, url_link: None })
            .is_ok_and(|link| UrlLinkPayload::try_from(pb::MessageUrlResponse::from(&link)).unwrap() == link),
        "mini-program" => {
            let wire = pb::MessageMiniProgramResponse { mini_program_deprecated: json, mini_program: None };
            MiniProgramPayload::try_from(wire).is_ok_and(|payload| {
                let mut wire = pb::MessageMiniProgramResponse::of(&payload, Dialect::Java);
                wire.mini_program = None;
                payload == MiniProgramPayload::default() || MiniProgramPayload::try_from(wire).unwrap() == payload
            })
        }
        "friendship" => pb::FriendshipPayloadRequest { payload: json, ..Default::default() }.to_set().is_ok(),
        "invitation" => pb::RoomInvitationPayloadRequest { payload: json, ..Default::default() }.to_set().is_ok(),
        number => number.parse().is_ok_and(|number| happening(number, json)),
    }
}

fn happening(number: i32, payload: String) -> bool {
    let Ok(what) = event::read(&pb::EventResponse { r#type: number, payload }) else { return false };
    for dialect in DIALECTS {
        if let Some(wire) = event::write(&what, dialect) {
            assert_eq!(event::read(&wire).expect("what was written can be read").kind(), what.kind());
        }
    }
    true
}

fn file_box(json: &str) -> bool {
    let Ok(read) = file::read(json) else { return false };
    for dialect in DIALECTS {
        let json = file::write(&read, dialect).expect("what was read can be written");
        let again = file::read(&json).expect("what was written can be read");
        assert_eq!((again.kind(), again.name()), (read.kind(), read.name()), "{json}");
    }
    true
}

/// Bytes as every message that is more than a few texts.
fn bytes(bytes: &[u8]) -> bool {
    fn ours<M: Message + Default, T: TryFrom<M>>(bytes: &[u8]) -> bool {
        M::decode(bytes).is_ok_and(|message| T::try_from(message).is_ok())
    }
    [
        ours::<pb::ContactPayloadResponse, ContactPayload>(bytes),
        ours::<pb::RoomPayloadResponse, RoomPayload>(bytes),
        ours::<pb::RoomMemberPayloadResponse, RoomMemberPayload>(bytes),
        ours::<pb::RoomInvitationPayloadResponse, RoomInvitationPayload>(bytes),
        ours::<pb::MessagePayloadResponse, MessagePayload>(bytes),
        ours::<pb::FriendshipPayloadResponse, FriendshipPayload>(bytes),
        ours::<pb::MessageLocationResponse, LocationPayload>(bytes),
        ours::<pb::MessageSendTextRequest, SendRequest>(bytes),
        ours::<pb::MessageSendFileRequest, SendRequest>(bytes),
        ours::<pb::MessageSendUrlRequest, SendRequest>(bytes),
        ours::<pb::MessageSendMiniProgramRequest, SendRequest>(bytes),
        ours::<pb::MessageSendLocationRequest, SendRequest>(bytes),
        pb::MessageSendFileStreamRequest::decode(bytes).is_ok_and(|m| SendFileStream::default().push(m).is_ok()),
        pb::EventResponse::decode(bytes).is_ok_and(|m| event::read(&m).is_ok()),
    ]
    .contains(&true)
}
