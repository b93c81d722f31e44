//! Reads who and where: contacts, rooms, tags, friendships, invitations, search.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;
use wechaty_puppet::{
    ContactGender, ContactId, ContactPayload, ContactType, FriendshipPayload, FriendshipSceneType, FriendshipType,
    ReceiveDetails, RoomInvitationPayload, RoomPayload, TagId, Timestamp,
};

use super::{
    WorldRoom, phrases,
    reader::{Check, Fields, Kind},
};

fn ids<T: From<String>>(texts: Vec<String>) -> Vec<T> {
    texts.into_iter().map(T::from).collect()
}

pub(super) fn contacts(value: Option<&Value>, check: &mut Check) -> Vec<Arc<ContactPayload>> {
    const KEYS: &[&str] = &[
        "id",
        "name",
        "gender",
        "type",
        "friend",
        "phone",
        "alias",
        "avatar",
        "star",
        "city",
        "province",
        "signature",
        "weixin",
        "address",
        "corporation",
        "title",
        "description",
        "coworker",
    ];
    let items = check.items("$.contacts", value);
    let read = |(path, value)| {
        let mut fields = Fields::open(path, value, KEYS, check);
        Arc::new(ContactPayload {
            id: fields.own_id().into(),
            gender: ContactGender::from_number(fields.choice("gender", 0..=2, phrases::GENDER).unwrap_or_default()),
            kind: ContactType::from_number(fields.choice("type", 0..=4, phrases::CONTACT_TYPE).unwrap_or(1)),
            name: fields.text("name").unwrap_or_default(),
            avatar: fields.text("avatar").unwrap_or_default(),
            phone: fields.texts("phone").into_iter().map(|(_, text)| text).collect(),
            address: fields.filled("address"),
            alias: fields.filled("alias"),
            city: fields.filled("city"),
            friend: Some(fields.flag("friend").unwrap_or_default()),
            province: fields.filled("province"),
            signature: fields.filled("signature"),
            star: fields.flag("star"),
            handle: fields.filled("weixin"),
            corporation: fields.filled("corporation"),
            title: fields.filled("title"),
            description: fields.filled("description"),
            coworker: fields.flag("coworker"),
            language: None,
        })
    };
    items.into_iter().map(read).collect()
}

pub(super) fn rooms(value: Option<&Value>, check: &mut Check) -> Vec<WorldRoom> {
    const KEYS: &[&str] =
        &["id", "topic", "ownerId", "adminIdList", "memberIdList", "avatar", "roomAliases", "announce", "qrcode"];
    let items = check.items("$.rooms", value);
    let read = |(path, value)| {
        let mut fields = Fields::open(path, value, KEYS, check);
        let mut payload = RoomPayload::new(fields.own_id(), fields.text("topic").unwrap_or_default(), Vec::new());
        payload.owner_id = fields.reference("ownerId", Kind::Contact).map(ContactId::from);
        payload.admin_id_list = ids(fields.references("adminIdList", Kind::Contact));
        payload.member_id_list = ids(fields.references("memberIdList", Kind::Contact));
        payload.avatar = fields.filled("avatar");
        let table = fields.get("roomAliases");
        let mut aliases = BTreeMap::new();
        for (path, id, value) in fields.check.entries(&fields.at("roomAliases"), table) {
            fields.check.id(&path, id, Kind::Contact);
            if let Some(alias) = fields.check.text(&path, value) {
                aliases.insert(id.as_str().into(), alias);
            }
        }
        WorldRoom {
            payload: Arc::new(payload),
            aliases,
            announce: fields.text("announce").unwrap_or_default(),
            qrcode: fields.text("qrcode").unwrap_or_default(),
        }
    };
    items.into_iter().map(read).collect()
}

pub(super) fn tags(value: Option<&Value>, check: &mut Check) -> BTreeMap<TagId, Vec<ContactId>> {
    let mut tags = BTreeMap::new();
    for (path, tag, list) in check.entries("$.tags", value) {
        let mut contacts = Vec::new();
        for (path, item) in check.items(&path, Some(list)) {
            if let Some(id) = check.text(&path, item) {
                check.id(&path, &id, Kind::Contact);
                contacts.push(id.into());
            }
        }
        tags.insert(tag.as_str().into(), contacts);
    }
    tags
}

pub(super) fn friendships(value: Option<&Value>, check: &mut Check) -> Vec<Arc<FriendshipPayload>> {
    const KEYS: &[&str] = &["id", "type", "contactId", "hello", "scene", "ticket", "stranger"];
    let items = check.items("$.friendships", value);
    let read = |(path, value)| {
        let mut fields = Fields::open(path, value, KEYS, check);
        let expected = phrases::FRIENDSHIP_TYPE;
        fields.require("type", expected);
        let kind = FriendshipType::from_number(fields.choice("type", 1..=3, expected).unwrap_or_default());
        let ticket = fields.filled("ticket");
        let scene = fields.count("scene", phrases::SCENE);
        let stranger = fields.filled("stranger");
        // The answers to a request of ours carry these empty.
        let tells = ticket.is_some() || stranger.is_some() || scene.is_some_and(|scene| scene > 0);
        let receive = (kind == FriendshipType::Receive || tells).then(|| ReceiveDetails {
            ticket: ticket.unwrap_or_default(),
            scene: scene.and_then(|n| i32::try_from(n).ok()).map(FriendshipSceneType::from_number),
            stranger,
        });
        Arc::new(FriendshipPayload {
            id: fields.own_id().into(),
            contact_id: fields.required_reference("contactId", Kind::Contact).into(),
            timestamp: Timestamp::default(),
            kind,
            hello: fields.filled("hello"),
            receive,
        })
    };
    items.into_iter().map(read).collect()
}

pub(super) fn invitations(value: Option<&Value>, check: &mut Check) -> Vec<Arc<RoomInvitationPayload>> {
    const KEYS: &[&str] =
        &["id", "inviterId", "receiverId", "topic", "avatar", "invitation", "memberCount", "memberIdList", "timestamp"];
    let items = check.items("$.roomInvitations", value);
    let read = |(path, value)| {
        let mut fields = Fields::open(path, value, KEYS, check);
        let member_id_list: Vec<ContactId> = ids(fields.references("memberIdList", Kind::Contact));
        let count = fields.count("memberCount", phrases::MEMBERS);
        Arc::new(RoomInvitationPayload {
            id: fields.own_id().into(),
            inviter_id: fields.required_reference("inviterId", Kind::Contact).into(),
            receiver_id: fields.required_reference("receiverId", Kind::Contact).into(),
            topic: fields.text("topic").unwrap_or_default(),
            avatar: fields.text("avatar").unwrap_or_default(),
            invitation: fields.text("invitation").unwrap_or_default(),
            member_count: count.and_then(|n| u32::try_from(n).ok()).unwrap_or(member_id_list.len() as u32),
            member_id_list,
            timestamp: Timestamp::from_millis(fields.count("timestamp", phrases::MILLISECONDS).unwrap_or_default()),
        })
    };
    items.into_iter().map(read).collect()
}

type Found = HashMap<String, ContactId>;

/// By phone, by handle.
pub(super) fn search(top: &mut Fields<'_, '_>) -> (Found, Found) {
    let Some(value) = top.get("search") else { return Default::default() };
    let fields = Fields::open(top.at("search"), value, &["phone", "handle"], top.check);
    let mut table = |key: &str| {
        let (path, value) = (fields.at(key), fields.get(key));
        let mut found = Found::new();
        for (path, text, target) in fields.check.entries(&path, value) {
            if let Some(id) = fields.check.text(&path, target) {
                fields.check.id(&path, &id, Kind::Contact);
                found.insert(text.clone(), id.into());
            }
        }
        found
    };
    (table("phone"), table("handle"))
}
