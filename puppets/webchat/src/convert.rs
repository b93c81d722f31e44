//! CONVERT: what a bot says to what a page shows, and back. Pure.

use wechaty_puppet::{
    Button, Capability, Card, CardField, ContactCard, ContactId, FileBox, FilePayload, LocationPayload, Menu, MenuItem,
    MessageType, PuppetError, Result, SayablePayload, TextPayload, UrlLinkPayload,
};

use crate::{
    PLATFORM, limits,
    wire::{self, Body, Kind},
};

/// Refuses what a page could not show, before anything is loaded.
pub(crate) fn check(what: &SayablePayload) -> Result<()> {
    match what {
        SayablePayload::Text(text) | SayablePayload::Markdown(text) => {
            if text.text.trim().is_empty() {
                return invalid("text", "it is empty");
            }
            length("text", &text.text, limits::TEXT)?;
            count("mentions", text.mentions.len(), limits::MENTIONS)
        }
        SayablePayload::Url(link) => {
            address(&link.url)?;
            length("title", &link.title, limits::LABEL)?;
            length("description", link.description.as_deref().unwrap_or_default(), limits::TEXT)
        }
        SayablePayload::Location(place) => {
            length("name", &place.name, limits::LABEL)?;
            length("address", &place.address, limits::LABEL)?;
            if (-90.0..=90.0).contains(&place.latitude) && (-180.0..=180.0).contains(&place.longitude) {
                Ok(())
            } else {
                invalid("location", "latitude or longitude is out of range")
            }
        }
        SayablePayload::Card(card) => {
            length("title", &card.title, limits::LABEL)?;
            length("text", &card.text, limits::TEXT)?;
            count("fields", card.fields.len(), limits::BUTTONS)?;
            count("buttons", card.buttons.len(), limits::BUTTONS)?;
            for field in &card.fields {
                length("field", &field.label, limits::LABEL)?;
                length("field", &field.value, limits::LABEL)?;
            }
            for button in &card.buttons {
                length("button", &button.id, limits::LABEL)?;
                length("button", &button.text, limits::LABEL)?;
                button.url.as_deref().map_or(Ok(()), address)?;
            }
            Ok(())
        }
        SayablePayload::Menu(menu) => {
            length("text", &menu.text, limits::TEXT)?;
            count("items", menu.items.len(), limits::BUTTONS)?;
            for item in &menu.items {
                length("item", &item.id, limits::LABEL)?;
                length("item", &item.text, limits::LABEL)?;
            }
            Ok(())
        }
        SayablePayload::Attachment(_)
        | SayablePayload::Audio(_)
        | SayablePayload::Image(_)
        | SayablePayload::Video(_)
        | SayablePayload::Contact(_)
        | SayablePayload::Forward(_) => Ok(()),
        other => Err(PuppetError::unsupported(PLATFORM, Capability::of(other))),
    }
}

fn invalid<T>(what: &'static str, reason: impl Into<String>) -> Result<T> {
    Err(PuppetError::Invalid { what, reason: reason.into() })
}

fn length(what: &'static str, text: &str, most: usize) -> Result<()> {
    let length = text.chars().count();
    if length <= most { Ok(()) } else { invalid(what, format!("{length} characters, at most {most} are shown")) }
}

fn count(what: &'static str, found: usize, most: usize) -> Result<()> {
    if found <= most { Ok(()) } else { invalid(what, format!("{found}, at most {most} are shown")) }
}

/// A page follows web addresses only: `javascript:` would be a program.
fn address(url: &str) -> Result<()> {
    let web = ["http://", "https://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
    let plain = url.len() <= limits::LABEL * 2 && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if web && plain { Ok(()) } else { invalid("link", "only http and https addresses are shown") }
}

/// What a page shows; `file` is the one that came along, or the picture of a card. A forward is none of these.
pub(crate) fn body(
    what: &SayablePayload,
    file: Option<wire::File>,
    name_of: impl Fn(&ContactId) -> Option<String>,
) -> Result<Body> {
    let of = |kind| Body { kind, ..Body::default() };
    Ok(match what {
        SayablePayload::Text(text) => Body { text: Some(text.text.clone()), ..of(Kind::Text) },
        SayablePayload::Markdown(text) => Body { text: Some(text.text.clone()), ..of(Kind::Markdown) },
        SayablePayload::Attachment(_) => Body { file, ..of(Kind::File) },
        SayablePayload::Audio(_) => Body { file, ..of(Kind::Audio) },
        SayablePayload::Image(_) => Body { file, ..of(Kind::Image) },
        SayablePayload::Video(_) => Body { file, ..of(Kind::Video) },
        SayablePayload::Contact(card) => {
            let id = &card.contact_id;
            let name = name_of(id).ok_or_else(|| PuppetError::not_found("contact", id))?;
            Body { contact: Some(wire::Who { id: id.to_string(), name }), ..of(Kind::Contact) }
        }
        // The preview's picture lies elsewhere, and a page loads nothing from there.
        SayablePayload::Url(link) => Body {
            url: Some(wire::Url {
                url: link.url.clone(),
                title: link.title.clone(),
                description: link.description.clone().unwrap_or_default(),
            }),
            ..of(Kind::Url)
        },
        SayablePayload::Location(place) => Body {
            location: Some(wire::Location {
                name: place.name.clone(),
                address: place.address.clone(),
                latitude: place.latitude,
                longitude: place.longitude,
            }),
            ..of(Kind::Location)
        },
        SayablePayload::Card(card) => Body {
            card: Some(wire::Card {
                title: card.title.clone(),
                text: card.text.clone(),
                image: file.map(|file| file.url),
                fields: card
                    .fields
                    .iter()
                    .map(|f| wire::Field { name: f.label.clone(), value: f.value.clone() })
                    .collect(),
                buttons: card.buttons.iter().map(button).collect(),
            }),
            ..of(Kind::Card)
        },
        SayablePayload::Menu(menu) => {
            let item =
                |item: &MenuItem| wire::Button { label: item.text.clone(), value: Some(item.id.clone()), url: None };
            let items = menu.items.iter().map(item).collect();
            Body { menu: Some(wire::Menu { title: menu.text.clone(), items }), ..of(Kind::Menu) }
        }
        other => return Err(PuppetError::unsupported(PLATFORM, Capability::of(other))),
    })
}

fn button(button: &Button) -> wire::Button {
    let value = if button.url.is_some() { None } else { Some(button.id.clone()) };
    wire::Button { label: button.text.clone(), value, url: button.url.clone() }
}

/// What a bot would have said to have this shown; `None` for a note, and for a file that is gone.
pub(crate) fn sayable(body: &Body, file: Option<FileBox>) -> Option<SayablePayload> {
    let text = || TextPayload { text: body.text.clone().unwrap_or_default(), mentions: Vec::new() };
    Some(match body.kind {
        Kind::Text => SayablePayload::Text(text()),
        Kind::Markdown => SayablePayload::Markdown(text()),
        Kind::Image => SayablePayload::Image(FilePayload { file: file? }),
        Kind::Audio => SayablePayload::Audio(FilePayload { file: file? }),
        Kind::Video => SayablePayload::Video(FilePayload { file: file? }),
        Kind::File => SayablePayload::Attachment(FilePayload { file: file? }),
        Kind::Contact => SayablePayload::Contact(ContactCard { contact_id: body.contact.as_ref()?.id.as_str().into() }),
        Kind::Url => {
            let link = body.url.as_ref()?;
            SayablePayload::Url(UrlLinkPayload {
                url: link.url.clone(),
                title: link.title.clone(),
                description: Some(link.description.clone()).filter(|text| !text.is_empty()),
                thumbnail_url: None,
            })
        }
        Kind::Location => {
            let place = body.location.as_ref()?;
            SayablePayload::Location(LocationPayload {
                accuracy: 0.0,
                address: place.address.clone(),
                latitude: place.latitude,
                longitude: place.longitude,
                name: place.name.clone(),
            })
        }
        Kind::Card => {
            let card = body.card.as_ref()?;
            let field = |f: &wire::Field| CardField { label: f.name.clone(), value: f.value.clone() };
            let button = |b: &wire::Button| Button {
                id: b.value.clone().or_else(|| b.url.clone()).unwrap_or_default(),
                text: b.label.clone(),
                url: b.url.clone(),
            };
            SayablePayload::Card(Box::new(Card {
                title: card.title.clone(),
                text: card.text.clone(),
                image: file,
                fields: card.fields.iter().map(field).collect(),
                buttons: card.buttons.iter().map(button).collect(),
            }))
        }
        Kind::Menu => {
            let menu = body.menu.as_ref()?;
            let items = menu.items.iter();
            let item = |b: &wire::Button| MenuItem { id: b.value.clone().unwrap_or_default(), text: b.label.clone() };
            SayablePayload::Menu(Menu { text: menu.title.clone(), items: items.map(item).collect() })
        }
        Kind::Note => return None,
    })
}

/// The text of a message, or what stands for it; `None` for a file.
pub(crate) fn words(body: &Body) -> Option<String> {
    match body.kind {
        Kind::Text | Kind::Markdown => body.text.clone(),
        _ => sayable(body, None).map(|what| what.fallback_text()),
    }
}

/// Wechaty has no type for cards and menus.
pub(crate) const fn message_type(kind: Kind) -> MessageType {
    match kind {
        Kind::Text => MessageType::Text,
        Kind::Markdown => MessageType::Markdown,
        Kind::Image => MessageType::Image,
        Kind::Audio => MessageType::Audio,
        Kind::Video => MessageType::Video,
        Kind::File => MessageType::Attachment,
        Kind::Url => MessageType::Url,
        Kind::Location => MessageType::Location,
        Kind::Contact => MessageType::Contact,
        Kind::Card | Kind::Menu => MessageType::Unknown,
        Kind::Note => MessageType::System,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(what: SayablePayload) {
        let json = |what: &SayablePayload| serde_json::to_value(what).unwrap();
        check(&what).unwrap();
        let body = body(&what, None, |_| Some("Ann".into())).unwrap();
        assert_eq!(json(&sayable(&body, None).unwrap()), json(&what));
    }

    #[test]
    fn what_is_said_comes_back_as_it_was() {
        there_and_back(SayablePayload::text("<b>hi</b>"));
        there_and_back(SayablePayload::Menu(Menu::new("Tea?").item("y", "Yes")));
        let card = Card::new("Order").text("paid").field("No", "7").button("ok", "OK").link("See", "https://e.invalid");
        there_and_back(SayablePayload::Card(Box::new(card)));
        there_and_back(SayablePayload::Contact(ContactCard { contact_id: "v1".into() }));
        there_and_back(SayablePayload::Location(LocationPayload {
            latitude: 1.5,
            longitude: -2.0,
            ..Default::default()
        }));
        let url = UrlLinkPayload { url: "https://e.invalid/a?b".into(), title: "T".into(), ..Default::default() };
        there_and_back(SayablePayload::Url(url));
    }

    #[test]
    fn a_link_that_is_a_program_is_refused() {
        for bad in
            ["javascript:alert(1)", " https://e.invalid", "data:text/html,x", "//e.invalid", "https://e.invalid/\n"]
        {
            let link = SayablePayload::Url(UrlLinkPayload { url: bad.into(), ..Default::default() });
            assert!(matches!(check(&link), Err(PuppetError::Invalid { .. })), "{bad}");
            let card = SayablePayload::Card(Box::new(Card::new("x").link("y", bad)));
            assert!(check(&card).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_too_long_or_too_much_is_refused() {
        assert!(check(&SayablePayload::text("字".repeat(limits::TEXT))).is_ok());
        assert!(check(&SayablePayload::text("字".repeat(limits::TEXT + 1))).is_err());
        assert!(check(&SayablePayload::text(" ")).is_err());
        let menu = (0..=limits::BUTTONS).fold(Menu::new("x"), |menu, i| menu.item(i.to_string(), "y"));
        assert!(check(&SayablePayload::Menu(menu)).is_err());
        assert!(matches!(check(&SayablePayload::Other(1.into())), Err(PuppetError::Unsupported { .. })));
    }
}
