//! MARKUP: CommonMark as the HTML that Matrix clients show, and mentions as links. What is no markup is text, and leads
//! nowhere.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

use crate::id::permalink;

/// Somebody who is mentioned, and by which names.
#[derive(Clone, Debug)]
pub(crate) struct Pill {
    pub(crate) user: String,
    pub(crate) name: String,
}

/// What a link may lead to.
fn leads_somewhere(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "mailto" | "matrix" | "ftp" | "magnet"))
}

/// A text as it is to be read, in HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("<br>"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A link to a person, as clients show mentions.
pub(crate) fn pill(pill: &Pill) -> String {
    format!("<a href=\"{}\">{}</a>", escape(&permalink(&pill.user)), escape(&pill.name))
}

/// A text with its mentions as links; `None`: none of them is named in it.
pub(crate) fn with_pills(text: &str, pills: &[Pill]) -> Option<String> {
    let (mut html, mut rest, mut found) = (String::new(), text, false);
    while let Some(at) = rest.find('@') {
        html.push_str(&escape(&rest[..at]));
        rest = &rest[at..];
        let named = pills.iter().find_map(|pill| {
            let localpart = pill.user.trim_start_matches('@').split(':').next().unwrap_or_default();
            let mut names = [pill.user.trim_start_matches('@'), &pill.name, localpart];
            names.sort_by_key(|name| std::cmp::Reverse(name.len()));
            let name = names.into_iter().find(|name| !name.is_empty() && rest[1..].starts_with(*name))?;
            Some((pill, 1 + name.len()))
        });
        match named {
            Some((who, length)) => {
                html.push_str(&pill(who));
                rest = &rest[length..];
                found = true;
            }
            None => {
                html.push('@');
                rest = &rest[1..];
            }
        }
    }
    html.push_str(&escape(rest));
    found.then_some(html)
}

/// CommonMark as HTML: tags in it are text, pictures are links, and links that lead into the client are none.
pub(crate) fn html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut open = Vec::new();
    let events = Parser::new_ext(markdown, options).flat_map(|event| safe(event, &mut open));
    let mut written = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut written, events);
    while written.ends_with('\n') {
        written.pop();
    }
    written
}

fn safe<'a>(event: Event<'a>, open: &mut Vec<bool>) -> Vec<Event<'a>> {
    let link = |url: CowStr<'a>, open: &mut Vec<bool>| {
        let kept = leads_somewhere(&url);
        open.push(kept);
        let tag = Tag::Link { link_type: LinkType::Inline, dest_url: url, title: "".into(), id: "".into() };
        if kept { vec![Event::Start(tag)] } else { Vec::new() }
    };
    match event {
        Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
        Event::Start(Tag::HtmlBlock) => vec![Event::Start(Tag::Paragraph)],
        Event::End(TagEnd::HtmlBlock) => vec![Event::End(TagEnd::Paragraph)],
        Event::Start(Tag::Link { link_type: LinkType::Email, dest_url, .. }) => {
            link(format!("mailto:{dest_url}").into(), open)
        }
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => link(dest_url, open),
        Event::End(TagEnd::Link | TagEnd::Image) => {
            if open.pop() == Some(true) {
                vec![Event::End(TagEnd::Link)]
            } else {
                Vec::new()
            }
        }
        event => vec![event],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_what_clients_show() {
        assert_eq!(html("**bold** and `code`"), "<p><strong>bold</strong> and <code>code</code></p>");
        assert_eq!(html("[a](https://e.org/?x=1&y=2)"), "<p><a href=\"https://e.org/?x=1&amp;y=2\">a</a></p>");
        assert!(html("| a |\n|---|\n| b |").contains("<table>"));
    }

    #[test]
    fn what_could_harm_is_text() {
        for (markdown, never) in [
            ("<script>alert(1)</script>", "<script"),
            ("a <img src=x onerror=alert(1)> b", "<img"),
            ("[x](javascript:alert(1))", "href"),
            ("[x](JavaScript:alert(1))", "href"),
            ("![x](data:text/html;base64,xx)", "<img"),
            ("![x](https://e.org/x.png)", "<img"),
            ("<div onclick=\"x()\">\n\nhi\n\n</div>", "<div"),
            ("[x][y]\n\n[y]: vbscript:x", "href"),
        ] {
            let html = html(markdown);
            assert!(!html.contains(never), "{markdown:?} became {html:?}");
        }
    }

    #[test]
    fn mentions_are_links_by_name_or_id() {
        let bob = Pill { user: "@bob:e.org".into(), name: "Bob B.".into() };
        let link = "<a href=\"https://matrix.to/#/@bob:e.org\">Bob B.</a>";
        for (text, expected) in [
            ("hi @Bob B.!", format!("hi {link}!")),
            ("@bob:e.org <3", format!("{link} &lt;3")),
            ("@bob\u{2005}hello", format!("{link}\u{2005}hello")),
        ] {
            assert_eq!(with_pills(text, std::slice::from_ref(&bob)).as_deref(), Some(&*expected));
        }
        assert_eq!(with_pills("mail a@b.c", &[bob]), None);
    }
}
