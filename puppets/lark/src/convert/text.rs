//! Texts and whom they mention: the platform has keys (`@_user_1`) inbound and tags (`<at …>`) outbound, we have names.

use serde_json::{Value, json};
use wechaty_puppet::{ContactId, Mention};

use crate::json::{list, person, text};

/// The key of everybody, which no list names.
const EVERYBODY: &str = "@_all";

/// Somebody who is mentioned, under the key that stands in the text.
pub(crate) struct Named {
    pub(crate) key: String,
    pub(crate) id: Option<ContactId>,
    pub(crate) name: String,
}

/// Whom a message mentions.
pub(crate) fn people(message: &Value) -> Vec<Named> {
    list(message, "mentions")
        .iter()
        .map(|mention| Named {
            key: text(mention, "key").to_owned(),
            id: person(mention, "id"),
            name: text(mention, "name").to_owned(),
        })
        .collect()
}

/// The text with names in the place of keys.
pub(crate) fn resolve(mut rest: &str, people: &[Named], mentions: &mut Vec<Mention>) -> String {
    let mut out = String::with_capacity(rest.len());
    while let Some(place) = rest.find("@_") {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let named = people.iter().filter(|named| named.key.starts_with("@_") && rest.starts_with(&*named.key));
        // `@_user_1` is the beginning of `@_user_10`.
        if let Some(named) = named.max_by_key(|named| named.key.len()) {
            out.push('@');
            out.push_str(&named.name);
            add(mentions, named.id.clone().map(Mention::Contact));
            rest = &rest[named.key.len()..];
        } else if let Some(behind) = rest.strip_prefix(EVERYBODY) {
            out.push_str("@all");
            add(mentions, Some(Mention::All));
            rest = behind;
        } else {
            out.push_str("@_");
            rest = &rest[2..];
        }
    }
    out.push_str(rest);
    out
}

pub(crate) fn add(mentions: &mut Vec<Mention>, mention: Option<Mention>) {
    mentions.extend(mention.filter(|mention| !mentions.contains(mention)));
}

/// A part of a text that goes out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// As it reads.
    Text(&'a str),
    /// Somebody, or `all`.
    At(&'a str),
}

/// Whether `@` at this place begins a mention: an address has letters before it.
fn is_free(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_none_or(|before| before.is_whitespace() || !before.is_alphanumeric())
}

/// The place of a mention: by the name, else the next `@word`.
fn place(text: &str, names: &[&str]) -> Option<(usize, usize)> {
    for name in names.iter().filter(|name| !name.is_empty()) {
        let wanted = format!("@{name}");
        if let Some((at, _)) = text.match_indices(&wanted).find(|(at, _)| is_free(text, *at)) {
            return Some((at, at + wanted.len()));
        }
    }
    let (at, _) = text.match_indices('@').find(|(at, _)| is_free(text, *at))?;
    let word = &text[at + 1..];
    // Wechaty ends a name, which may hold spaces, with this one.
    let line = word.split('\n').next().unwrap_or_default();
    let length = line.find('\u{2005}').or_else(|| line.find(char::is_whitespace)).unwrap_or(line.len());
    (length > 0).then_some((at, at + 1 + length))
}

/// Cuts a text at its mentions; those that it does not name stand behind the one before them, in their order.
pub(crate) fn parts<'a>(
    text: &'a str,
    mentions: &'a [Mention],
    name: impl Fn(&str) -> Option<String>,
) -> Vec<Part<'a>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    for mention in mentions {
        let (id, found) = match mention {
            Mention::All => ("all", place(rest, &["all", "所有人", "everyone"])),
            Mention::Contact(id) => (id.as_str(), place(rest, &[name(id.as_str()).as_deref().unwrap_or_default()])),
        };
        match found {
            Some((from, to)) => {
                parts.push(Part::Text(&rest[..from]));
                parts.push(Part::At(id));
                rest = &rest[to..];
            }
            None => {
                if matches!(parts.last(), Some(Part::At(_))) {
                    parts.push(Part::Text(" "));
                }
                parts.push(Part::At(id));
                if !rest.starts_with(char::is_whitespace) {
                    parts.push(Part::Text(" "));
                }
            }
        }
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| *part != Part::Text(""));
    parts
}

/// Whether the platform would read tags in it: what people said must not mention anybody, nor come out bold.
pub(crate) fn has_tags(text: &str) -> bool {
    let mut pairs = text.as_bytes().windows(2);
    pairs.any(|pair| pair[0] == b'<' && (pair[1].is_ascii_alphabetic() || pair[1] == b'/'))
}

/// Takes the meaning from tags that would mention somebody. What no screen shows is marked as such: JSON has six bytes for it.
pub(crate) fn tame(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let is_hidden = c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t');
        out.push(if is_hidden { char::REPLACEMENT_CHARACTER } else { c });
        let next = &text.as_bytes()[at..];
        if c == '<' && next.len() > 2 && next[1].eq_ignore_ascii_case(&b'a') && next[2].eq_ignore_ascii_case(&b't') {
            out.push('\u{200b}');
        }
    }
    out
}

/// A name or an id, where a tag has it in quotes.
fn quoted(id: &str) -> String {
    id.chars().filter(|c| !matches!(c, '"' | '<' | '>' | '&')).collect()
}

/// As the text of a message, or as Markdown of a post.
pub(crate) fn tagged(parts: &[Part<'_>]) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(&tame(text)),
            Part::At(id) => out.push_str(&format!("<at user_id=\"{}\"></at>", quoted(id))),
        }
    }
    out
}

/// As the lines of a post, where everything is as it reads.
pub(crate) fn lines(parts: &[Part<'_>]) -> Vec<Vec<Value>> {
    let mut lines = vec![Vec::new()];
    for part in parts {
        match part {
            Part::Text(text) => {
                for (number, line) in text.split('\n').enumerate() {
                    if number > 0 {
                        lines.push(Vec::new());
                    }
                    if !line.is_empty()
                        && let Some(last) = lines.last_mut()
                    {
                        last.push(json!({ "tag": "text", "text": line }));
                    }
                }
            }
            Part::At(id) => {
                if let Some(last) = lines.last_mut() {
                    last.push(json!({ "tag": "at", "user_id": id }));
                }
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(number: u32, name: &str) -> Named {
        Named { key: format!("@_user_{number}"), id: Some(format!("ou_{number}").into()), name: name.into() }
    }

    #[test]
    fn keys_become_names_and_the_first_is_not_the_tenth() {
        let (people, mut mentions) = ([named(1, "Bob"), named(10, "Tom")], Vec::new());
        let text = resolve("@_user_10, @_user_1! @_all @_nobody a@_b @_user_1", &people, &mut mentions);
        assert_eq!(text, "@Tom, @Bob! @all @_nobody a@_b @Bob");
        assert_eq!(mentions, [Mention::Contact("ou_10".into()), Mention::Contact("ou_1".into()), Mention::All]);
    }

    #[test]
    fn mentions_stand_where_the_text_names_them() {
        let mentions = [Mention::Contact("ou_1".into()), Mention::All, Mention::Contact("ou_2".into())];
        let name = |id: &str| (id == "ou_1").then(|| "Bob Smith".to_owned());
        let found = parts("mail a@b.c, @Bob Smith: @all", &mentions, name);
        let expected = [
            Part::Text("mail a@b.c, "),
            Part::At("ou_1"),
            Part::Text(": "),
            Part::At("all"),
            Part::Text(" "),
            Part::At("ou_2"),
        ];
        assert_eq!(found[..6], expected);
        assert_eq!(
            tagged(&parts("@Tom Tailor\u{2005}hi", &mentions[2..], |_| None)),
            "<at user_id=\"ou_2\"></at>\u{2005}hi"
        );
    }

    #[test]
    fn what_people_say_mentions_nobody() {
        let text = "<at user_id=\"all\">x</at> <AT id=all> < at";
        assert!(has_tags(text) && !has_tags("1 < 2 <3"));
        assert!(!tame(text).to_lowercase().contains("<at"));
    }

    #[test]
    fn whatever_a_text_consists_of_one_within_the_limit_fits_into_a_request() {
        for piece in ["\"", "\\", "\n", "\u{1}", "\u{7f}", "<at", "</at>", "\u{20ac}", "x"] {
            let text = piece.repeat(crate::TEXT_LIMIT / piece.len());
            let content = json!({ "text": tagged(&parts(&text, &[], |_| None)) }).to_string();
            let request =
                json!({ "msg_type": "text", "content": content, "uuid": "x".repeat(64), "receive_id": "x".repeat(64) });
            assert!(request.to_string().len() < 150_000, "{piece:?}");
            assert!(crate::send::check("text", &content).is_ok(), "{piece:?}");
        }
    }

    #[test]
    fn a_post_of_lines_keeps_them_all() {
        let lines = lines(&[Part::Text("a\n\nb "), Part::At("ou_1"), Part::Text("\nc")]);
        let texts: Vec<_> = lines.iter().map(Vec::len).collect();
        assert_eq!(texts, [1, 0, 2, 1]);
    }
}
