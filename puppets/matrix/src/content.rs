//! CONTENT: what the bot says as the content of an event. Pure.

use serde_json::{Map, Value, json};
use wechaty_puppet::{LocationPayload, Mention, MessageId, UrlLinkPayload};

use crate::{
    convert::{AUTOMATED, location_content},
    id::permalink,
    markup::{self, Pill},
};

/// Contents larger than this go without their HTML: encrypted, and with what the server adds, they have to fit an event.
const LARGEST: usize = 45_000;

fn formatted(mut content: Value, html: &str) -> Value {
    content["format"] = "org.matrix.custom.html".into();
    content["formatted_body"] = html.into();
    content
}

fn small(content: Value) -> Value {
    if content.to_string().len() <= LARGEST {
        return content;
    }
    let mut content = content;
    if let Some(fields) = content.as_object_mut() {
        fields.remove("format");
        fields.remove("formatted_body");
    }
    content
}

/// Whom a message notifies. Without anybody it says so: clients would search the words else.
fn mentions(mentions: &[Mention]) -> Value {
    let mut told = Map::new();
    let people: Vec<&str> = mentions.iter().filter_map(|mention| mention.contact().map(|id| id.as_str())).collect();
    if !people.is_empty() {
        told.insert("user_ids".into(), json!(people));
    }
    if mentions.contains(&Mention::All) {
        told.insert("room".into(), true.into());
    }
    Value::Object(told)
}

/// A text.
pub(crate) fn text(text: &str, mentioned: &[Mention], pills: &[Pill]) -> Value {
    let content = json!({ "msgtype": "m.text", "body": text, "m.mentions": mentions(mentioned) });
    match markup::with_pills(text, pills) {
        Some(html) => small(formatted(content, &html)),
        None => content,
    }
}

/// CommonMark.
pub(crate) fn markdown(text: &str, mentioned: &[Mention]) -> Value {
    let content = json!({ "msgtype": "m.text", "body": text, "m.mentions": mentions(mentioned) });
    small(formatted(content, &markup::html(text)))
}

/// A link with its title.
pub(crate) fn url(link: &UrlLinkPayload) -> Value {
    let title = if link.title.is_empty() { &link.url } else { &link.title };
    let words = link.description.as_deref().filter(|words| !words.is_empty());
    let mut body = if link.title.is_empty() { link.url.clone() } else { format!("{}\n{}", link.title, link.url) };
    let mut html = format!("<a href=\"{}\">{}</a>", markup::escape(&link.url), markup::escape(title));
    if let Some(words) = words {
        body.push('\n');
        body.push_str(words);
        html.push_str(&format!("<br>{}", markup::escape(words)));
    }
    let content = json!({ "msgtype": "m.text", "body": body, "m.mentions": {} });
    // A link into the client is shown and leads nowhere.
    if link.url.starts_with("http://") || link.url.starts_with("https://") {
        small(formatted(content, &html))
    } else {
        content
    }
}

/// Somebody's card: a link to them, which notifies nobody.
pub(crate) fn contact(pill: &Pill) -> Value {
    let content = json!({ "msgtype": "m.text", "body": permalink(&pill.user), "m.mentions": {} });
    formatted(content, &markup::pill(pill))
}

/// A place.
pub(crate) fn location(place: &LocationPayload) -> Value {
    let mut content = location_content(place);
    content["m.mentions"] = json!({});
    content
}

/// A file that is uploaded.
pub(crate) fn file(msgtype: &str, name: &str, media_type: &str, size: u64, uploaded: Uploaded) -> Value {
    let mut content = json!({
        "body": name,
        "filename": name,
        "info": { "mimetype": media_type, "size": size },
        "m.mentions": {},
    });
    match msgtype {
        "m.sticker" => {}
        msgtype => content["msgtype"] = msgtype.into(),
    }
    match uploaded {
        Uploaded::Plain(uri) => content["url"] = uri.into(),
        #[cfg(feature = "e2ee")]
        Uploaded::Encrypted(file) => content["file"] = file,
    }
    content
}

/// Where a file is.
#[derive(Clone, Debug)]
pub(crate) enum Uploaded {
    /// `mxc://…`
    Plain(String),
    /// With its keys, as events have them.
    #[cfg(feature = "e2ee")]
    Encrypted(Value),
}

/// The content as an answer to a message.
pub(crate) fn quoting(mut content: Value, quoted: Option<&MessageId>) -> Value {
    if let Some(quoted) = quoted {
        content["m.relates_to"] = json!({ "m.in_reply_to": { "event_id": quoted.as_str() } });
    }
    content
}

/// The content as the new form of a message.
pub(crate) fn edit(content: Value, message: &str) -> Value {
    let mut whole = content.clone();
    let body = format!("* {}", content["body"].as_str().unwrap_or_default());
    whole["body"] = body.into();
    if let Some(html) = content["formatted_body"].as_str() {
        whole["formatted_body"] = format!("* {html}").into();
    }
    whole["m.new_content"] = content;
    whole["m.relates_to"] = json!({ "rel_type": "m.replace", "event_id": message });
    let mut whole = small(whole);
    if whole.to_string().len() > LARGEST {
        // Clients that know edits read the new content alone.
        whole["body"] = "*".into();
    }
    whole
}

/// The content of a message said again elsewhere: what it answered, whom it notified, and which bot said it, stays where it
/// was.
pub(crate) fn again(content: &Value) -> Value {
    let mut content = content.clone();
    if let Some(fields) = content.as_object_mut() {
        fields.remove("m.relates_to");
        fields.remove("m.new_content");
        fields.remove(AUTOMATED);
        fields.insert("m.mentions".into(), json!({}));
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_notified_unless_mentioned() {
        assert_eq!(text("hi", &[], &[]), json!({ "msgtype": "m.text", "body": "hi", "m.mentions": {} }));
        let all = [Mention::All, Mention::Contact("@b:e".into())];
        assert_eq!(text("hi", &all, &[])["m.mentions"], json!({ "user_ids": ["@b:e"], "room": true }));
    }

    #[test]
    fn what_is_said_again_answers_nobody_and_notifies_nobody() {
        let said = json!({ "body": "x", "msgtype": "m.text", "m.mentions": { "room": true }, "m.relates_to": { "rel_type": "m.thread" },
            AUTOMATED: "@other:e" });
        assert_eq!(again(&said), json!({ "body": "x", "msgtype": "m.text", "m.mentions": {} }));
        assert_eq!(again(&Value::Null), Value::Null);
    }

    #[test]
    fn the_largest_text_fits_an_event_however_it_is_said() {
        let long = "<*a*".repeat(crate::LONGEST_TEXT / 4);
        for content in [markdown(&long, &[]), edit(text(&"\"".repeat(crate::LONGEST_TEXT / 2), &[], &[]), "$x")] {
            assert!(content.to_string().len() < 62_000, "{}", content.to_string().len());
        }
    }

    #[test]
    fn a_link_that_leads_into_the_client_is_only_text() {
        let link = UrlLinkPayload { url: "javascript:alert(1)".into(), title: "x".into(), ..Default::default() };
        assert!(url(&link).get("formatted_body").is_none());
    }
}
