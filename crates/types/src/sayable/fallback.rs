//! The text a platform gets that cannot show a kind.

use super::SayablePayload;

impl SayablePayload {
    /// The best plain text for a platform that cannot show this kind. Never empty, unless the text itself is.
    pub fn fallback_text(&self) -> String {
        let text = self.words();
        let own = matches!(self, Self::Text(_) | Self::Markdown(_));
        if own || !text.trim().is_empty() { text } else { format!("[{}]", self.kind()) }
    }

    fn words(&self) -> String {
        match self {
            Self::Text(text) | Self::Markdown(text) => text.text.clone(),
            Self::Attachment(f) | Self::Audio(f) | Self::Emoticon(f) | Self::Image(f) | Self::Video(f) => {
                format!("[{}] {}", self.kind(), f.file.name())
            }
            Self::Contact(card) => format!("[Contact] {}", card.contact_id),
            Self::Location(l) => {
                let place = if l.name.is_empty() { &l.address } else { &l.name };
                format!("[Location] {place} ({}, {})", l.latitude, l.longitude)
            }
            Self::MiniProgram(m) => m
                .title
                .as_deref()
                .or(m.appid.as_deref())
                .map_or_else(String::new, |name| format!("[MiniProgram] {name}")),
            Self::Url(link) if link.title.is_empty() => link.url.clone(),
            Self::Url(link) => format!("{}\n{}", link.title, link.url),
            Self::Post(post) => match &post.content {
                crate::PostContent::Client { sayable_list } => {
                    sayable_list.iter().map(Self::fallback_text).collect::<Vec<_>>().join("\n")
                }
                crate::PostContent::Server { id, .. } => format!("[Post] {id}"),
            },
            Self::Card(card) => {
                let mut lines = Vec::new();
                lines.extend([&card.title, &card.text].into_iter().filter(|s| !s.is_empty()).cloned());
                lines.extend(card.image.as_ref().map(|image| format!("[Image] {}", image.name())));
                lines.extend(card.fields.iter().map(|field| format!("{}: {}", field.label, field.value)));
                lines.extend(card.buttons.iter().enumerate().map(|(i, button)| match &button.url {
                    Some(url) => format!("{}. {} {url}", i + 1, button.text),
                    None => format!("{}. {}", i + 1, button.text),
                }));
                lines.join("\n")
            }
            Self::Menu(menu) => {
                let question = Some(menu.text.clone()).filter(|text| !text.is_empty());
                let items = menu.items.iter().enumerate().map(|(i, item)| format!("{}. {}", i + 1, item.text));
                question.into_iter().chain(items).collect::<Vec<_>>().join("\n")
            }
            Self::Forward(forward) => format!("[Forward] {}", forward.message_id),
            Self::Other(json) => format!("[Other] {json}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Card, Menu, MiniProgramPayload, PostContent, PostPayload, PostType, SayablePayload, UrlLinkPayload};

    #[test]
    fn what_says_nothing_is_named_instead_of_sent_empty() {
        let content = PostContent::Client { sayable_list: vec![SayablePayload::text("")] };
        let post = PostPayload { parent_id: None, root_id: None, kind: PostType::Moment, content };
        for (empty, text) in [
            (SayablePayload::Card(Box::default()), "[Card]"),
            (SayablePayload::Menu(Menu::new("")), "[Menu]"),
            (SayablePayload::Post(Box::new(post)), "[Post]"),
            (SayablePayload::Url(UrlLinkPayload::default()), "[Url]"),
            (SayablePayload::MiniProgram(MiniProgramPayload::default()), "[MiniProgram]"),
        ] {
            assert_eq!(empty.fallback_text(), text);
        }
        assert_eq!(SayablePayload::Menu(Menu::new("").item("y", "Yes")).fallback_text(), "1. Yes");
    }

    #[test]
    fn menu_and_card_read_well_as_text() {
        let menu = Menu::new("Tea?").item("y", "Yes").item("n", "No");
        assert_eq!(SayablePayload::Menu(menu.clone()).fallback_text(), "Tea?\n1. Yes\n2. No");
        assert_eq!(menu.choice("２").unwrap().id, "n");
        assert_eq!(menu.choice("yes").unwrap().id, "y");
        assert_eq!(menu.choice("3"), None);
        let card = Card::new("Order").text("paid").field("No", "7").button("ok", "OK").link("See", "https://e.invalid");
        assert_eq!(
            SayablePayload::Card(Box::new(card)).fallback_text(),
            "Order\npaid\nNo: 7\n1. OK\n2. See https://e.invalid"
        );
    }
}
