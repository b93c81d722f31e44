//! Messages: from the platform's two forms (of events, and of calls) to a payload.

use serde_json::Value;
use wechaty_puppet::{ContactId, LocationPayload, Mention, MessageType, Timestamp};

use super::{
    card,
    post::read as read_post,
    text::{people, resolve},
};
use crate::json::{at, list, person, some, text, time};

/// What a message holds.
#[derive(Debug, PartialEq)]
pub struct Body {
    /// What it is.
    pub kind: MessageType,
    /// Its words.
    pub text: Option<String>,
    /// Name of its file.
    pub filename: Option<String>,
    /// Whom it mentions.
    pub mentions: Vec<Mention>,
    /// Its file: key, and whether it is loaded as a picture.
    pub file: Option<(String, bool)>,
}

/// A message, whichever form it came in.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) id: String,
    pub(crate) chat: String,
    /// `p2p`, `group`; empty: the form does not tell.
    pub(crate) chat_type: String,
    pub(crate) sender: Option<ContactId>,
    pub(crate) time: Timestamp,
    /// When it was changed last.
    pub(crate) changed: Timestamp,
    pub(crate) quote: Option<String>,
    /// The platform's name of its kind.
    pub(crate) kind: String,
    pub(crate) content: Value,
    pub(crate) body: Body,
}

/// From the event of a message: `sender` and `message`.
pub(crate) fn of_event(event: &Value) -> Raw {
    let message = at(event, "message");
    let sender = person(event, "sender.sender_id");
    raw(message, text(message, "message_type"), text(message, "content"), sender)
}

/// From an answer of the platform.
pub(crate) fn of_item(item: &Value) -> Raw {
    raw(item, text(item, "msg_type"), text(item, "body.content"), person(item, "sender.id"))
}

fn raw(message: &Value, kind: &str, content: &str, sender: Option<ContactId>) -> Raw {
    // What is no JSON is its own text.
    let content = serde_json::from_str(content).unwrap_or_else(|_| Value::String(content.to_owned()));
    Raw {
        id: text(message, "message_id").to_owned(),
        chat: text(message, "chat_id").to_owned(),
        chat_type: text(message, "chat_type").to_owned(),
        sender,
        time: time(message, "create_time"),
        changed: time(message, "update_time"),
        quote: some(message, "parent_id").map(str::to_owned),
        kind: kind.to_owned(),
        body: body(kind, &content, message),
        content,
    }
}

/// Reads the content of a kind; `message` names whom it mentions.
pub(crate) fn body(kind: &str, content: &Value, message: &Value) -> Body {
    let (people, mut mentions) = (people(message), Vec::new());
    let own = |path| some(content, path).map(str::to_owned);
    let picture = |path| own(path).map(|key| (key, true));
    let other = |path| own(path).map(|key| (key, false));
    // What has no form of its own is told whole.
    let whole = || {
        Some(match content {
            Value::String(words) => words.clone(),
            content => content.to_string(),
        })
    };
    let (kind, text, filename, file) = match kind {
        "text" => (MessageType::Text, Some(resolve(text(content, "text"), &people, &mut mentions)), None, None),
        "post" => {
            let read = read_post(content, &people);
            mentions = read.mentions;
            let kind = if read.is_plain { MessageType::Text } else { MessageType::Markdown };
            (kind, Some(read.text), None, read.image.map(|key| (key, true)))
        }
        "image" => (MessageType::Image, None, None, picture("image_key")),
        "file" => (MessageType::Attachment, None, own("file_name"), other("file_key")),
        "audio" => (MessageType::Audio, None, None, other("file_key")),
        "media" | "video" => (MessageType::Video, None, own("file_name"), other("file_key")),
        "sticker" => (MessageType::Emoticon, own("file_key"), None, None),
        "share_user" => (MessageType::Contact, own("user_id"), None, None),
        "location" => (MessageType::Location, own("name"), None, None),
        "system" => (MessageType::System, Some(template(content)), None, None),
        "hongbao" => (MessageType::RedEnvelope, own("text").or_else(whole), None, None),
        "video_chat" => (MessageType::CallRecord, own("topic").or_else(whole), None, None),
        "merge_forward" => (MessageType::ChatHistory, None, None, None),
        "interactive" => {
            let words = if card::is_reference(content) { String::new() } else { card::words(content) };
            (MessageType::Unknown, Some(words), None, None)
        }
        "share_chat" | "folder" | "calendar" | "share_calendar_event" | "general_calendar" | "todo" | "vote" => {
            (MessageType::AppRaw, whole(), own("file_name"), None)
        }
        // A kind of a later version is kept as it is.
        _ => (MessageType::Unknown, whole(), None, None),
    };
    // Also those whose key the text does not show.
    for named in people {
        super::text::add(&mut mentions, named.id.map(Mention::Contact));
    }
    Body { kind, text, filename, mentions, file }
}

/// A notice: its template with the names filled in.
fn template(content: &Value) -> String {
    let (mut out, mut rest) = (String::new(), text(content, "template"));
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let Some((key, after)) = behind.split_once('}') else {
            out.push('{');
            rest = behind;
            continue;
        };
        let names: Vec<_> = list(content, key).iter().filter_map(Value::as_str).collect();
        out.push_str(&if names.is_empty() { text(content, key).to_owned() } else { names.join(", ") });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A place, whose numbers are texts.
pub(crate) fn place(content: &Value) -> LocationPayload {
    let degrees = |path| {
        let found = at(content, path);
        found.as_f64().or_else(|| found.as_str()?.trim().parse().ok()).unwrap_or_default()
    };
    LocationPayload {
        accuracy: 0.0,
        address: String::new(),
        latitude: degrees("latitude"),
        longitude: degrees("longitude"),
        name: text(content, "name").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(kind: &str, content: Value) -> Body {
        body(kind, &content, &Value::Null)
    }

    #[test]
    fn an_event_and_an_answer_are_the_same_message() {
        let event = json!({
            "sender": { "sender_id": { "open_id": "ou_1", "union_id": "on_1" }, "sender_type": "user" },
            "message": { "message_id": "om_1", "parent_id": "om_0", "create_time": "1609073151345", "chat_id": "oc_1",
                "chat_type": "group", "message_type": "text", "content": "{\"text\":\"@_user_1 hello\"}",
                "mentions": [{ "key": "@_user_1", "id": { "open_id": "ou_2" }, "name": "Tom" }] } });
        let item = json!({
            "message_id": "om_1", "parent_id": "om_0", "msg_type": "text", "create_time": "1609073151345", "chat_id": "oc_1",
            "sender": { "id": "ou_1", "id_type": "open_id", "sender_type": "user" },
            "body": { "content": "{\"text\":\"@_user_1 hello\"}" },
            "mentions": [{ "key": "@_user_1", "id": "ou_2", "id_type": "open_id", "name": "Tom" }] });
        for raw in [of_event(&event), of_item(&item)] {
            assert_eq!((&*raw.id, &*raw.chat, raw.quote.as_deref()), ("om_1", "oc_1", Some("om_0")));
            assert_eq!(raw.sender, Some("ou_1".into()));
            assert_eq!(raw.time.as_millis(), 1_609_073_151_345);
            assert_eq!(raw.body.text.as_deref(), Some("@Tom hello"));
            assert_eq!(raw.body.mentions, [Mention::Contact("ou_2".into())]);
        }
    }

    #[test]
    fn each_kind_is_read() {
        for (kind, content, expected, text) in [
            ("image", json!({ "image_key": "img_1" }), MessageType::Image, None),
            ("file", json!({ "file_key": "f", "file_name": "a.pdf" }), MessageType::Attachment, None),
            ("audio", json!({ "file_key": "f", "duration": 1000 }), MessageType::Audio, None),
            ("media", json!({ "file_key": "f", "image_key": "i", "file_name": "a.mp4" }), MessageType::Video, None),
            ("sticker", json!({ "file_key": "s" }), MessageType::Emoticon, Some("s")),
            ("share_user", json!({ "user_id": "ou_9" }), MessageType::Contact, Some("ou_9")),
            ("share_chat", json!({ "chat_id": "oc_9" }), MessageType::AppRaw, Some("{\"chat_id\":\"oc_9\"}")),
            (
                "location",
                json!({ "name": "Here", "longitude": "1.5", "latitude": "2" }),
                MessageType::Location,
                Some("Here"),
            ),
            ("hongbao", json!({ "text": "luck" }), MessageType::RedEnvelope, Some("luck")),
            ("video_chat", json!({ "topic": "call", "start_time": "1" }), MessageType::CallRecord, Some("call")),
            ("todo", json!({ "due_time": "1" }), MessageType::AppRaw, Some("{\"due_time\":\"1\"}")),
            ("merge_forward", json!("Merged and Forwarded Message"), MessageType::ChatHistory, None),
            ("hologram", json!({ "x": 1 }), MessageType::Unknown, Some("{\"x\":1}")),
        ] {
            let body = of(kind, content);
            assert_eq!((body.kind, body.text.as_deref()), (expected, text), "{kind}");
        }
        assert_eq!(of("file", json!({ "file_key": "f", "file_name": "a.pdf" })).file, Some(("f".into(), false)));
        assert_eq!(of("image", json!({ "image_key": "i" })).file, Some(("i".into(), true)));
    }

    #[test]
    fn a_notice_names_everybody() {
        let content = json!({ "template": "{from_user} invited {to_chatters} {", "from_user": ["Ann"], "to_chatters": ["Bob", "Tom"] });
        assert_eq!(of("system", content).text.as_deref(), Some("Ann invited Bob, Tom {"));
    }

    #[test]
    fn degrees_are_texts_or_numbers() {
        let place = place(&json!({ "name": "x", "longitude": "116.34", "latitude": 39.99 }));
        assert_eq!((place.longitude, place.latitude), (116.34, 39.99));
    }
}
