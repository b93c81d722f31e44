//! DOCX: announcements of the new form: a tree of blocks below a page, read flat, changed by inserting and deleting children.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, page};
use crate::{
    refusal::{Refusal, refused, violated},
    state::{Announcement, State},
};

/// Most children that one call inserts.
const MOST: usize = 50;
/// So many changes are known again.
const KNOWN: usize = 1_000;

fn invalid() -> Refusal {
    refused(1_770_001, "invalid param")
}

/// The announcement of a group that the bot is in, whichever form it has.
fn found<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Announcement, Refusal> {
    let none = || Refusal { status: 404, ..refused(1_770_002, "not found") };
    let chat = state.chats.get_mut(call.param(0)).filter(|chat| !chat.dissolved && !chat.is_p2p()).ok_or_else(none)?;
    match chat.bot_in {
        true => Ok(&mut chat.announcement),
        false => Err(refused(1_772_003, "Operator can NOT be out of the chat.")),
    }
}

fn document<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Announcement, Refusal> {
    match found(state, call)? {
        said if said.docx => Ok(said),
        _ => Err(refused(1_772_006, "announcement type is not supported")),
    }
}

/// What is basic about it is told of both forms.
pub(super) fn announcement(state: &mut State, call: &Call) -> Answered {
    let said = found(state, call)?;
    Ok(Answer::Data(json!({
        "revision_id": said.revision.max(1), "create_time": said.created, "update_time": said.updated,
        "announcement_type": if said.docx { "docx" } else { "doc" },
    })))
}

/// The id of the page, which is the root of all blocks: that of the chat.
fn root(call: &Call) -> String {
    call.param(0).to_owned()
}

/// The places of the blocks right below the page; others name another parent.
fn top(said: &Announcement) -> Vec<usize> {
    let is_top = |block: &Value| block.get("parent_id").is_none();
    said.blocks.iter().enumerate().filter(|(_, block)| is_top(block)).map(|(at, _)| at).collect()
}

pub(super) fn blocks(state: &mut State, call: &Call) -> Answered {
    let root = root(call);
    let said = document(state, call)?;
    let children: Vec<&Value> = top(said).into_iter().map(|at| &said.blocks[at]["block_id"]).collect();
    let title = json!({"elements": [{"text_run": {"content": "", "text_element_style": {}}}], "style": {}});
    let mut all =
        vec![json!({"block_id": root, "parent_id": "", "block_type": 1, "page": title, "children": children})];
    for block in &said.blocks {
        let mut block = block.clone();
        if block.get("parent_id").is_none() {
            block["parent_id"] = json!(root);
        }
        all.push(block);
    }
    page(call, 500, all).map(Answer::Data)
}

/// A call that changes the page; changes elsewhere are not known here.
fn of_page(call: &Call) -> Result<(), Refusal> {
    let latest = matches!(call.query("revision_id"), None | Some("-1"));
    match latest && call.param(1) == root(call) {
        true => Ok(()),
        false => Err(invalid()),
    }
}

/// What the same call was answered before.
fn answered(said: &Announcement, call: &Call) -> Option<Answered> {
    let token = call.query("client_token")?;
    let (_, answer) = said.answered.iter().find(|(known, _)| known == token)?;
    Some(Ok(Answer::Data(answer.clone())))
}

fn changed(said: &mut Announcement, call: &Call, now: i64, mut answer: Value) -> Answered {
    said.revision = said.revision.max(1) + 1;
    if said.created == 0 {
        said.created = now;
    }
    (said.updated, said.by) = (now, None);
    answer["revision_id"] = json!(said.revision);
    if let Some(token) = call.query("client_token") {
        answer["client_token"] = json!(token);
        said.answered.push((token.to_owned(), answer.clone()));
        let old = said.answered.len().saturating_sub(KNOWN);
        said.answered.drain(..old);
    }
    Ok(Answer::Data(answer))
}

pub(super) fn insert(state: &mut State, call: &Call) -> Answered {
    of_page(call)?;
    let new = call.json["children"].as_array().cloned().unwrap_or_default();
    if !(1..=MOST).contains(&new.len()) {
        return Err(violated("children", "must have 1 to 50 items"));
    }
    // Only what is written is known: paragraphs.
    if new.iter().any(|block| block["block_type"] != 2 || !block["text"]["elements"].is_array()) {
        return Err(invalid());
    }
    let new: Vec<Value> = new
        .into_iter()
        .map(|mut block| {
            block["block_id"] = json!(state.id("doxcn"));
            block
        })
        .collect();
    let now = state.now / 1000;
    let said = document(state, call)?;
    if let Some(answer) = answered(said, call) {
        return answer;
    }
    let top = top(said);
    let index = match call.json["index"].as_i64().unwrap_or(-1) {
        -1 => top.len(),
        index => usize::try_from(index).ok().filter(|index| *index <= top.len()).ok_or_else(invalid)?,
    };
    let at = top.get(index).copied().unwrap_or(said.blocks.len());
    said.blocks.splice(at..at, new.iter().cloned());
    changed(said, call, now, json!({"children": new}))
}

pub(super) fn delete(state: &mut State, call: &Call) -> Answered {
    of_page(call)?;
    let place = |name: &str| call.json[name].as_u64().and_then(|place| usize::try_from(place).ok()).ok_or_else(invalid);
    let (from, to) = (place("start_index")?, place("end_index")?);
    let now = state.now / 1000;
    let said = document(state, call)?;
    if let Some(answer) = answered(said, call) {
        return answer;
    }
    let top = top(said);
    if from >= to || to > top.len() {
        return Err(invalid());
    }
    let mut gone: Vec<Value> = top[from..to].iter().map(|at| said.blocks[*at]["block_id"].clone()).collect();
    // With all that is below them.
    while let Some(below) = said.blocks.iter().find(|block| {
        !gone.contains(&block["block_id"]) && block.get("parent_id").is_some_and(|parent| gone.contains(parent))
    }) {
        gone.push(below["block_id"].clone());
    }
    said.blocks.retain(|block| !gone.contains(&block["block_id"]));
    changed(said, call, now, json!({}))
}
