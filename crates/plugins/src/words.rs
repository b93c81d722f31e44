//! What a message says and whom it calls, on platforms that tell mentions and on those that do not.

use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::prelude::*;

/// A text or a list of texts, as settings can say it.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(#[schemars(length(min = 1))] String),
    Many(#[schemars(inner(length(min = 1)))] Vec<String>),
}

pub(crate) fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(OneOrMany::deserialize(deserializer)?.into())
}

impl From<OneOrMany> for Vec<String> {
    fn from(texts: OneOrMany) -> Self {
        match texts {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(list) => list,
        }
    }
}

/// Full-width letters, digits and punctuation, as Chinese keyboards write them, become plain ones, and so does the
/// ideographic space.
pub fn half_width(text: &str) -> String {
    let plain = |c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    };
    text.chars().map(plain).collect()
}

/// What a message says without mentions; where the members cannot be loaded, without the names it begins with.
pub async fn words(message: &Message) -> String {
    match message.mention_text().await {
        Ok(text) => text,
        Err(error) => {
            tracing::debug!(message = %message.id(), %error, "the mentions of a message could not be told");
            behind_names(message.text().unwrap_or_default()).to_owned()
        }
    }
}

/// Whether a message mentions the bot; where the members cannot be loaded, whether the bot's name is behind an `@`.
pub(crate) async fn mentions_us(message: &Message) -> bool {
    match message.mentions_self().await {
        Ok(mentioned) => mentioned,
        Err(error) => {
            tracing::debug!(message = %message.id(), %error, "the mentions of a message could not be told");
            let name = message.account().me().map(|me| message.account().contact_handle(&me).name());
            let name = name.filter(|name| !name.is_empty());
            name.is_some_and(|name| message.text().is_some_and(|text| text.contains(&format!("@{name}"))))
        }
    }
}

/// A text without `@name` in front, once or more. A name ends at WeChat's four-per-em space, else at any space.
fn behind_names(text: &str) -> &str {
    let mut rest = text.trim();
    while let Some(name) = rest.strip_prefix('@') {
        let marked = name.split_once('\u{2005}').filter(|(name, _)| !name.contains('@'));
        let Some((_, behind)) = marked.or_else(|| name.split_once(char::is_whitespace)) else { break };
        rest = behind.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_becomes_plain_and_chinese_stays() {
        assert_eq!(half_width("ＤＩＮＧ　１２！你好。"), "DING 12!你好。");
    }

    #[test]
    fn names_in_front_are_cut_off() {
        assert_eq!(behind_names("@bot ding"), "ding");
        assert_eq!(behind_names(" @The Bot\u{2005}@you\u{2005} ding dong "), "ding dong");
        assert_eq!(behind_names("ding @bot"), "ding @bot");
        assert_eq!(behind_names("@bot ask @The Cook\u{2005}for tea"), "ask @The Cook\u{2005}for tea");
        assert_eq!(behind_names("@bot"), "@bot");
    }
}
