//! MEDIA: sending up images and files, and fetching them.

use serde_json::json;

use super::{Answer, Answered, Call, multipart};
use crate::{
    refusal::{Refusal, refused, violated},
    state::{Media, Sender, State},
};

const MOST_IMAGE: usize = 10 * 1024 * 1024;
const MOST_FILE: usize = 30 * 1024 * 1024;
const FILE_TYPES: [&str; 7] = ["opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"];

struct Form<'a>(Vec<multipart::Part<'a>>);

impl<'a> Form<'a> {
    fn read(call: &'a Call) -> Result<Self, Refusal> {
        multipart::parts(&call.content_type, &call.body).map(Self)
    }

    fn bytes(&self, name: &'static str) -> Result<&'a [u8], Refusal> {
        self.0.iter().find(|part| part.name == name).map(|part| part.bytes).ok_or_else(|| violated(name, "is required"))
    }

    fn text(&self, name: &'static str) -> Result<String, Refusal> {
        Ok(String::from_utf8_lossy(self.bytes(name)?).into_owned())
    }
}

fn within(bytes: &[u8], most: usize) -> Result<(), Refusal> {
    match bytes.len() {
        0 => Err(refused(234_010, "File's size can't be 0.")),
        length if length > most => Err(refused(234_006, "The file size exceed the max value.")),
        _ => Ok(()),
    }
}

pub(super) fn upload_image(state: &mut State, call: &Call) -> Answered {
    let form = Form::read(call)?;
    let kind = match form.text("image_type")?.as_str() {
        "message" => "image",
        "avatar" => "avatar",
        _ => return Err(refused(234_001, "Invalid request param: image_type")),
    };
    let bytes = form.bytes("image")?;
    within(bytes, MOST_IMAGE)?;
    if !is_image(bytes) {
        return Err(refused(234_011, "Can't recognize the image format."));
    }
    let key = state.add_media(kind, "", None, bytes.to_vec(), true);
    Ok(Answer::Data(json!({ "image_key": key })))
}

/// JPEG, PNG, WEBP, GIF, TIFF, BMP, ICO: by their first bytes.
fn is_image(bytes: &[u8]) -> bool {
    let starts: [&[u8]; 7] = [b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\x01\0"];
    starts.iter().any(|start| bytes.starts_with(start))
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
}

pub(super) fn upload_file(state: &mut State, call: &Call) -> Answered {
    let form = Form::read(call)?;
    let kind = form.text("file_type")?;
    if !FILE_TYPES.contains(&kind.as_str()) {
        return Err(refused(234_001, "Invalid request param: file_type"));
    }
    let name = form.text("file_name")?;
    if name.is_empty() {
        return Err(violated("file_name", "is required"));
    }
    let duration = form.text("duration").ok().and_then(|text| text.parse().ok());
    let bytes = form.bytes("file")?;
    within(bytes, MOST_FILE)?;
    let key = state.add_media(&kind, &name, duration, bytes.to_vec(), true);
    Ok(Answer::Data(json!({ "file_key": key })))
}

fn given(media: &Media) -> Answer {
    let kind = match media.kind.as_str() {
        "image" | "avatar" if media.bytes.starts_with(b"\x89PNG") => "image/png",
        "image" | "avatar" => "image/jpeg",
        "mp4" => "video/mp4",
        "opus" => "audio/ogg",
        _ => "application/octet-stream",
    };
    Answer::Bytes(kind, media.name.clone(), media.bytes.clone())
}

/// What the app itself sent up.
fn own<'a>(state: &'a State, key: &str, image: bool) -> Result<&'a Media, Refusal> {
    let media = state.media.get(key).filter(|media| media.is_image() == image);
    let media = media.ok_or_else(|| refused(234_001, "Invalid request param: no such key"))?;
    match media.by_app {
        true => Ok(media),
        false => Err(refused(234_008, "The app is not the resource sender.")),
    }
}

pub(super) fn image(state: &mut State, call: &Call) -> Answered {
    own(state, call.param(0), true).map(given)
}

pub(super) fn file(state: &mut State, call: &Call) -> Answered {
    own(state, call.param(0), false).map(given)
}

/// What is in a message, whoever wrote it.
pub(super) fn resource(state: &mut State, call: &Call) -> Answered {
    let wants_image = match call.query("type") {
        Some("image") => true,
        Some("file") => false,
        _ => return Err(violated("type", "is neither image nor file")),
    };
    let message = state.seen(call.param(0)).map_err(|refusal| match refusal.code {
        230_002 => refused(234_004, "App not in chat."),
        _ => refusal,
    })?;
    if message.recalled.is_some() {
        return Err(refused(230_110, "Action unavailable as the message has been deleted."));
    }
    let is_in = message.content.contains(call.param(1)) || message.raw.contains(call.param(1));
    let media = state.media.get(call.param(1)).filter(|_| is_in);
    let media = media.ok_or_else(|| refused(234_003, "File not in message."))?;
    if media.kind == "sticker" {
        return Err(refused(234_001, "Invalid request param: stickers cannot be downloaded"));
    }
    if media.is_image() != wants_image {
        return Err(refused(234_001, "Invalid request param: type"));
    }
    if matches!(message.sender, Sender::App) && message.msg_type == "merge_forward" {
        return Err(refused(234_043, "Unsupported message type."));
    }
    Ok(given(media))
}
