//! CHATS: make, get, change, dissolve, list; their link.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, page};
use crate::{
    refusal::{Refusal, refused, violated},
    state::{Chat, State},
};

const TEN_HOURS: i64 = 10 * 3_600_000;

/// A chat that the bot is in.
pub(super) fn joined<'a>(state: &'a State, chat_id: &str) -> Result<&'a Chat, Refusal> {
    let chat = state
        .chats
        .get(chat_id)
        .ok_or_else(|| refused(232_006, "Your request specifies a chat_id which is invalid."))?;
    if chat.dissolved {
        return Err(refused(232_009, "Your request specifies a chat which has already been dissolved."));
    }
    match chat.bot_in {
        true => Ok(chat),
        false => Err(refused(232_011, "Operator can NOT be out of the chat.")),
    }
}

/// A group that the bot is in.
pub(super) fn group<'a>(state: &'a State, chat_id: &str) -> Result<&'a Chat, Refusal> {
    let chat = joined(state, chat_id)?;
    match chat.is_p2p() {
        true => Err(refused(232_008, "Your request specifies a chat whose type is NOT supported currently.")),
        false => Ok(chat),
    }
}

/// The open ids of people who are named by ids of a kind; those who are not there are second.
pub(super) fn people(state: &State, kind: &str, ids: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for id in ids {
        match state.person(kind, id) {
            Some(person) if !person.hidden => good.push(person.open_id.clone()),
            _ => bad.push(id.clone()),
        }
    }
    (good, bad)
}

fn told(state: &State, chat: &Chat, id_type: &str) -> Value {
    let mut out = json!({
        "chat_id": chat.chat_id, "avatar": chat.avatar, "name": chat.name, "description": chat.description,
        "chat_mode": if chat.is_p2p() { "p2p" } else { "group" }, "chat_type": chat.chat_type, "external": false,
        "chat_tag": "inner", "tenant_key": state.settings.tenant_key, "chat_status": if chat.dissolved { "dissolved" } else { "normal" },
        "user_count": chat.members.len().to_string(), "bot_count": if chat.bot_in { "1" } else { "0" },
        "add_member_permission": "all_members", "share_card_permission": "allowed", "at_all_permission": "all_members",
        "edit_permission": "all_members", "membership_approval": "no_approval_required", "join_message_visibility": "all_members",
        "leave_message_visibility": "all_members", "moderation_permission": "all_members",
        "user_manager_id_list": chat.managers, "bot_manager_id_list": if chat.bot_manager { vec![&state.settings.app_id] } else { vec![] },
    });
    // A chat of the bot's own has none.
    if let Some(owner) = chat.owner.as_ref().and_then(|owner| state.people.get(owner)) {
        out["owner_id"] = json!(owner.id(id_type).unwrap_or(&owner.open_id));
        out["owner_id_type"] = json!(id_type);
    }
    out
}

pub(super) fn create(state: &mut State, call: &Call) -> Answered {
    let id_type = call.id_type("user_id_type", &[])?.to_owned();
    let uuid = Call::uuid(call.query("uuid"), 50)?;
    let owner = match call.maybe("owner_id") {
        Some(id) => match state.person(&id_type, id) {
            Some(person) => Some(person.open_id.clone()),
            None => return Err(refused(232_001, "Your request contains an invalid request parameter: owner_id")),
        },
        None => None,
    };
    let ids = call.list("user_id_list");
    if ids.len() > 50 || call.list("bot_id_list").len() > 5 {
        return Err(violated("user_id_list", "the max len is 50 people and 5 bots"));
    }
    let (good, bad) = people(state, &id_type, &ids);
    if !bad.is_empty() {
        return Err(refused(232_043, format!("Your request contains unavailable ids, {bad:?}.")));
    }
    let name = call.maybe("name").unwrap_or_default();
    if name.chars().count() > 60 || call.maybe("description").unwrap_or_default().chars().count() > 100 {
        return Err(refused(
            232_001,
            "Your request contains an invalid request parameter: name or description is too long",
        ));
    }
    if let Some(avatar) = call.maybe("avatar")
        && state.media.get(avatar).is_none_or(|media| media.kind != "avatar")
    {
        return Err(refused(232_001, "Your request contains an invalid request parameter: avatar"));
    }
    let key = uuid.map(|uuid| format!("chat {} {uuid}", owner.as_deref().unwrap_or_default()));
    if let Some(id) = key.as_ref().and_then(|key| state.made(key, TEN_HOURS)) {
        let chat = state.chats.get(&id).ok_or_else(|| refused(232_001, "the chat is gone"))?;
        return Ok(Answer::Data(told(state, chat, &id_type)));
    }
    let mut members: Vec<String> = Vec::new();
    for id in good {
        if !members.contains(&id) {
            members.push(id);
        }
    }
    let chat_id = state.add_chat(Chat {
        name: name.to_owned(),
        description: call.maybe("description").unwrap_or_default().to_owned(),
        avatar: call.maybe("avatar").unwrap_or_default().to_owned(),
        chat_type: call.maybe("chat_type").unwrap_or("private").to_owned(),
        bot_manager: owner.is_some() && call.query("set_bot_manager") == Some("true"),
        owner,
        members,
        bot_in: true,
        ..Chat::default()
    });
    if let Some(key) = key {
        state.remember(key, &chat_id);
    }
    let chat = joined(state, &chat_id)?;
    Ok(Answer::Data(told(state, chat, &id_type)))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let id_type = call.id_type("user_id_type", &[])?;
    // One that is dissolved is told as such; all others need the bot in them.
    if let Some(chat) = state.chats.get(call.param(0)).filter(|chat| chat.dissolved) {
        return Ok(Answer::Data(told(state, chat, id_type)));
    }
    let chat = joined(state, call.param(0))?;
    Ok(Answer::Data(told(state, chat, id_type)))
}

pub(super) fn update(state: &mut State, call: &Call) -> Answered {
    let id_type = call.id_type("user_id_type", &[])?.to_owned();
    let chat = group(state, call.param(0))?;
    let (chat_id, runs, owns) = (chat.chat_id.clone(), chat.is_run_by_bot(), chat.owner.is_none());
    let mut change = json!({});
    for field in ["name", "description", "avatar", "chat_type"] {
        if let Some(text) = call.json[field].as_str() {
            change[field] = json!(text);
        }
    }
    if change["name"].as_str().is_some_and(|name| name.chars().count() > 60) {
        return Err(refused(232_001, "Your request contains an invalid request parameter: name is too long"));
    }
    if let Some(avatar) = change["avatar"].as_str()
        && state.media.get(avatar).is_none_or(|media| media.kind != "avatar")
    {
        return Err(refused(232_001, "Your request contains an invalid request parameter: avatar"));
    }
    if change["chat_type"].is_string() && !runs {
        return Err(refused(232_016, "Non-chat-owner or Non-chat-admin can only edit certain parts."));
    }
    if let Some(owner) = call.maybe("owner_id") {
        if !owns {
            return Err(refused(232_017, "The operator must be the group owner."));
        }
        let person = state.person(&id_type, owner);
        let person =
            person.ok_or_else(|| refused(232_001, "Your request contains an invalid request parameter: owner_id"))?;
        if !state.chats.get(&chat_id).is_some_and(|chat| chat.members.contains(&person.open_id)) {
            return Err(refused(232_012, "New group owner can NOT be out of the chat."));
        }
        change["owner_id"] = json!(person.open_id);
    }
    state.update_chat(&chat_id, None, &change);
    Ok(Answer::Data(json!({})))
}

pub(super) fn delete(state: &mut State, call: &Call) -> Answered {
    let chat = group(state, call.param(0))?;
    if chat.owner.is_some() {
        return Err(refused(232_017, "The operator must be the group owner."));
    }
    let chat_id = chat.chat_id.clone();
    state.dissolve(&chat_id, None);
    Ok(Answer::Data(json!({})))
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let id_type = call.id_type("user_id_type", &[])?;
    let is_listed = |chat: &&Chat| chat.bot_in && !chat.dissolved && !chat.is_p2p();
    let mut all: Vec<&Chat> = state.chats.values().filter(is_listed).collect();
    if call.query("sort_type") == Some("ByActiveTimeDesc") {
        let last = |chat: &Chat| {
            state
                .messages
                .values()
                .rfind(|message| message.chat_id == chat.chat_id)
                .map_or(chat.created, |m| m.create_time)
        };
        all.sort_by_key(|chat| -last(chat));
    }
    let all = all.into_iter().map(|chat| told(state, chat, id_type)).collect();
    page(call, 100, all).map(Answer::Data)
}

pub(super) fn link(state: &mut State, call: &Call) -> Answered {
    let chat_id = group(state, call.param(0))?.chat_id.clone();
    let period = call.maybe("validity_period").unwrap_or("week").to_owned();
    let days = match period.as_str() {
        "week" => 7,
        "year" => 365,
        "permanently" => 0,
        _ => return Err(violated("validity_period", "is none of week, year, permanently")),
    };
    let until = if days == 0 { 0 } else { state.now / 1000 + days * 86_400 };
    if let Some(chat) = state.chats.get_mut(&chat_id) {
        chat.link = Some((period, until));
    }
    let token = &chat_id[3..];
    Ok(Answer::Data(json!({
        "share_link": format!("https://applink.feishu.cn/client/chat/chatter/add_by_link?link_token={token}"),
        "expire_time": if days == 0 { String::new() } else { until.to_string() }, "is_permanent": days == 0,
    })))
}
