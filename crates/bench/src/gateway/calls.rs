//! The calls that are measured: their paths, and the bytes of their messages.

use bytes::Bytes;
use prost::Message;
use wechaty_grpc::pb;

pub(super) const START: &str = "/wechaty.Puppet/Start";
pub(super) const EVENT: &str = "/wechaty.Puppet/Event";
pub(super) const DING: &str = "/wechaty.Puppet/Ding";
/// A call with an answer of some fields, as bots make most of.
pub(super) const UNARY: &str = "/wechaty.Puppet/ContactPayload";
pub(super) const UPLOAD: &str = "/wechaty.Puppet/Upload";
pub(super) const DOWNLOAD: &str = "/wechaty.Puppet/Download";

/// Whose payload is asked for.
pub(super) const CONTACT: &str = "bench-contact";
const DATA: &str = "ding";
/// The number of the event.
const DONG: i32 = 3;
const READY: i32 = 23;
/// Bytes of a file in a message.
pub(super) const PIECE: usize = 256 << 10;

pub(super) fn unary() -> Bytes {
    encoded(&pb::ContactPayloadRequest { id: CONTACT.to_owned() })
}

pub(super) fn ding() -> Bytes {
    encoded(&pb::DingRequest { data: DATA.to_owned() })
}

/// What comes of a ding, as our gateway writes it.
pub(super) fn dong() -> Bytes {
    encoded(&pb::EventResponse { r#type: DONG, payload: format!("{{\"data\":\"{DATA}\"}}") })
}

pub(super) fn is_ready(event: &Bytes) -> bool {
    pb::EventResponse::decode(event.clone()).is_ok_and(|event| event.r#type == READY)
}

/// A file of so many bytes, in messages of upload or download: they are the same.
pub(super) fn pieces(bytes: u64) -> impl Iterator<Item = Bytes> + Send + 'static {
    let piece = |length: usize| encoded(&pb::UploadRequest { chunk: vec![0x5a; length].into() });
    let (whole, rest) = (bytes / PIECE as u64, (bytes % PIECE as u64) as usize);
    let last = (rest > 0).then(|| piece(rest));
    let full = piece(PIECE);
    (0..whole).map(move |_| full.clone()).chain(last)
}

/// The bytes of a file in a message of a download.
pub(super) fn length(message: &Bytes) -> anyhow::Result<usize> {
    Ok(pb::DownloadResponse::decode(message.clone())?.chunk.len())
}

pub(super) fn uploaded(answer: &Bytes) -> anyhow::Result<String> {
    Ok(pb::UploadResponse::decode(answer.clone())?.id)
}

pub(super) fn download(id: &str) -> Bytes {
    encoded(&pb::DownloadRequest { id: id.to_owned() })
}

pub(super) fn encoded(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}
