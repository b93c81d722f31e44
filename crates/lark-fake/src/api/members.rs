//! MEMBERS of groups, and who manages them.

use serde_json::{Value, json};

use super::{
    Answer, Answered, Call,
    chats::{group, joined, people},
    page,
};
use crate::{
    refusal::{refused, violated},
    state::State,
};

const MOST: usize = 50;

/// The ids of a call: people's, or apps'.
fn named(call: &Call) -> Result<(&str, Vec<String>), crate::refusal::Refusal> {
    let kind = call.id_type("member_id_type", &["app_id"])?;
    let ids = call.list("id_list");
    match ids.len() {
        0 => Err(violated("id_list", "is required")),
        1..=MOST => Ok((kind, ids)),
        _ => Err(violated("id_list", "the max len is 50")),
    }
}

pub(super) fn add(state: &mut State, call: &Call) -> Answered {
    let (kind, ids) = named(call)?;
    let chat_id = group(state, call.param(0))?.chat_id.clone();
    if kind == "app_id" {
        let others: Vec<String> = ids.into_iter().filter(|id| *id != state.settings.app_id).collect();
        return Ok(Answer::Data(lists(&[], &others)));
    }
    let (good, bad) = people(state, kind, &ids);
    // How many of them are wrong makes no difference unless all are.
    let partly = matches!(call.query("succeed_type"), Some("1"));
    if !bad.is_empty() && !partly && call.query("succeed_type") == Some("2") {
        return Err(refused(232_043, format!("Your request contains unavailable ids, {bad:?}.")));
    }
    state.add_members(&chat_id, None, &good);
    let (unknown, hidden): (Vec<_>, Vec<_>) = bad.into_iter().partition(|id| state.person(kind, id).is_none());
    Ok(Answer::Data(lists(&hidden, &unknown)))
}

fn lists(invalid: &[String], unknown: &[String]) -> Value {
    json!({"invalid_id_list": invalid, "not_existed_id_list": unknown, "pending_approval_id_list": []})
}

pub(super) fn remove(state: &mut State, call: &Call) -> Answered {
    let (kind, ids) = named(call)?;
    let chat = group(state, call.param(0))?;
    let (chat_id, runs, owner) = (chat.chat_id.clone(), chat.is_run_by_bot(), chat.owner.clone());
    if kind == "app_id" {
        let (own, others): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| *id == state.settings.app_id);
        if !own.is_empty()
            && let Some(chat) = state.chats.get_mut(&chat_id)
        {
            (chat.bot_in, chat.bot_manager) = (false, false);
        }
        return Ok(Answer::Data(json!({ "invalid_id_list": others })));
    }
    if !runs {
        return Err(refused(232_016, "Operator is NOT the group owner or an administrator."));
    }
    let (good, bad) = people(state, kind, &ids);
    if good.iter().any(|id| owner.as_ref() == Some(id)) {
        return Err(refused(
            232_001,
            "Your request contains an invalid request parameter: the owner cannot be removed.",
        ));
    }
    state.remove_members(&chat_id, None, &good);
    Ok(Answer::Data(json!({ "invalid_id_list": bad })))
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let kind = call.id_type("member_id_type", &[])?;
    let chat = joined(state, call.param(0))?;
    let total = chat.members.len();
    let all = chat
        .members
        .iter()
        .filter_map(|id| state.people.get(id))
        .map(|person| {
            json!({
                "member_id_type": kind, "member_id": person.id(kind).unwrap_or_default(), "name": person.name,
                "tenant_key": state.settings.tenant_key,
            })
        })
        .collect();
    let mut out = page(call, 100, all)?;
    out["member_total"] = json!(total);
    Ok(Answer::Data(out))
}

pub(super) fn is_in_chat(state: &mut State, call: &Call) -> Answered {
    let chat = state.chats.get(call.param(0)).filter(|chat| !chat.dissolved);
    let chat = chat.ok_or_else(|| refused(232_006, "Your request specifies a chat_id which is invalid."))?;
    Ok(Answer::Data(json!({"is_in_chat": chat.bot_in})))
}

pub(super) fn add_managers(state: &mut State, call: &Call) -> Answered {
    managers(state, call, true)
}

pub(super) fn delete_managers(state: &mut State, call: &Call) -> Answered {
    managers(state, call, false)
}

fn managers(state: &mut State, call: &Call, is_new: bool) -> Answered {
    let kind = call.id_type("member_id_type", &["app_id"])?;
    let ids = call.list("manager_ids");
    if ids.is_empty() || ids.len() > MOST {
        return Err(violated("manager_ids", "must have 1 to 50 items"));
    }
    let chat = group(state, call.param(0))?;
    if chat.owner.is_some() {
        return Err(refused(232_017, "The operator must be the group owner."));
    }
    let chat_id = chat.chat_id.clone();
    let (good, bad) = people(state, kind, &ids);
    if kind != "app_id" && !bad.is_empty() {
        return Err(refused(232_001, "Your request contains an invalid request parameter: manager_ids"));
    }
    let Some(chat) = state.chats.get_mut(&chat_id) else {
        return Err(refused(232_006, "Your request specifies a chat_id which is invalid."));
    };
    match is_new {
        true => {
            if good.iter().any(|id| !chat.members.contains(id)) {
                return Err(refused(232_011, "A manager can NOT be out of the chat."));
            }
            for id in good {
                if !chat.managers.contains(&id) {
                    chat.managers.push(id);
                }
            }
        }
        false => chat.managers.retain(|id| !good.contains(id)),
    }
    Ok(Answer::Data(json!({"chat_managers": chat.managers, "chat_bot_managers": []})))
}
