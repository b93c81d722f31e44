//! REACTIONS, pins, and who has read a message.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, page};
use crate::{
    refusal::{Refusal, refused, violated},
    state::{Message, Reaction, Sender, State},
};

const WEEK: i64 = 7 * 24 * 3_600_000;

/// What there is to react with, as the platform lists it.
const EMOJI: &str = include_str!("emoji.txt");

fn told(state: &State, reaction: &Reaction) -> Value {
    let operator = match &reaction.by {
        Sender::App => json!({"operator_id": state.settings.app_id, "operator_type": "app"}),
        Sender::Person(id) => json!({"operator_id": id, "operator_type": "user"}),
    };
    json!({
        "reaction_id": reaction.reaction_id, "operator": operator, "action_time": reaction.time.to_string(),
        "reaction_type": {"emoji_type": reaction.emoji_type},
    })
}

/// A message that can be reacted to; reactions have codes of their own for those that cannot, `outside` for a chat that
/// the bot is not in.
fn reacted<'a>(state: &'a State, message_id: &str, outside: i64) -> Result<&'a Message, Refusal> {
    let gone = || refused(231_003, "The message is not found, maybe not exist or deleted.");
    match state.seen(message_id) {
        Ok(message) if message.recalled.is_some() => Err(gone()),
        Err(refusal) if refusal.code == 230_002 => {
            Err(refused(outside, "The operator has no permission to react on the specific message."))
        }
        Err(refusal) if refusal.code == 230_001 => Err(gone()),
        Err(_) => {
            Err(refused(231_004, "The chat in which the message exists is not found, maybe not exist or deleted."))
        }
        Ok(message) => Ok(message),
    }
}

pub(super) fn create(state: &mut State, call: &Call) -> Answered {
    let emoji = call.json["reaction_type"]["emoji_type"].as_str().unwrap_or_default();
    if !EMOJI.split_whitespace().any(|one| one == emoji) {
        return Err(refused(231_001, "reaction type is invalid."));
    }
    let message = reacted(state, call.param(0), 231_002)?;
    let id = message.message_id.clone();
    let reaction = state.react(&id, Sender::App, emoji);
    Ok(Answer::Data(told(state, &reaction)))
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let wanted = call.query("reaction_type").filter(|kind| !kind.is_empty());
    let message = reacted(state, call.param(0), 231_008)?;
    let of = |reaction: &&Reaction| wanted.is_none_or(|kind| kind == reaction.emoji_type);
    let all = message.reactions.iter().filter(of).map(|reaction| told(state, reaction)).collect();
    page(call, 50, all).map(Answer::Data)
}

pub(super) fn delete(state: &mut State, call: &Call) -> Answered {
    let message = reacted(state, call.param(0), 231_002)?;
    let id = message.message_id.clone();
    let found = message.reactions.iter().find(|reaction| reaction.reaction_id == call.param(1));
    match found.map(|reaction| reaction.by == Sender::App) {
        None => return Err(refused(231_011, "The reaction_id is invalid.")),
        Some(false) => return Err(refused(231_007, "The operator has no permission to delete this reaction.")),
        Some(true) => {}
    }
    let gone = state.unreact(&id, call.param(1));
    Ok(Answer::Data(gone.map_or(Value::Null, |reaction| told(state, &reaction))))
}

pub(super) fn read_users(state: &mut State, call: &Call) -> Answered {
    let kind = match call.query("user_id_type") {
        None | Some("") => return Err(violated("user_id_type", "is required")),
        Some(_) => call.id_type("user_id_type", &[])?,
    };
    let message = state.own(call.param(0), refused(230_026, "The operator is not the sender of the message."))?;
    if state.now - message.create_time > WEEK {
        return Err(refused(230_033, "The message was sent more than 7 days ago."));
    }
    let reader = |(open_id, at): &(String, i64)| {
        let id = state.people.get(open_id).and_then(|person| person.id(kind)).unwrap_or(open_id);
        json!({
            "user_id_type": kind, "user_id": id, "timestamp": at.to_string(), "tenant_key": state.settings.tenant_key,
        })
    };
    let all = message.read_by.iter().map(reader).collect();
    page(call, 100, all).map(Answer::Data)
}

fn pin_json(message_id: &str, chat_id: &str, state: &State, pinned: &(i64, Sender)) -> Value {
    let (operator, kind) = match &pinned.1 {
        Sender::App => (state.settings.app_id.clone(), "app_id"),
        Sender::Person(id) => (id.clone(), "open_id"),
    };
    json!({
        "message_id": message_id, "chat_id": chat_id, "operator_id": operator, "operator_id_type": kind,
        "create_time": pinned.0.to_string(),
    })
}

pub(super) fn pin(state: &mut State, call: &Call) -> Answered {
    let message = state.seen(call.text("message_id")?)?;
    if message.recalled.is_some() {
        return Err(refused(230_047, "The message cannot be pinned since it was recalled."));
    }
    let (id, chat) = (message.message_id.clone(), message.chat_id.clone());
    // Pinning again changes nothing.
    let pinned = message.pinned.clone().unwrap_or((state.now, Sender::App));
    let told = pin_json(&id, &chat, state, &pinned);
    if let Some(message) = state.messages.get_mut(&id) {
        message.pinned = Some(pinned);
    }
    Ok(Answer::Data(json!({ "pin": told })))
}

pub(super) fn unpin(state: &mut State, call: &Call) -> Answered {
    let id = state.seen(call.param(0))?.message_id.clone();
    if let Some(message) = state.messages.get_mut(&id) {
        message.pinned = None;
    }
    Ok(Answer::Data(json!({})))
}

pub(super) fn pins(state: &mut State, call: &Call) -> Answered {
    let chat_id = call.query("chat_id").ok_or_else(|| violated("chat_id", "is required"))?;
    match state.chats.get(chat_id) {
        None => return Err(refused(230_045, "The chat does not exist.")),
        Some(chat) if !chat.bot_in => return Err(refused(230_002, "Bot/User can NOT be out of the chat.")),
        Some(_) => {}
    }
    let time = |name: &'static str| call.query(name).and_then(|text| text.parse::<i64>().ok());
    let (start, end) = (time("start_time"), time("end_time"));
    let mut all: Vec<(i64, Value)> = state
        .messages
        .values()
        .filter(|message| message.chat_id == chat_id)
        .filter_map(|message| {
            let pinned = message.pinned.as_ref()?;
            Some((pinned.0, pin_json(&message.message_id, chat_id, state, pinned)))
        })
        .filter(|(at, _)| start.is_none_or(|start| *at >= start) && end.is_none_or(|end| *at <= end))
        .collect();
    all.reverse();
    all.sort_by_key(|(at, _)| -at);
    page(call, 50, all.into_iter().map(|(_, told)| told).collect()).map(Answer::Data)
}
