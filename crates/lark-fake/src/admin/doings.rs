//! DOINGS: what people do and how the world is, as calls of the admin door that need not wait.

use serde_json::{Value, json};

use super::{book, read};
use crate::{
    api::Call,
    state::{Chat, Department, EventFault, Fault, Person, Say, State},
};

/// Does what is asked; `None`: there is no such call.
pub(super) fn run(state: &mut State, method: &str, path: &[&str], call: &Call) -> Option<Result<Value, String>> {
    let asked = &call.json;
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    Some(match (method, path) {
        ("GET", ["state"]) => serde_json::to_value(&*state).map_err(|error| error.to_string()),
        ("GET", ["book"]) => Ok(book::whole(state)),
        ("GET", ["events"]) => Ok(book::events(state)),
        ("GET", ["messages", id]) => state.messages.get(*id).map(|message| json!(message)).ok_or_else(|| none(id)),
        ("GET", ["chats", id]) => state.chats.get(*id).map(|chat| json!(chat)).ok_or_else(|| none(id)),
        ("POST", ["people"]) => read::<Person>(asked).map(|person| json!(state.add_person(person))),
        ("POST", ["departments"]) => {
            read::<Department>(asked).map(|department| json!({"open_department_id": state.add_department(department)}))
        }
        ("POST", ["chats"]) => new_chat(state, asked),
        ("PATCH", ["chats", id]) => match state.update_chat(id, by(asked), asked) {
            true => Ok(json!({})),
            false => Err(none(id)),
        },
        ("DELETE", ["chats", id]) => match state.dissolve(id, by(asked)) {
            true => Ok(json!({})),
            false => Err(none(id)),
        },
        ("POST", ["chats", id, "members"]) => members(state, id, asked),
        ("POST", ["p2p"]) => match state.people.contains_key(text("person")) {
            true => Ok(json!({"chat_id": state.p2p(text("person"))})),
            false => Err(none(text("person"))),
        },
        ("POST", ["say"]) => {
            let said = read::<Say>(asked).and_then(|say| state.say(say));
            said.map(|id| json!({"chat_id": state.messages.get(&id).map(|message| &message.chat_id), "message_id": id}))
        }
        ("POST", ["edit"]) => state.edit_by(text("person"), text("message_id"), text("text")).map(|()| json!({})),
        ("POST", ["recall"]) => state.recall_by(text("person"), text("message_id")).map(|()| json!({})),
        ("POST", ["react"]) if asked["remove"] == true => {
            state.unreact_by(text("person"), text("message_id"), text("emoji_type")).map(|()| json!({}))
        }
        ("POST", ["react"]) => state
            .react_by(text("person"), text("message_id"), text("emoji_type"))
            .map(|id| json!({ "reaction_id": id })),
        ("POST", ["read"]) => state.read_by(text("person"), &call.list("message_ids")).map(|()| json!({})),
        ("POST", ["enter"]) => state.enter(text("person")).map(|chat| json!({ "chat_id": chat })),
        ("POST", ["event"]) => {
            let number = state.emit(text("event_type"), None, asked["event"].clone());
            Ok(json!({"number": number, "event_id": state.events.get(&number).map(|event| &event.event_id)}))
        }
        ("POST", ["tokens", "expire"]) => {
            state.expire_tokens();
            Ok(json!({}))
        }
        ("POST", ["ticket"]) => Ok(json!({"app_ticket": state.send_ticket()})),
        ("POST", ["faults"]) => read::<Fault>(asked).map(|fault| {
            state.faults.push(fault);
            json!({"faults": state.faults.len()})
        }),
        ("POST", ["event-faults"]) => read::<EventFault>(asked).map(|fault| {
            state.event_faults.push(fault);
            json!({"faults": state.event_faults.len()})
        }),
        ("DELETE", ["faults"]) => {
            (state.faults, state.event_faults) = (Vec::new(), Vec::new());
            Ok(json!({}))
        }
        ("POST", ["registration"]) => registration(state, asked),
        _ => return None,
    })
}

fn none(id: &str) -> String {
    format!("there is no `{id}`")
}

/// Who does it; the bot where nobody is told.
fn by(asked: &Value) -> Option<&str> {
    asked["by"].as_str().filter(|by| !by.is_empty())
}

fn new_chat(state: &mut State, asked: &Value) -> Result<Value, String> {
    let mut asked = asked.clone();
    // A group of people has the bot in it unless it is told otherwise.
    if asked["bot_in"].is_null() {
        asked["bot_in"] = json!(true);
    }
    let chat: Chat = read(&asked)?;
    if let Some(nobody) = chat.members.iter().chain(&chat.owner).find(|id| !state.people.contains_key(*id)) {
        return Err(none(nobody));
    }
    Ok(json!({"chat_id": state.add_chat(chat)}))
}

/// `{by, add?: [], remove?: [], withdraw?: [], bot?: "add" | "remove"}`
fn members(state: &mut State, chat_id: &str, asked: &Value) -> Result<Value, String> {
    if !state.chats.contains_key(chat_id) {
        return Err(none(chat_id));
    }
    let list = |name: &str| -> Vec<String> {
        let all = asked[name].as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (add, remove, withdraw) = (list("add"), list("remove"), list("withdraw"));
    if let Some(nobody) = add.iter().chain(&remove).chain(&withdraw).find(|id| !state.people.contains_key(*id)) {
        return Err(none(nobody));
    }
    let by = by(asked).map(str::to_owned);
    let added = state.add_members(chat_id, by.as_deref(), &add);
    let removed = state.remove_members(chat_id, by.as_deref(), &remove);
    let withdrawn = state.withdraw_members(chat_id, by.as_deref(), &withdraw);
    let person = by.clone().unwrap_or_default();
    let bot = match asked["bot"].as_str() {
        Some("add") => state.add_bot(chat_id, &person),
        Some("remove") => state.remove_bot(chat_id, &person),
        _ => false,
    };
    Ok(json!({"added": added, "removed": removed, "withdrawn": withdrawn, "bot": bot}))
}

/// `{approve: bool, by}` decides it, `{slow_down: true}` answers the next poll so, `{expire: true}` ends it.
fn registration(state: &mut State, asked: &Value) -> Result<Value, String> {
    let registration = state.registration.as_mut().ok_or("no registration is under way")?;
    if asked["slow_down"] == true {
        registration.slow_down = true;
    }
    if asked["expire"] == true {
        registration.begun = 0;
    }
    if let Some(approved) = asked["approve"].as_bool() {
        registration.approved = Some(approved);
        registration.by = asked["by"].as_str().unwrap_or_default().to_owned();
    }
    Ok(json!(registration))
}
