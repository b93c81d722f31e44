//! REFUSALS: why a call is not done, each with a code of its own; message and fix are the catalogue's, in the caller's
//! language.

use std::time::Duration;

use serde_json::json;
use wechaty_catalogue::{Args, Lang, fix, text};
use wechaty_puppet::WebhookResponse;

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
    TooFast(Duration),
    Gone,
    TooLarge,
    TooMuch(Duration),
    /// As many visitors as there may be.
    Full,
    /// As many rooms as there may be.
    NoRoom,
    /// As many rooms of one visitor as there may be.
    Rooms,
    Reactions,
    /// The methods there are.
    Method(&'static str),
    Chosen,
    NotRunning,
}

impl Refusal {
    /// The code: each stands for one thing.
    pub(crate) const fn code(self) -> &'static str {
        self.row().1
    }

    /// HTTP's status, and the code.
    const fn row(self) -> (u16, &'static str) {
        match self {
            Self::Token => (401, "W420"),
            Self::Visitor => (401, "W421"),
            Self::NotYours => (403, "W422"),
            Self::Barred => (403, "W423"),
            Self::NotFound => (404, "W424"),
            Self::Request => (400, "W425"),
            Self::Name => (400, "W426"),
            Self::Text => (400, "W427"),
            Self::Conversation => (404, "W428"),
            Self::TooFast(_) => (429, "W429"),
            Self::Gone => (404, "W430"),
            Self::TooLarge => (413, "W432"),
            Self::TooMuch(_) => (429, "W433"),
            Self::Full => (429, "W434"),
            Self::NoRoom => (429, "W435"),
            Self::Rooms => (409, "W436"),
            Self::Reactions => (409, "W437"),
            Self::Method(_) => (405, "W438"),
            Self::Chosen => (409, "W439"),
            Self::NotRunning => (503, "W440"),
        }
    }

    /// The answer, as the wire wants it.
    pub(crate) fn response(self, lang: Lang) -> WebhookResponse {
        let (status, code) = self.row();
        let message = text(lang, code, &Args::new());
        let body = json!({ "error": { "code": code, "message": message, "fix": fix(lang, code) } }).to_string();
        let response = json_response(status, body.into_bytes());
        match self {
            Self::TooFast(after) | Self::TooMuch(after) => {
                response.header("retry-after", after.as_secs_f64().ceil().max(1.0).to_string())
            }
            Self::Full | Self::NoRoom => response.header("retry-after", "60"),
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
    fn every_refusal_has_a_code_of_its_own() {
        let all = [
            Refusal::Token,
            Refusal::Visitor,
            Refusal::NotYours,
            Refusal::Barred,
            Refusal::NotFound,
            Refusal::Request,
            Refusal::Name,
            Refusal::Text,
            Refusal::Conversation,
            Refusal::TooFast(Duration::ZERO),
            Refusal::Gone,
            Refusal::TooLarge,
            Refusal::TooMuch(Duration::ZERO),
            Refusal::Full,
            Refusal::NoRoom,
            Refusal::Rooms,
            Refusal::Reactions,
            Refusal::Method("GET, HEAD"),
            Refusal::Chosen,
            Refusal::NotRunning,
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(|why| why.code()).collect();
        assert_eq!(codes.len(), all.len());
        for why in all {
            for lang in Lang::ALL {
                assert!(wechaty_catalogue::explain(lang, why.code()).is_some(), "{}", why.code());
            }
            assert!((400..=503).contains(&why.response(Lang::Zh).status));
        }
    }
}
