//! One payload of each kind, and whether the platform got the same.

use serde_json::json;
use wechaty_puppet::{
    Capability, Card, ContactCard, ContactId, FileBox, FilePayload, ForwardPayload, LocationPayload, Menu, MessageId,
    MiniProgramPayload, PostContent, PostPayload, PostType, SayablePayload, TextPayload, UrlLinkPayload,
};

use super::{
    case::{Verdict, failed},
    lab::Lab,
};

/// Texts that lose something on careless ways.
pub(super) const TEXTS: &[&str] = &[
    "plain",
    " leading and trailing  ",
    "two\nlines\n\nand an empty one",
    "tab\there",
    "中文，消息。",
    "👩‍👩‍👧 🇨🇳 👍🏽",
    "@Bob\u{2005}hello",
    "e\u{301} is not é",
    "שלום עולם",
    "\"quoted\" 'single' \\ back/slash",
    "<b>&amp; &lt;tag&gt;</b>",
    "*stars* _under_ `code` {\"json\": true}",
    "%20 + ?a=b&c=d #hash",
];

/// The kinds of sends.
pub(super) const KINDS: &[Capability] = &[
    Capability::SendText,
    Capability::SendMarkdown,
    Capability::SendAttachment,
    Capability::SendAudio,
    Capability::SendEmoticon,
    Capability::SendImage,
    Capability::SendVideo,
    Capability::SendContact,
    Capability::SendLocation,
    Capability::SendMiniProgram,
    Capability::SendUrl,
    Capability::SendPost,
    Capability::SendCard,
    Capability::SendMenu,
    Capability::SendForward,
    Capability::SendOther,
];

/// A small file.
pub(super) fn file(name: &str) -> FileBox {
    FileBox::from_bytes(&b"conformance"[..], name)
}

/// A payload of the kind that the capability sends.
pub(super) fn of(kind: Capability, person: &ContactId, message: &MessageId) -> SayablePayload {
    let file = |name| FilePayload { file: file(name) };
    match kind {
        Capability::SendMarkdown => {
            SayablePayload::Markdown(TextPayload { text: "**bold** and `code`".into(), mentions: Vec::new() })
        }
        Capability::SendAttachment => SayablePayload::Attachment(file("notes.txt")),
        Capability::SendAudio => SayablePayload::Audio(file("voice.mp3")),
        Capability::SendEmoticon => SayablePayload::Emoticon(file("sticker.gif")),
        Capability::SendImage => SayablePayload::Image(file("photo.png")),
        Capability::SendVideo => SayablePayload::Video(file("film.mp4")),
        Capability::SendContact => SayablePayload::Contact(ContactCard { contact_id: person.clone() }),
        Capability::SendLocation => SayablePayload::Location(LocationPayload {
            accuracy: 10.0,
            address: "1 Zhongguancun Street".into(),
            latitude: 39.995_12,
            longitude: 116.340_61,
            name: "TusPark".into(),
        }),
        Capability::SendMiniProgram => SayablePayload::MiniProgram(MiniProgramPayload {
            appid: Some("wx0123456789".into()),
            title: Some("A mini program".into()),
            page_path: Some("pages/index".into()),
            username: Some("gh_0123456789".into()),
            ..Default::default()
        }),
        Capability::SendUrl => SayablePayload::Url(UrlLinkPayload {
            url: "https://example.com/a?b=c&d=e#f".into(),
            title: "A link".into(),
            description: Some("with words".into()),
            thumbnail_url: None,
        }),
        Capability::SendPost => SayablePayload::Post(Box::new(post("a post in a chat"))),
        Capability::SendCard => SayablePayload::Card(Box::new(
            Card::new("Order").text("paid").field("No", "7").button("yes", "Yes").button("no", "No"),
        )),
        Capability::SendMenu => SayablePayload::Menu(Menu::new("Tea?").item("yes", "Yes").item("no", "No")),
        Capability::SendForward => SayablePayload::Forward(ForwardPayload { message_id: message.clone() }),
        Capability::SendOther => SayablePayload::Other(json!({ "kind": "conformance", "n": 7 })),
        _ => SayablePayload::text("plain"),
    }
}

/// A post of one text, to be published.
pub(super) fn post(text: &str) -> PostPayload {
    let sayable_list = vec![SayablePayload::text(text)];
    PostPayload {
        parent_id: None,
        root_id: None,
        kind: PostType::Moment,
        content: PostContent::Client { sayable_list },
    }
}

/// Whether two boxes have the same name and the same bytes.
pub(super) async fn same_file(lab: &Lab, sent: &FileBox, got: &FileBox) -> Verdict {
    if sent.name() != got.name() {
        return failed(format!("the file's name {:?} became {:?}", sent.name(), got.name()));
    }
    let mut bytes = Vec::new();
    for file in [sent, got] {
        match lab.bounded("reading a file", file.to_bytes()).await? {
            Ok(read) => bytes.push(read),
            Err(error) => return failed(format!("the file {:?} cannot be read: {error}", file.name())),
        }
    }
    if bytes[0] == bytes[1] {
        return Ok(());
    }
    failed(format!(
        "the file {:?} arrived with other content: {} bytes became {}",
        got.name(),
        bytes[0].len(),
        bytes[1].len()
    ))
}

/// Whether what arrived is what was sent: what a person sees and presses must be the same.
pub(super) async fn same(lab: &Lab, sent: &SayablePayload, got: &SayablePayload) -> Verdict {
    use SayablePayload as S;
    if sent.kind() != got.kind() {
        return failed(format!("sent as {}, but arrived as {}", sent.kind(), got.kind()));
    }
    if let (Some(sent), Some(got)) = (sent.file_box(), got.file_box()) {
        return same_file(lab, sent, got).await;
    }
    let equal = match (sent, got) {
        (S::Text(a), S::Text(b)) | (S::Markdown(a), S::Markdown(b)) => a.text == b.text,
        (S::Contact(a), S::Contact(b)) => a == b,
        (S::Location(a), S::Location(b)) => {
            (a.latitude - b.latitude).abs() < 1e-4 && (a.longitude - b.longitude).abs() < 1e-4 && a.name == b.name
        }
        (S::MiniProgram(a), S::MiniProgram(b)) => {
            (&a.appid, &a.title, &a.page_path) == (&b.appid, &b.title, &b.page_path)
        }
        (S::Url(a), S::Url(b)) => (&a.url, &a.title) == (&b.url, &b.title),
        (S::Card(a), S::Card(b)) => {
            let buttons = |card: &Card| card.buttons.iter().map(|b| (b.id.clone(), b.text.clone())).collect::<Vec<_>>();
            (&a.title, &a.text, buttons(a)) == (&b.title, &b.text, buttons(b))
        }
        (S::Menu(a), S::Menu(b)) => a == b,
        (S::Other(a), S::Other(b)) => a == b,
        _ => true,
    };
    if equal {
        Ok(())
    } else {
        failed(format!("{} was altered on the way: sent {sent:?}, arrived {got:?}", sent.kind()))
    }
}
