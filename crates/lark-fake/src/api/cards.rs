//! CARDS: card entities, whose text grows under a sequence that must rise.

use serde_json::{Value, json};

use super::{Answer, Answered, Call};
use crate::{
    refusal::{Refusal, refused, throttled},
    state::{CARD_LIFE, Card, State, card_fault},
};

/// Streaming ends by itself after so long, in ms.
const STREAMING: i64 = 10 * 60_000;
const MOST_UUIDS: usize = 1000;

pub(super) fn create(state: &mut State, call: &Call) -> Answered {
    if call.text("type")? != "card_json" {
        return Err(refused(10_002, "Your request contains an invalid request parameter: type"));
    }
    let card = parsed(call.text("data")?)?;
    let card_id = (7_355_000_000_000_000_000 + state.number()).to_string();
    let card = Card {
        card_id: card_id.clone(),
        streaming_since: (card["config"]["streaming_mode"] == true).then_some(state.now),
        card,
        created: state.now,
        sequence: 0,
        message_id: None,
        texts: Vec::new(),
        uuids: Vec::new(),
    };
    state.cards.insert(card_id.clone(), card);
    Ok(Answer::Data(json!({ "card_id": card_id })))
}

/// The card that a message was sent with.
pub(super) fn of_message(state: &mut State, call: &Call) -> Answered {
    let id = call.text("message_id")?;
    let card = state.cards.values().find(|card| card.message_id.as_deref() == Some(id));
    let card = card.ok_or_else(|| refused(200_740, "The card entity does not exist"))?;
    Ok(Answer::Data(json!({ "card_id": card.card_id })))
}

fn parsed(text: &str) -> Result<Value, Refusal> {
    if text.trim().is_empty() || text == "{}" {
        return Err(refused(300_307, "The card DSL is empty"));
    }
    let card: Value = serde_json::from_str(text).map_err(|_| refused(200_220, "Failed to generate card content"))?;
    if card["schema"] != "2.0" {
        return Err(refused(300_303, "only cards of schema 2.0 are supported"));
    }
    if card["config"]["update_multi"] == false {
        return Err(refused(300_302, "update_multi property is false"));
    }
    if let Some(why) = card_fault(&card) {
        return Err(refused(200_220, why));
    }
    match Card::fits(&card) {
        true => Ok(card),
        false => Err(refused(200_860, "Card content exceeds limit.")),
    }
}

/// What every operation on a card begins with.
fn operation<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Card, Refusal> {
    let sequence = call.json["sequence"].as_i64().filter(|sequence| (1..=i64::from(i32::MAX)).contains(sequence));
    let sequence = sequence.ok_or_else(|| crate::refusal::violated("sequence", "must be a positive int32"))?;
    let uuid = Call::uuid(call.maybe("uuid"), 64)?;
    let (now, none) = (state.now, || refused(200_740, "The card entity does not exist"));
    if now - state.cards.get(call.param(0)).ok_or_else(none)?.created > CARD_LIFE {
        return Err(refused(200_750, "The card entity has expired"));
    }
    state.rate(&format!("card {}", call.param(0)), 10, 1000).map_err(|_| throttled(1, false))?;
    let card = state.cards.get_mut(call.param(0)).ok_or_else(none)?;
    if let Some(uuid) = uuid {
        if card.uuids.contains(&uuid) {
            return Err(refused(200_770, "UUID conflict"));
        }
        if card.uuids.len() < MOST_UUIDS {
            card.uuids.push(uuid);
        }
    }
    if sequence <= card.sequence {
        return Err(refused(300_317, "The sequence number for operating on the card did not increment consecutively"));
    }
    card.sequence = sequence;
    Ok(card)
}

pub(super) fn content(state: &mut State, call: &Call) -> Answered {
    let text = call.text("content")?.to_owned();
    let element_id = call.param(1).to_owned();
    let now = state.now;
    let card = operation(state, call)?;
    if card.streaming_since.is_some_and(|since| now - since > STREAMING) {
        card.streaming_since = None;
        card.card["config"]["streaming_mode"] = json!(false);
        return Err(refused(200_850, "Card streaming timeout"));
    }
    if !card.streams() {
        return Err(refused(300_309, "Card streaming closed"));
    }
    let mut new = card.card.clone();
    let element = Card::element(&mut new, &element_id);
    let element = element.ok_or_else(|| refused(300_313, "Failed to update element properties: no such element"))?;
    if !matches!(element["tag"].as_str(), Some("markdown" | "plain_text" | "div")) {
        return Err(refused(300_310, "Only update text"));
    }
    match element["tag"] == "div" {
        true => element["text"]["content"] = json!(text),
        false => element["content"] = json!(text),
    }
    if !Card::fits(&new) {
        return Err(refused(200_860, "Card content exceeds limit."));
    }
    card.card = new;
    card.texts.push((now, card.sequence, element_id, text));
    Ok(Answer::Data(json!({})))
}

pub(super) fn settings(state: &mut State, call: &Call) -> Answered {
    let text = call.text("settings")?.to_owned();
    let now = state.now;
    let card = operation(state, call)?;
    let change: Value =
        serde_json::from_str(&text).map_err(|_| refused(300_122, "Failed to update card configuration"))?;
    let config = change["config"].as_object();
    if config.is_none() && change.get("card_link").is_none() {
        return Err(refused(300_122, "Failed to update card configuration"));
    }
    if change["config"]["update_multi"] == false {
        return Err(refused(300_302, "update_multi property is false"));
    }
    for (name, value) in config.into_iter().flatten() {
        card.card["config"][name.as_str()] = value.clone();
    }
    if let Some(link) = change.get("card_link") {
        card.card["card_link"] = link.clone();
    }
    card.streaming_since = card.streams().then_some(now);
    Ok(Answer::Data(json!({})))
}

pub(super) fn update(state: &mut State, call: &Call) -> Answered {
    if call.json["card"]["type"] != "card_json" {
        return Err(refused(10_002, "Your request contains an invalid request parameter: card.type"));
    }
    let new = parsed(call.json["card"]["data"].as_str().unwrap_or_default())?;
    let now = state.now;
    let card = operation(state, call)?;
    card.card = new;
    card.streaming_since = card.streams().then_some(now);
    Ok(Answer::Data(json!({})))
}
