//! Reads what is said in a world: messages with their contents, and posts.

use std::{collections::BTreeMap, sync::Arc};

use base64::Engine;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wechaty_puppet::{
    ContactCard, ContactId, Mention, MessageId, MessagePayload, MessageType, PostContent, PostCounter, PostId,
    PostPayload, PostType, SayablePayload, TapType, TextPayload, Timestamp, Words,
};

use super::{
    WorldMessage, WorldPost,
    error::nearest,
    phrases,
    reader::{Check, Fields, Kind, describe, quoted},
};
use crate::content::{Content, FileSpec, MAX_CYCLE};

pub(super) fn messages(value: Option<&Value>, check: &mut Check) -> Vec<WorldMessage> {
    let items = check.items("$.messages", value);
    items.into_iter().map(|(path, value)| message(path, value, check)).collect()
}

fn message(path: String, value: &Value, check: &mut Check) -> WorldMessage {
    const KEYS: &[&str] = &[
        "id",
        "type",
        "talkerId",
        "listenerId",
        "roomId",
        "timestamp",
        "text",
        "mentionIdList",
        "filename",
        "file",
        "contactId",
        "url",
        "miniProgram",
        "location",
    ];
    let mut fields = Fields::open(path, value, KEYS, check);
    let id = fields.own_id();
    let kind = named(&mut fields, "type", true, MessageType::ALL, MessageType::name).unwrap_or_default();
    let talker = fields.required_reference("talkerId", Kind::Contact);
    let listener = fields.reference("listenerId", Kind::Contact);
    let room = fields.reference("roomId", Kind::Room);
    if value.is_object() && listener.is_none() && room.is_none() {
        fields.check.fault(&fields.path, phrases::ROOM_OR_LISTENER, phrases::NEITHER, None);
    }
    let mut payload = MessagePayload::direct(id, talker, "", "");
    payload.kind = kind;
    payload.listener_id = listener.map(Into::into);
    payload.room_id = room.map(Into::into);
    payload.text = fields.text("text");
    payload.timestamp = Timestamp::from_millis(fields.count("timestamp", phrases::MILLISECONDS).unwrap_or_default());
    payload.mentions = mentions(&mut fields);
    payload.filename = fields.filled("filename");
    let content = content(&mut fields, &payload);
    if let (None, Some(Content::File(file))) = (&payload.filename, &content) {
        payload.filename = Some(file.name.clone());
    }
    WorldMessage { payload: Arc::new(payload), content }
}

/// `None` where the key is absent: the platform does not tell.
fn mentions(fields: &mut Fields<'_, '_>) -> Option<Vec<Mention>> {
    fields.get("mentionIdList")?;
    let list = fields.texts("mentionIdList").into_iter().map(|(path, id)| {
        if id == Mention::ALL {
            return Mention::All;
        }
        fields.check.id(&path, &id, Kind::Contact);
        Mention::Contact(id.into())
    });
    Some(list.collect())
}

/// The variant whose name a key holds.
fn named<T: Copy>(
    fields: &mut Fields<'_, '_>,
    key: &str,
    required: bool,
    all: &[T],
    name: impl Fn(T) -> Option<&'static str>,
) -> Option<T> {
    let expected = || phrases::NAME_OF.with("key", key);
    let value = if required { fields.require(key, expected()) } else { fields.get(key) }?;
    let text = value.as_str().unwrap_or_default();
    let found = all.iter().copied().find(|variant| name(*variant) == Some(text));
    if found.is_none() {
        let names: Vec<_> = all.iter().filter_map(|variant| name(*variant)).collect();
        fields.check.fault(&fields.at(key), expected(), describe(value), nearest(text, names.into_iter()));
    }
    found
}

fn content(fields: &mut Fields<'_, '_>, payload: &MessagePayload) -> Option<Content> {
    let say = |what| Some(Content::Say(Arc::new(what)));
    // Each part is read, so that each is checked; the type tells which of them is the content.
    let file = file(fields).map(|file| Content::File(Arc::new(file)));
    let contact = fields.reference("contactId", Kind::Contact).map(|id| ContactCard { contact_id: id.into() });
    const LINK: &[&str] = &["url", "title", "description", "thumbnailUrl"];
    let url = part(fields, "url", LINK).map(SayablePayload::Url);
    const MINI: &[&str] =
        &["appid", "description", "pagePath", "iconUrl", "shareId", "thumbUrl", "title", "username", "thumbKey"];
    let mini = part(fields, "miniProgram", MINI).map(SayablePayload::MiniProgram);
    const PLACE: &[&str] = &["accuracy", "address", "latitude", "longitude", "name"];
    let location = part(fields, "location", PLACE).map(SayablePayload::Location);
    match payload.kind {
        MessageType::Contact if contact.is_some() => return contact.map(SayablePayload::Contact).and_then(say),
        MessageType::Url if url.is_some() => return url.and_then(say),
        MessageType::MiniProgram if mini.is_some() => return mini.and_then(say),
        MessageType::Location if location.is_some() => return location.and_then(say),
        _ => {}
    }
    if let Some(other) = contact.map(SayablePayload::Contact).or(url).or(mini).or(location) {
        return file.or_else(|| say(other));
    }
    file.or_else(|| {
        let text = payload.text.clone()?;
        let mentions = payload.mentions.clone().unwrap_or_default();
        say(SayablePayload::Text(TextPayload { text, mentions }))
    })
}

/// An object of which the types crate knows the form.
fn part<T: DeserializeOwned>(fields: &mut Fields<'_, '_>, key: &str, keys: &[&str]) -> Option<T> {
    let (value, path) = (fields.get(key)?, fields.at(key));
    Fields::open(path.clone(), value, keys, fields.check);
    match T::deserialize(value) {
        Ok(part) => Some(part),
        Err(error) if value.is_object() => {
            fields.check.fault(
                &path,
                phrases::COMPLETE.with("key", key),
                phrases::SAYS.with("error", Words::quoted(error)),
                None,
            );
            None
        }
        Err(_) => None,
    }
}

fn file(fields: &mut Fields<'_, '_>) -> Option<FileSpec> {
    let value = fields.get("file")?;
    let mut file = Fields::open(fields.at("file"), value, &["name", "text", "base64", "cycle"], fields.check);
    file.require("name", phrases::FILE_NAME);
    let name = file.text("name").unwrap_or_default();
    let given: Vec<_> = ["text", "base64", "cycle"].into_iter().filter(|key| file.get(key).is_some()).collect();
    if given.len() != 1 && value.is_object() {
        let found = match given.is_empty() {
            true => phrases::NONE_OF_THEM.words(),
            false => Words::all_of(given.into_iter().map(|key| format!("`{key}`").into())),
        };
        file.check.fault(&file.path, phrases::ONE_CONTENT, found, None);
    }
    let text = file.text("text");
    let cycle = file.count("cycle", phrases::BYTES);
    if let Some(length) = cycle.filter(|length| *length > MAX_CYCLE) {
        let path = file.at("cycle");
        file.check.fault(&path, phrases::MOST_BYTES.with("most", MAX_CYCLE), length, None);
    }
    let base64 = file.text("base64").and_then(|text| {
        let decoded = base64::engine::general_purpose::STANDARD.decode(&text);
        decoded
            .map_err(|error| {
                let path = file.at("base64");
                file.check.fault(&path, phrases::BASE64.with("error", Words::quoted(error)), quoted(&text), None);
            })
            .ok()
    });
    match (text, base64, cycle) {
        (Some(text), ..) => Some(FileSpec::bytes(name, text.into_bytes())),
        (None, Some(bytes), _) => Some(FileSpec::bytes(name, bytes)),
        (None, None, Some(length)) => Some(FileSpec::cycle(name, length.clamp(0, MAX_CYCLE) as usize)),
        (None, None, None) => None,
    }
}

pub(super) fn posts(value: Option<&Value>, check: &mut Check) -> Vec<WorldPost> {
    let items = check.items("$.posts", value);
    items.into_iter().map(|(path, value)| post(path, value, check)).collect()
}

fn post(path: String, value: &Value, check: &mut Check) -> WorldPost {
    const KEYS: &[&str] = &["id", "contactId", "timestamp", "type", "parentId", "rootId", "sayableList", "taps"];
    let mut fields = Fields::open(path, value, KEYS, check);
    let id: PostId = fields.own_id().into();
    let contact_id: ContactId = fields.required_reference("contactId", Kind::Contact).into();
    let timestamp = Timestamp::from_millis(fields.count("timestamp", phrases::MILLISECONDS).unwrap_or_default());
    let sayable_list = fields.references("sayableList", Kind::Message).into_iter().map(MessageId::from).collect();
    let kind = named(&mut fields, "type", false, PostType::ALL, PostType::name).unwrap_or(PostType::Moment);
    let mut taps = BTreeMap::new();
    if let Some(value) = fields.get("taps") {
        let mut table = Fields::open(fields.at("taps"), value, &["Like"], fields.check);
        let who = table.references("Like", Kind::Contact).into_iter().map(ContactId::from).collect();
        taps.insert(TapType::Like, who);
    }
    let payload = PostPayload {
        parent_id: fields.reference("parentId", Kind::Post).map(PostId::from),
        root_id: fields.reference("rootId", Kind::Post).map(PostId::from),
        kind,
        content: PostContent::Server {
            id: id.clone(),
            contact_id,
            timestamp,
            sayable_list,
            counter: PostCounter::default(),
        },
    };
    WorldPost { id, payload: Arc::new(payload), taps }
}
