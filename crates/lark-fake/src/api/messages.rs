//! MESSAGES: send, reply, forward, change, take back, get, list.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, page};
use crate::{
    refusal::{Refusal, refused, violated},
    state::{Draft, Message, State},
};

/// The chat that an address means.
fn target(state: &mut State, kind: &str, id: &str) -> Result<String, Refusal> {
    match kind {
        "chat_id" => match state.chats.contains_key(id) {
            true => Ok(id.to_owned()),
            false => {
                Err(refused(230_001, "Your request contains an invalid request parameter, ext=invalid receive_id"))
            }
        },
        "open_id" | "union_id" | "user_id" | "email" => {
            let person = state.person(kind, id).ok_or_else(|| refused(230_034, "The receive_id is invalid."))?;
            if person.hidden {
                return Err(refused(230_013, "Bot has NO availability to this user."));
            }
            let open_id = person.open_id.clone();
            Ok(state.p2p(&open_id))
        }
        _ => Err(violated("receive_id_type", "is not one of open_id, user_id, union_id, email, chat_id")),
    }
}

fn told(state: &State, id: &str) -> Answered {
    Ok(Answer::Data(state.messages.get(id).map_or(Value::Null, |message| state.message_json(message, ""))))
}

pub(super) fn create(state: &mut State, call: &Call) -> Answered {
    let kind = call.query("receive_id_type").ok_or_else(|| violated("receive_id_type", "is required"))?;
    let (receive_id, msg_type, content) = (call.text("receive_id")?, call.text("msg_type")?, call.text("content")?);
    let uuid = Call::uuid(call.maybe("uuid"), 50)?;
    let draft = Draft {
        chat_id: target(state, kind, receive_id)?,
        msg_type: msg_type.to_owned(),
        content: content.to_owned(),
        uuid,
        via: "send",
        receive_id: Some((kind.to_owned(), receive_id.to_owned())),
        ..Draft::default()
    };
    let id = state.post(draft)?;
    told(state, &id)
}

pub(super) fn reply(state: &mut State, call: &Call) -> Answered {
    let (msg_type, content) = (call.text("msg_type")?, call.text("content")?);
    let uuid = Call::uuid(call.maybe("uuid"), 50)?;
    let parent = state.seen(call.param(0))?;
    if parent.recalled.is_some() {
        return Err(refused(230_011, "The message was withdrawn."));
    }
    let draft = Draft {
        chat_id: parent.chat_id.clone(),
        msg_type: msg_type.to_owned(),
        content: content.to_owned(),
        uuid,
        parent: Some(parent.message_id.clone()),
        in_thread: call.json["reply_in_thread"] == true,
        via: "reply",
        ..Draft::default()
    };
    let id = state.post(draft)?;
    told(state, &id)
}

pub(super) fn forward(state: &mut State, call: &Call) -> Answered {
    let kind = call.query("receive_id_type").ok_or_else(|| violated("receive_id_type", "is required"))?;
    let receive_id = call.text("receive_id")?;
    let uuid = Call::uuid(call.query("uuid"), 50)?;
    let message = state.seen(call.param(0))?;
    if message.recalled.is_some() {
        return Err(refused(230_011, "The message was withdrawn."));
    }
    if matches!(message.msg_type.as_str(), "system" | "vote" | "hongbao") {
        return Err(refused(230_061, "This type of message cannot be forwarded."));
    }
    let (msg_type, content, children) = (message.msg_type.clone(), message.content.clone(), message.children.clone());
    let mentions = message.mentions.clone();
    let draft = Draft {
        chat_id: target(state, kind, receive_id)?,
        msg_type,
        content,
        uuid,
        via: "forward",
        receive_id: Some((kind.to_owned(), receive_id.to_owned())),
        children,
        mentions,
        ..Draft::default()
    };
    let id = state.post(draft)?;
    told(state, &id)
}

pub(super) fn merge_forward(state: &mut State, call: &Call) -> Answered {
    let kind = call.query("receive_id_type").ok_or_else(|| violated("receive_id_type", "is required"))?;
    let receive_id = call.text("receive_id")?;
    let uuid = Call::uuid(call.query("uuid"), 50)?;
    let ids = call.list("message_id_list");
    if !(1..=100).contains(&ids.len()) {
        return Err(violated("message_id_list", "must have 1 to 100 items"));
    }
    let (mut good, mut bad, mut chats) = (Vec::new(), Vec::new(), Vec::new());
    for id in ids {
        match state.seen(&id).ok().filter(|message| message.recalled.is_none()) {
            Some(message) => {
                chats.push(message.chat_id.clone());
                good.push(id);
            }
            None => bad.push(id),
        }
    }
    chats.dedup();
    match chats.len() {
        0 => return Err(refused(230_065, "None of the messages can be forwarded.")),
        1 => {}
        _ => return Err(refused(230_063, "The messages must come from the same chat.")),
    }
    good.sort();
    let draft = Draft {
        chat_id: target(state, kind, receive_id)?,
        msg_type: "merge_forward".to_owned(),
        content: "Merged and Forwarded Message".to_owned(),
        uuid,
        via: "merge_forward",
        receive_id: Some((kind.to_owned(), receive_id.to_owned())),
        children: good,
        ..Draft::default()
    };
    let id = state.post(draft)?;
    let message = state.messages.get(&id).map_or(Value::Null, |message| state.message_json(message, ""));
    Ok(Answer::Data(json!({"message": message, "invalid_message_id_list": bad})))
}

pub(super) fn update(state: &mut State, call: &Call) -> Answered {
    let (msg_type, content) = (call.text("msg_type")?, call.text("content")?);
    state.edit(call.param(0), msg_type, content)?;
    told(state, call.param(0))
}

pub(super) fn patch(state: &mut State, call: &Call) -> Answered {
    state.patch(call.param(0), call.text("content")?)?;
    Ok(Answer::Data(json!({})))
}

pub(super) fn delete(state: &mut State, call: &Call) -> Answered {
    state.recall_by_app(call.param(0))?;
    Ok(Answer::Data(json!({})))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let id_type = call.id_type("user_id_type", &[])?;
    let message = state.seen(call.param(0))?;
    let mut items = vec![state.message_json(message, id_type)];
    add_children(state, message, id_type, &mut items, 0);
    Ok(Answer::Data(json!({ "items": items })))
}

/// What is merged into a message follows it, level by level.
fn add_children(state: &State, message: &Message, id_type: &str, items: &mut Vec<Value>, depth: usize) {
    for child in message.children.iter().filter_map(|id| state.messages.get(id)) {
        let mut item = state.message_json(child, id_type);
        item["upper_message_id"] = json!(message.message_id);
        items.push(item);
        if depth < 8 {
            add_children(state, child, id_type, items, depth + 1);
        }
    }
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let container = call.query("container_id").ok_or_else(|| violated("container_id", "is required"))?;
    let time = |name: &'static str| match call.query(name).unwrap_or_default() {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| violated(name, "is not a time in seconds")),
    };
    let (start, end) = (time("start_time")?, time("end_time")?);
    let is_thread = match call.query("container_id_type") {
        Some("chat") => {
            let chat = state.chats.get(container).ok_or_else(|| refused(230_001, "invalid container_id"))?;
            if !chat.bot_in {
                return Err(refused(230_002, "Bot/User can NOT be out of the chat."));
            }
            false
        }
        Some("thread") => true,
        _ => return Err(violated("container_id_type", "is neither chat nor thread")),
    };
    let fits = |message: &&Message| {
        let is_in = match is_thread {
            true => message.thread_id.as_deref() == Some(container),
            false => message.chat_id == container,
        };
        let at = message.create_time / 1000;
        is_in && start.is_none_or(|start| at >= start) && end.is_none_or(|end| at <= end)
    };
    let mut all: Vec<Value> = state.messages.values().filter(fits).map(|one| state.message_json(one, "")).collect();
    match call.query("sort_type").unwrap_or("ByCreateTimeAsc") {
        "ByCreateTimeAsc" | "" => {}
        "ByCreateTimeDesc" => all.reverse(),
        _ => return Err(violated("sort_type", "is neither ByCreateTimeAsc nor ByCreateTimeDesc")),
    }
    page(call, 50, all).map(Answer::Data)
}
