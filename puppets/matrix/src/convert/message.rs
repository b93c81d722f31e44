//! MESSAGES: what somebody said, as a payload.

use serde_json::{Value, json};
use wechaty_puppet::{LocationPayload, Mention, MessageEditEvent, MessagePayload, MessageType};

use super::{Place, What, id, sender, text, time};
use crate::id::mxc;

pub(super) fn read(kind: &str, event: &Value, place: &Place<'_>) -> Option<What> {
    let content = &event["content"];
    // A request to compare keys is for the puppet; its body is for clients that do not know it.
    if is_taken_back(event) || text(content, &["msgtype"]) == Some("m.key.verification.request") {
        return None;
    }
    let relation = &content["m.relates_to"];
    if text(relation, &["rel_type"]) == Some("m.replace") && kind == "m.room.message" {
        return Some(What::Edit(MessageEditEvent {
            message_id: text(relation, &["event_id"]).filter(|id| !id.is_empty())?.into(),
            conversation: place.conversation(),
            editor_id: sender(event),
            new_text: words(&content["m.new_content"], false),
            timestamp: time(event),
        }));
    }
    let (kind, filename, words) = match kind {
        "m.sticker" => (MessageType::Emoticon, name(content), text(content, &["body"]).map(str::to_owned)),
        "m.room.encrypted" => (MessageType::Unknown, None, None),
        _ => said(content),
    };
    let talker_id = sender(event)?;
    let listener_id = place.peer.map(|peer| if talker_id.as_str() == place.me { peer.into() } else { place.me.into() });
    let mut payload = MessagePayload::direct(id(event)?, talker_id, "", "");
    payload.timestamp = time(event);
    payload.kind = kind;
    payload.filename = filename;
    payload.text = words;
    payload.listener_id = listener_id;
    payload.room_id = place.peer.is_none().then(|| place.room.into());
    payload.mentions = mentions(content);
    payload.quote_id = quote(relation).map(Into::into);
    payload.automated = is_automated(event, place.me);
    Some(What::Message(Box::new(payload)))
}

/// What is left of an event that was taken back has no content.
fn is_taken_back(event: &Value) -> bool {
    event["unsigned"].get("redacted_because").is_some()
        || event["content"].as_object().is_some_and(serde_json::Map::is_empty)
}

/// Marks what our bots say, with who says it: two of them in a room do not answer each other without end, and a person who
/// forwards their words with all that belongs to them is heard.
pub(crate) const AUTOMATED: &str = "org.wechaty.automated";

/// What bots say to nobody in particular. The specification forbids to answer a notice automatically; what another bot of
/// ours says is one in the look of a text.
fn is_automated(event: &Value, me: &str) -> bool {
    let content = &event["content"];
    let marked = text(content, &[AUTOMATED]).filter(|marked| text(event, &["sender"]) == Some(marked));
    text(content, &["msgtype"]) == Some("m.notice") || marked.is_some_and(|by| by != me)
}

fn said(content: &Value) -> (MessageType, Option<String>, Option<String>) {
    let kind = match text(content, &["msgtype"]) {
        Some("m.text" | "m.notice" | "m.emote") => MessageType::Text,
        Some("m.image") => MessageType::Image,
        Some("m.audio") => MessageType::Audio,
        Some("m.video") => MessageType::Video,
        Some("m.file") => MessageType::Attachment,
        Some("m.location") => MessageType::Location,
        // The specification: what a client does not know is shown by its body.
        Some(_) if text(content, &["body"]).is_some() => MessageType::Text,
        _ => MessageType::Unknown,
    };
    match kind {
        MessageType::Text => (kind, None, words(content, true)),
        MessageType::Unknown => (kind, None, None),
        MessageType::Location => (kind, None, text(content, &["body"]).map(str::to_owned)),
        _ => {
            let name = name(content);
            let caption = text(content, &["body"]).filter(|body| name.as_deref() != Some(body));
            (kind, name, caption.map(str::to_owned))
        }
    }
}

fn name(content: &Value) -> Option<String> {
    let name = text(content, &["filename"]).or_else(|| text(content, &["body"]));
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The words of a text, without what older clients repeat of the message they answer.
fn words(content: &Value, is_reply: bool) -> Option<String> {
    let body = text(content, &["body"])?;
    let answers = is_reply && content["m.relates_to"].get("m.in_reply_to").is_some();
    Some(if answers { without_fallback(body) } else { body }.to_owned())
}

/// `> <@user:server> words` and further lines with `> `, then an empty one.
fn without_fallback(body: &str) -> &str {
    if !body.starts_with("> <@") && !body.starts_with("> * <@") {
        return body;
    }
    let mut rest = body;
    while let Some(line) = rest.strip_prefix("> ").or_else(|| rest.strip_prefix('>')) {
        match line.split_once('\n') {
            Some((_, behind)) => rest = behind,
            None => return body,
        }
    }
    rest.strip_prefix('\n').unwrap_or(rest)
}

/// `None`: the client tells no mentions, so the words are searched.
fn mentions(content: &Value) -> Option<Vec<Mention>> {
    /// A room has not more to mention.
    const MOST: usize = 1000;
    let told = content.get("m.mentions")?.as_object()?;
    let mut mentions = Vec::new();
    if told.get("room").and_then(Value::as_bool) == Some(true) {
        mentions.push(Mention::All);
    }
    let people = told.get("user_ids").and_then(Value::as_array).into_iter().flatten().take(MOST);
    for person in people.filter_map(Value::as_str).filter(|person| person.starts_with('@')) {
        let mention = Mention::Contact(person.into());
        if !mentions.contains(&mention) {
            mentions.push(mention);
        }
    }
    Some(mentions)
}

/// What a message answers: the message it replies to, or the first one of its thread.
fn quote(relation: &Value) -> Option<&str> {
    let replied = text(relation, &["m.in_reply_to", "event_id"]);
    let thread = (text(relation, &["rel_type"]) == Some("m.thread")).then(|| text(relation, &["event_id"])).flatten();
    let falls_back = relation["is_falling_back"].as_bool() == Some(true);
    let quoted = if falls_back { thread.or(replied) } else { replied.or(thread) };
    quoted.filter(|id| !id.is_empty())
}

/// A file in a message: where it is and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    /// `mxc://…`
    pub(crate) uri: String,
    pub(crate) name: String,
    pub(crate) media_type: Option<String>,
    pub(crate) size: Option<u64>,
    /// Keys of what is encrypted, as the event has them.
    pub(crate) keys: Option<Value>,
}

/// The file of a message.
pub(crate) fn file(event: &Value) -> Option<File> {
    let content = &event["content"];
    let is_sticker = text(event, &["type"]) == Some("m.sticker");
    let has_file = matches!(text(content, &["msgtype"]), Some("m.image" | "m.audio" | "m.video" | "m.file"));
    if !is_sticker && !has_file {
        return None;
    }
    let keys = content.get("file").filter(|file| file.is_object());
    let uri = text(content, &["url"]).or_else(|| text(keys?, &["url"]))?;
    mxc(uri)?;
    let info = &content["info"];
    let media_type = text(info, &["mimetype"]).filter(|kind| kind.contains('/') && kind.len() < 128 && kind.is_ascii());
    Some(File {
        uri: uri.to_owned(),
        name: name(content).unwrap_or_else(|| "file".to_owned()),
        media_type: media_type.map(str::to_owned),
        size: info["size"].as_u64(),
        keys: keys.cloned(),
    })
}

/// The place of a location message.
pub(crate) fn location(content: &Value) -> Option<LocationPayload> {
    let uri = text(content, &["geo_uri"]).or_else(|| text(content, &["org.matrix.msc3488.location", "uri"]))?;
    let rest = uri.strip_prefix("geo:")?;
    let (coordinates, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let mut numbers = coordinates.split(',').map(|number| number.trim().parse::<f64>().ok().filter(|n| n.is_finite()));
    let (latitude, longitude) = (numbers.next()??, numbers.next()??);
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return None;
    }
    let uncertain = parameters.split(';').find_map(|parameter| parameter.strip_prefix("u="));
    let name =
        ["m.location", "org.matrix.msc3488.location"].iter().find_map(|key| text(content, &[key, "description"]));
    Some(LocationPayload {
        accuracy: uncertain.and_then(|u| u.parse().ok()).filter(|u: &f64| u.is_finite()).unwrap_or_default(),
        address: text(content, &["chat.wechaty.address"]).unwrap_or_default().to_owned(),
        latitude,
        longitude,
        name: name.or_else(|| text(content, &["body"])).unwrap_or_default().to_owned(),
    })
}

/// A place as the content of a message.
pub(crate) fn location_content(place: &LocationPayload) -> Value {
    let mut uri = format!("geo:{},{}", place.latitude, place.longitude);
    if place.accuracy > 0.0 {
        uri.push_str(&format!(";u={}", place.accuracy));
    }
    let words =
        [&place.name, &place.address].into_iter().filter(|words| !words.is_empty()).cloned().collect::<Vec<_>>();
    let body = if words.is_empty() { uri.clone() } else { format!("{} ({uri})", words.join(", ")) };
    let mut content = json!({
        "msgtype": "m.location",
        "body": body,
        "geo_uri": uri,
        "org.matrix.msc3488.location": { "uri": uri, "description": place.name },
    });
    if !place.address.is_empty() {
        content["chat.wechaty.address"] = place.address.clone().into();
    }
    content
}
