//! DOC: announcements of the old form: a document of paragraphs at places, changed by inserting blocks and deleting ranges.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, chats::group};
use crate::{
    refusal::{Refusal, refused},
    state::{Chat, State},
};

/// Where the body begins: behind the end of the title, which is empty.
const BODY: usize = 1;

fn bad(field: &str) -> Refusal {
    refused(232_001, format!("Your request contains an invalid request parameter: {field}"))
}

/// A group whose announcement is of the old form.
fn of_old_form<'a>(state: &'a State, chat_id: &str) -> Result<&'a Chat, Refusal> {
    let chat = group(state, chat_id)?;
    match chat.announcement.docx {
        true => Err(refused(232_097, "Unable to operate docx type chat announcement.")),
        false => Ok(chat),
    }
}

pub(super) fn announcement(state: &mut State, call: &Call) -> Answered {
    let chat = of_old_form(state, call.param(0))?;
    let said = &chat.announcement;
    let blocks: Vec<Value> = said
        .blocks
        .iter()
        .zip(places(&said.blocks))
        .map(|(block, (from, to))| {
            let mut block = block.clone();
            block["paragraph"]["location"] = json!({"zoneId": "0", "startIndex": from, "endIndex": to});
            block
        })
        .collect();
    let content = json!({"title": {"elements": []}, "body": {"blocks": blocks}}).to_string();
    let (by, kind) = match &said.by {
        Some(person) => (person.clone(), "user_id"),
        None => (state.settings.app_id.clone(), "app_id"),
    };
    Ok(Answer::Data(json!({
        "content": content, "revision": said.revision.to_string(), "create_time": said.created.to_string(),
        "update_time": said.updated.to_string(), "owner_id_type": kind, "owner_id": by, "modifier_id_type": kind, "modifier_id": by,
    })))
}

/// What a paragraph says, in units of UTF-16, in which places are counted.
fn units(block: &Value) -> Vec<u16> {
    let elements = block["paragraph"]["elements"].as_array().into_iter().flatten();
    elements.filter_map(|element| element["textRun"]["text"].as_str()).flat_map(str::encode_utf16).collect()
}

/// From where to where each paragraph is; its end is counted, and not in it.
fn places(blocks: &[Value]) -> Vec<(usize, usize)> {
    let mut next = BODY;
    let place = |block| {
        let place = (next, next + units(block).len());
        next = place.1 + 1;
        place
    };
    blocks.iter().map(place).collect()
}

/// Deletes what is in a range: what is left of its first and last paragraph becomes one. The end of the last one stays.
fn delete(blocks: &mut Vec<Value>, range: &Value) -> Option<()> {
    let place = |name: &str| range[name].as_u64().and_then(|place| usize::try_from(place).ok());
    let (from, to) = (place("startIndex")?, place("endIndex")?);
    let places = places(blocks);
    let first = places.iter().position(|(start, end)| (*start..=*end).contains(&from))?;
    let last = places.iter().position(|(start, end)| (*start..=*end).contains(&to))?;
    if range["zoneId"] != "0" || from >= to {
        return None;
    }
    let (head, tail) = (units(&blocks[first]), units(&blocks[last]));
    let left = [&head[..from - places[first].0], &tail[to - places[last].0..]].concat();
    let elements = match &*String::from_utf16_lossy(&left) {
        "" => json!([]),
        text => json!([{"type": "textRun", "textRun": {"text": text, "style": {}}}]),
    };
    let paragraph = json!({"type": "paragraph", "paragraph": {"elements": elements, "style": {}}});
    blocks.splice(first..=last, [paragraph]);
    Some(())
}

/// Changes the document as its requests say, one after the other: blocks are inserted at its start or end, a range is deleted.
pub(super) fn announce(state: &mut State, call: &Call) -> Answered {
    let chat_id = of_old_form(state, call.param(0))?.chat_id.clone();
    let revision: i64 = call.text("revision")?.parse().map_err(|_| refused(232_001, "invalid revision"))?;
    let now = state.now / 1000;
    let Some(chat) = state.chats.get_mut(&chat_id) else {
        return Err(refused(232_006, "Your request specifies a chat_id which is invalid."));
    };
    let said = &mut chat.announcement;
    if revision > said.revision {
        return Err(bad("revision"));
    }
    let bad = || bad("requests");
    let mut blocks = said.blocks.clone();
    let requests = call.list("requests");
    for request in &requests {
        let request: Value = serde_json::from_str(request).map_err(|_| bad())?;
        match request["requestType"].as_str() {
            Some("InsertBlocksRequestType") => {
                let payload = request["insertBlocksRequest"]["payload"].as_str().ok_or_else(bad)?;
                let payload: Value = serde_json::from_str(payload).map_err(|_| bad())?;
                let new = payload["blocks"].as_array().ok_or_else(bad)?;
                match request["insertBlocksRequest"]["location"]["endOfZone"] == true {
                    true => blocks.extend(new.iter().cloned()),
                    false => drop(blocks.splice(0..0, new.iter().cloned())),
                }
            }
            Some("DeleteContentRangeRequestType") => {
                let range = &request["deleteContentRangeRequest"]["deleteRange"];
                delete(&mut blocks, range).ok_or_else(|| refused(232_001, "checkDeleteContentRange fail"))?;
            }
            _ => return Err(bad()),
        }
    }
    if requests.is_empty() {
        return Err(bad());
    }
    said.blocks = blocks;
    said.revision += 1;
    if said.created == 0 {
        said.created = now;
    }
    (said.updated, said.by) = (now, None);
    Ok(Answer::Data(json!({})))
}
