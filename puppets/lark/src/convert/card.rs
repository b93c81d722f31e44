//! Cards: what has a title, a text, fields and buttons; and what a press of one tells.

use serde_json::{Map, Value, json};
use wechaty_puppet::{Card, Menu};

use super::text::tame;
use crate::json::{at, list, some, text};

/// Most words that are read out of a card.
const WORDS: usize = 8 << 10;

fn plain(words: &str) -> Value {
    json!({ "tag": "plain_text", "content": words })
}

fn markdown(words: &str) -> Value {
    json!({ "tag": "markdown", "content": tame(words) })
}

/// A button: what it does is a link, or its id comes back.
fn button(id: &str, words: &str, url: Option<&str>) -> Value {
    let behaviour = match url {
        Some(url) => json!({ "type": "open_url", "default_url": url }),
        None => json!({ "type": "callback", "value": { "id": id } }),
    };
    json!({ "tag": "button", "text": plain(words), "type": "default", "behaviors": [behaviour] })
}

fn whole(title: &str, elements: Vec<Value>) -> Value {
    let mut card = json!({ "schema": "2.0", "config": { "update_multi": true }, "body": { "elements": elements } });
    if !title.is_empty() {
        card["header"] = json!({ "title": plain(title) });
    }
    card
}

/// What a Markdown text must have before its signs, to be read as it stands.
fn literal(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        if "\\`*_~[]#<>".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A card; `image`: the key of its picture.
pub(crate) fn of_card(card: &Card, image: Option<&str>) -> Value {
    let mut elements = Vec::new();
    if !card.text.is_empty() {
        elements.push(markdown(&card.text));
    }
    if let Some(key) = image {
        elements.push(json!({ "tag": "img", "img_key": key, "alt": plain("") }));
    }
    if !card.fields.is_empty() {
        let rows = card.fields.iter().map(|field| format!("**{}** {}", literal(&field.label), literal(&field.value)));
        elements.push(markdown(&rows.collect::<Vec<_>>().join("\n")));
    }
    elements.extend(card.buttons.iter().map(|b| button(&b.id, &b.text, b.url.as_deref())));
    whole(&card.title, elements)
}

/// A menu.
pub(crate) fn of_menu(menu: &Menu) -> Value {
    let mut elements = Vec::new();
    if !menu.text.is_empty() {
        elements.push(json!({ "tag": "div", "text": plain(&menu.text) }));
    }
    elements.extend(menu.items.iter().map(|item| button(&item.id, &item.text, None)));
    whole("", elements)
}

/// A card whose text grows.
pub(crate) fn growing(words: &str) -> Value {
    json!({
        "schema": "2.0",
        "config": { "streaming_mode": true, "update_multi": true, "summary": { "content": "" } },
        "body": { "elements": [{ "tag": "markdown", "element_id": GROWING, "content": tame(words) }] },
    })
}

/// The element of a card that grows.
pub(crate) const GROWING: &str = "text";

/// The id of the button that was pressed, or of what was chosen; its value as JSON, if it is no card of ours.
pub(crate) fn pressed(action: &Value) -> String {
    let value = at(action, "value");
    let parsed = value.as_str().and_then(|words| serde_json::from_str::<Value>(words).ok()).filter(Value::is_object);
    let value = parsed.as_ref().unwrap_or(value);
    if let Some(id) = some(value, "id") {
        return id.to_owned();
    }
    for path in ["option", "input_value", "name"] {
        if let Some(chosen) = some(action, path) {
            return chosen.to_owned();
        }
    }
    match value {
        Value::String(words) => words.clone(),
        Value::Null => at(action, "form_value").as_object().map_or_else(String::new, |form| json!(form).to_string()),
        value => value.to_string(),
    }
}

/// The words of a card, from top to bottom.
pub(crate) fn words(card: &Value) -> String {
    let mut out = String::new();
    collect(card, &mut out, 0);
    out
}

/// Deeper than cards are, nothing is read.
const DEEPEST: usize = 32;

fn collect(value: &Value, out: &mut String, depth: usize) {
    if depth > DEEPEST || out.len() > WORDS {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, out, depth + 1)),
        Value::Object(object) => {
            // A title stands above, whatever the order of names.
            for key in ["header", "title", "content", "text"] {
                say(object, key, out, depth);
            }
            for key in
                object.keys().filter(|key| !["header", "title", "content", "text", "value"].contains(&key.as_str()))
            {
                if object[key].is_array() || object[key].is_object() {
                    collect(&object[key], out, depth + 1);
                }
            }
        }
        _ => {}
    }
}

fn say(object: &Map<String, Value>, key: &str, out: &mut String, depth: usize) {
    match object.get(key) {
        Some(Value::String(words)) if !words.trim().is_empty() => {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(words.trim());
        }
        Some(value) => collect(value, out, depth + 1),
        None => {}
    }
}

/// Whether the content of an interactive message only names a card.
pub(crate) fn is_reference(content: &Value) -> bool {
    text(content, "type") == "card" && list(content, "elements").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_its_words_and_a_button_its_id() {
        let card =
            Card::new("Order").text("paid").field("No", "7*").button("yes", "Yes").link("More", "https://e.invalid");
        let wire = of_card(&card, Some("img_1"));
        assert_eq!(text(&wire, "header.title.content"), "Order");
        let elements = list(&wire, "body.elements");
        assert_eq!(text(&elements[2], "content"), "**No** 7\\*");
        assert_eq!(pressed(&list(&elements[3], "behaviors")[0]), "yes");
        assert_eq!(text(&list(&elements[4], "behaviors")[0], "default_url"), "https://e.invalid");
        assert_eq!(words(&wire), "Order\npaid\n**No** 7\\*\nYes\nMore");
    }

    #[test]
    fn whatever_was_pressed_is_told() {
        for (action, value) in [
            (json!({ "value": { "id": "a", "x": 1 } }), "a"),
            (json!({ "value": "{\"id\":\"b\"}" }), "b"),
            (json!({ "value": "plain" }), "plain"),
            (json!({ "value": { "key": "v" } }), "{\"key\":\"v\"}"),
            (json!({ "tag": "select_static", "option": "2" }), "2"),
            (json!({ "form_value": { "f": "1" } }), "{\"f\":\"1\"}"),
            (json!({}), ""),
        ] {
            assert_eq!(pressed(&action), value, "{action}");
        }
    }

    #[test]
    fn words_of_a_deep_card_end() {
        let mut card = json!({ "content": "deep" });
        for _ in 0..100 {
            card = json!({ "elements": [card] });
        }
        assert_eq!(words(&card), "");
    }
}
