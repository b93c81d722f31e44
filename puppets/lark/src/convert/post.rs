//! Posts, the platform's rich texts: read as plain text where they are, else as Markdown.

use serde_json::{Value, json};
use wechaty_puppet::{ContactId, Mention};

use super::text::{Named, add, resolve};
use crate::json::{at, list, some, text};

/// What a post says.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    /// Its words.
    pub text: String,
    /// Nothing but words: no title, styles, links or pictures.
    pub is_plain: bool,
    /// Whom it mentions.
    pub mentions: Vec<Mention>,
    /// Its first picture.
    pub image: Option<String>,
    /// Its first link: where it leads, what it reads.
    pub link: Option<(String, String)>,
}

/// The layer with the paragraphs: itself, or below a language.
fn layer(content: &Value) -> &Value {
    let holds = |value: &&Value| at(value, "content").is_array();
    let inner = content.get("post").unwrap_or(content);
    match inner.as_object() {
        Some(object) if !holds(&inner) => object.values().find(holds).unwrap_or(inner),
        _ => inner,
    }
}

/// Reads the content of a post.
pub(crate) fn read(content: &Value, people: &[Named]) -> Read {
    let post = layer(content);
    let mut read = Read { is_plain: true, ..Read::default() };
    let mut lines = Vec::new();
    if let Some(title) = some(post, "title") {
        read.is_plain = false;
        lines.push(format!("**{}**", resolve(title, people, &mut read.mentions)));
    }
    for paragraph in list(post, "content") {
        let elements = paragraph.as_array().map(Vec::as_slice).unwrap_or_default();
        lines.push(elements.iter().map(|element| words(element, people, &mut read)).collect());
    }
    read.text = lines.join("\n");
    read
}

fn words(element: &Value, people: &[Named], read: &mut Read) -> String {
    let said = resolve(text(element, "text"), people, &mut read.mentions);
    let styles = list(element, "style");
    let has = |name: &str| styles.iter().any(|style| style == name);
    match text(element, "tag") {
        "text" if styles.is_empty() || said.trim().is_empty() => said,
        "text" => {
            read.is_plain = false;
            let mut said = said;
            for (style, mark) in [("bold", "**"), ("italic", "*"), ("lineThrough", "~~")] {
                if has(style) {
                    said = format!("{mark}{said}{mark}");
                }
            }
            said
        }
        "a" => {
            read.is_plain = false;
            let href = text(element, "href");
            read.link.get_or_insert_with(|| (href.to_owned(), said.clone()));
            if said.is_empty() || said == href { href.to_owned() } else { format!("[{said}]({href})") }
        }
        "at" => mention(element, people, read),
        "img" => {
            read.is_plain = false;
            let key = text(element, "image_key");
            read.image.get_or_insert_with(|| key.to_owned());
            format!("![image]({key})")
        }
        "media" => {
            read.is_plain = false;
            format!("[video]({})", text(element, "file_key"))
        }
        "emotion" => format!("[{}]", text(element, "emoji_type")),
        "code_block" => {
            read.is_plain = false;
            format!("```{}\n{}\n```", text(element, "language").to_lowercase(), said.trim_end_matches('\n'))
        }
        "hr" => {
            read.is_plain = false;
            "\n---\n".to_owned()
        }
        // Of a later version, too: its words count.
        _ => {
            read.is_plain = false;
            said
        }
    }
}

fn mention(element: &Value, people: &[Named], read: &mut Read) -> String {
    let id = text(element, "user_id");
    if id == "all" || id == "@_all" {
        add(&mut read.mentions, Some(Mention::All));
        return "@all".to_owned();
    }
    let name = |fallback: &str| format!("@{}", some(element, "user_name").unwrap_or(fallback));
    match people.iter().find(|named| named.key == id) {
        Some(named) => {
            add(&mut read.mentions, named.id.clone().map(Mention::Contact));
            name(&named.name)
        }
        None => {
            // A key that no list explains is nobody's id.
            add(&mut read.mentions, ContactId::non_empty(id).filter(|_| !id.starts_with('@')).map(Mention::Contact));
            name(id)
        }
    }
}

/// The content of a post to send: its title, and lines of elements.
pub(crate) fn content(title: &str, lines: &[Vec<Value>]) -> Value {
    json!({ "zh_cn": { "title": title, "content": lines } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_read_with_and_without_its_language() {
        let bare = json!({ "title": "", "content": [[{ "tag": "text", "text": "a " }, { "tag": "at", "user_id": "@_user_1" }],
            [{ "tag": "text", "text": "b" }]] });
        let people = [Named { key: "@_user_1".into(), id: Some("ou_1".into()), name: "Bob".into() }];
        for content in [bare.clone(), json!({ "zh_cn": bare }), json!({ "post": { "en_us": bare } })] {
            let read = read(&content, &people);
            assert_eq!((&*read.text, read.is_plain), ("a @Bob\nb", true));
            assert_eq!(read.mentions, [Mention::Contact("ou_1".into())]);
        }
    }

    #[test]
    fn what_is_more_than_words_is_markdown() {
        let content = json!({ "title": "T", "content": [[
            { "tag": "text", "text": "bold", "style": ["bold", "italic"] }, { "tag": "a", "text": "x", "href": "https://e.invalid" },
            { "tag": "img", "image_key": "img_1" }, { "tag": "emotion", "emoji_type": "SMILE" }, { "tag": "later", "text": "?" },
            { "tag": "at", "user_id": "all" }], [{ "tag": "code_block", "language": "RUST", "text": "fn x" }], [{ "tag": "hr" }]] });
        let read = read(&content, &[]);
        assert_eq!(
            read.text,
            "**T**\n***bold***[x](https://e.invalid)![image](img_1)[SMILE]?@all\n```rust\nfn x\n```\n\n---\n"
        );
        assert!(!read.is_plain && read.image.as_deref() == Some("img_1") && read.mentions == [Mention::All]);
        assert_eq!(read.link, Some(("https://e.invalid".into(), "x".into())));
    }

    #[test]
    fn what_is_no_post_is_empty() {
        for content in [json!(null), json!([]), json!({ "zh_cn": 1 }), json!({ "content": [1, [2, { "tag": 3 }]] })] {
            assert_eq!(read(&content, &[]).text.trim(), "");
        }
    }
}
