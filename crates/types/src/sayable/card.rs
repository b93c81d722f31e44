//! Card and Menu: additions to Wechaty's kinds, for platforms with buttons.

use serde::{Deserialize, Serialize};
use wechaty_file_box::FileBox;

/// Title, text, image, fields and buttons.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Card {
    /// Heading.
    pub title: String,
    /// CommonMark text below it.
    pub text: String,
    /// Picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<FileBox>,
    /// Label and value, one a row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<CardField>,
    /// What can be pressed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// One row of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardField {
    /// What it is.
    pub label: String,
    /// What it says.
    pub value: String,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Button {
    /// Comes back in the action event.
    pub id: String,
    /// What it reads.
    pub text: String,
    /// Opens this instead of sending an action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A question with choices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Menu {
    /// What is asked.
    pub text: String,
    /// What can be chosen.
    pub items: Vec<MenuItem>,
}

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MenuItem {
    /// Comes back in the action event.
    pub id: String,
    /// What it reads.
    pub text: String,
}

impl Card {
    /// A card with a heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
    /// Sets the text below the heading.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }
    /// Sets the picture.
    #[must_use]
    pub fn image(mut self, image: FileBox) -> Self {
        self.image = Some(image);
        self
    }
    /// Adds a row.
    #[must_use]
    pub fn field(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push(CardField { label: label.into(), value: value.into() });
        self
    }
    /// Adds a button whose press comes back as an action event.
    #[must_use]
    pub fn button(mut self, id: impl Into<String>, text: impl Into<String>) -> Self {
        self.buttons.push(Button { id: id.into(), text: text.into(), url: None });
        self
    }
    /// Adds a button that opens a link.
    #[must_use]
    pub fn link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        let url = url.into();
        self.buttons.push(Button { id: url.clone(), text: text.into(), url: Some(url) });
        self
    }
}

impl Menu {
    /// A question without choices yet.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), items: Vec::new() }
    }
    /// Adds a choice.
    #[must_use]
    pub fn item(mut self, id: impl Into<String>, text: impl Into<String>) -> Self {
        self.items.push(MenuItem { id: id.into(), text: text.into() });
        self
    }
    /// The choice a text answer means: its number (from 1), its id or its words; full-width digits count.
    pub fn choice(&self, answer: &str) -> Option<&MenuItem> {
        let answer: String = answer
            .trim()
            .chars()
            .map(|c| match c {
                '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
                c => c,
            })
            .collect();
        let number = answer.trim_end_matches(['.', ')', '、', '。']).parse::<usize>().ok();
        number
            .and_then(|n| self.items.get(n.checked_sub(1)?))
            .or_else(|| self.items.iter().find(|item| item.id == answer))
            .or_else(|| self.items.iter().find(|item| item.text.to_lowercase() == answer.to_lowercase()))
    }
}
