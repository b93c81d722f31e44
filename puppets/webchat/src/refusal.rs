//! REFUSALS: why a call is not done, with a stable code and words in the caller's language.

use std::time::Duration;

use serde_json::json;
use wechaty_puppet::WebhookResponse;

/// The languages of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lang {
    #[default]
    En,
    Zh,
}

impl Lang {
    /// The first of an `Accept-Language` header (or a single tag) that is spoken here.
    pub(crate) fn of(header: &str) -> Option<Self> {
        let spoken = |tag: &str| match tag.trim().get(..2) {
            Some(tag) if tag.eq_ignore_ascii_case("zh") => Some(Self::Zh),
            Some(tag) if tag.eq_ignore_ascii_case("en") => Some(Self::En),
            _ => None,
        };
        header.split(',').take(20).find_map(spoken)
    }
}

/// Why a call is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Token,
    Visitor,
    NotYours,
    Barred,
    NotFound,
    Request,
    Name,
    Text,
    Conversation,
    Gone,
    TooLarge,
    TooFast(Duration),
    Full,
    NotRunning,
    /// The methods there are.
    Method(&'static str),
    Chosen,
    TooMuch(Duration),
}

impl Refusal {
    /// Status, code, message and fix in English, then in Chinese.
    const fn row(self) -> (u16, &'static str, [&'static str; 2], [&'static str; 2]) {
        match self {
            Self::Token => (
                401,
                "W401",
                ["This chat needs a token.", "Open it with the whole address you were given, token included."],
                ["此聊天需要令牌。", "请使用收到的完整地址（包含令牌）打开。"],
            ),
            Self::Visitor => (
                401,
                "W401",
                ["You are not known here, or no longer.", "Join again."],
                ["这里不认识你，或你已离开太久。", "请重新加入。"],
            ),
            Self::NotYours => (
                403,
                "W403",
                ["This is not your message.", "Only who wrote it can change it or take it back."],
                ["这不是你的消息。", "只有发送者可以修改或撤回。"],
            ),
            Self::Barred => (
                403,
                "W403",
                ["You may not enter this room.", "Ask somebody in it to add you."],
                ["你不能进入这个群。", "请让群里的人邀请你。"],
            ),
            Self::NotFound => {
                (404, "W404", ["There is nothing here.", "Check the address."], ["这里什么也没有。", "请检查地址。"])
            }
            Self::Request => (
                400,
                "W400",
                ["This request makes no sense.", "Reload the page; if it happens again, report it."],
                ["无法理解这个请求。", "请刷新页面；若再次出现，请反馈。"],
            ),
            Self::Name => (
                400,
                "W400",
                ["A name has 1 to 40 letters, without control characters.", "Choose another one."],
                ["名称须为 1 到 40 个字，且不含控制字符。", "请换一个。"],
            ),
            Self::Text => (
                400,
                "W400",
                ["A message has 1 to 4,000 characters.", "Shorten it, or send it in parts."],
                ["消息须为 1 到 4000 个字符。", "请缩短，或分几次发送。"],
            ),
            Self::Conversation => (
                404,
                "W404",
                ["You are not in this conversation.", "Enter the room first."],
                ["你不在这个会话中。", "请先进入这个群。"],
            ),
            Self::Gone => (
                404,
                "W404",
                ["This message is no longer there.", "Write a new one."],
                ["这条消息已不存在。", "请另发一条。"],
            ),
            Self::TooLarge => {
                (413, "W413", ["This file is too large.", "Send a smaller one."], ["文件太大。", "请发送较小的文件。"])
            }
            Self::TooFast(_) => {
                (429, "W429", ["That was too fast.", "Wait a moment."], ["操作太快了。", "请稍候再试。"])
            }
            Self::Full => (
                429,
                "W429",
                ["The chat is full at the moment.", "Try again in a minute."],
                ["聊天室暂时已满。", "请一分钟后再试。"],
            ),
            Self::TooMuch(_) => (
                429,
                "W429",
                ["That was too much at once.", "Wait a moment, then send the rest."],
                ["一次发送得太多了。", "请稍候再发送其余的。"],
            ),
            Self::Method(_) => (
                405,
                "W405",
                ["This cannot be done with this address.", "Reload the page; if it happens again, report it."],
                ["这个地址不支持这种操作。", "请刷新页面；若再次出现，请反馈。"],
            ),
            Self::Chosen => (
                409,
                "W409",
                ["You have chosen already.", "Ask the bot again if you want something else."],
                ["你已经选过了。", "想选别的，请再问一次机器人。"],
            ),
            Self::NotRunning => (
                503,
                "W503",
                ["The bot is not there at the moment.", "Try again soon; nothing you wrote is lost."],
                ["机器人暂时不在。", "请稍后再试；你写的内容不会丢失。"],
            ),
        }
    }

    /// The answer, as the wire wants it.
    pub(crate) fn response(self, lang: Lang) -> WebhookResponse {
        let (status, code, en, zh) = self.row();
        let [message, fix] = if lang == Lang::Zh { zh } else { en };
        let body = json!({ "error": { "code": code, "message": message, "fix": fix } }).to_string();
        let response = json_response(status, body.into_bytes());
        match self {
            Self::TooFast(after) | Self::TooMuch(after) => {
                response.header("retry-after", after.as_secs_f64().ceil().max(1.0).to_string())
            }
            Self::Full => response.header("retry-after", "60"),
            Self::Method(allowed) => response.header("allow", allowed),
            Self::NotRunning => response.header("retry-after", "1"),
            _ => response,
        }
    }
}

/// JSON that nobody stores and nobody takes for something else.
pub(crate) fn json_response(status: u16, body: Vec<u8>) -> WebhookResponse {
    WebhookResponse::new(status, "application/json", body)
        .header("cache-control", "no-store")
        .header("x-content-type-options", "nosniff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_here_counts() {
        for (header, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Zh)),
            ("fr, EN-us;q=0.5, zh", Some(Lang::En)),
            ("de", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(Lang::of(header), lang, "{header}");
        }
    }

    #[test]
    fn every_refusal_is_told_in_both_languages() {
        for why in [
            Refusal::Token,
            Refusal::Visitor,
            Refusal::NotYours,
            Refusal::Barred,
            Refusal::NotFound,
            Refusal::Request,
            Refusal::Name,
            Refusal::Text,
            Refusal::Conversation,
            Refusal::Gone,
            Refusal::TooLarge,
            Refusal::TooFast(Duration::ZERO),
            Refusal::Full,
            Refusal::NotRunning,
            Refusal::Method("GET, HEAD"),
            Refusal::Chosen,
            Refusal::TooMuch(Duration::ZERO),
        ] {
            let (status, code, en, zh) = why.row();
            assert_eq!(code, format!("W{status}"));
            assert!(en.iter().all(|text| text.is_ascii()) && zh.iter().all(|text| !text.is_ascii()));
            assert_eq!(why.response(Lang::Zh).status, status);
        }
    }
}
