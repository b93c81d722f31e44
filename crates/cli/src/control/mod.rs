//! CONTROL: how commands talk to a bot that runs: one line of JSON asks, one answers, over a socket beside the bot's
//! configuration that only its owner may open.
//!
//! ```text
//! {"v":1,"do":"ledger"}
//! {"v":1,"ok":{"in":{…},"out":{…},"accounts":{…}}}     or     {"v":1,"error":"unknown"}
//! ```
//!
//! Another command is another [`Ask`]. Lines and times are bounded; a connection carries one question.

#[cfg(unix)]
mod client;
#[cfg(not(unix))]
mod elsewhere;
mod place;
#[cfg(unix)]
mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechaty_catalogue::Lang;

use crate::failure::Failure;

#[cfg(not(unix))]
pub(crate) use self::elsewhere::{Control, ask};
pub(crate) use self::place::Place;
#[cfg(unix)]
pub(crate) use self::{client::ask, server::Control};

/// The version of the protocol.
const VERSION: u32 = 1;
/// The longest question, in bytes.
const LONGEST_QUESTION: u64 = 4 << 10;
/// The longest answer, in bytes.
const LONGEST_ANSWER: u64 = 4 << 20;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the name of a bot that has one. Without a socket it runs all the same, and is told that nobody can ask it.
///
/// # Errors
/// As [`Control::claim`].
pub(crate) fn claimed(place: Option<&Place>, lang: Lang) -> Result<Option<Control>, Failure> {
    let Some((control, deaf)) = place.map(Control::claim).transpose()? else { return Ok(None) };
    if let Some(failure) = deaf {
        failure.print(lang);
    }
    Ok(Some(control))
}

/// What a bot can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Ask {
    /// Both books.
    Ledger,
    /// A dead letter goes back into the outbox.
    Revive {
        /// Its number.
        seq: u64,
    },
    /// A dead letter is dropped.
    Discard {
        /// Its number.
        seq: u64,
    },
    /// What keeps the next send of a conversation from going out.
    Waits {
        /// Of which account.
        account: String,
        /// Which conversation.
        to: wechaty_types::ConversationId,
        /// Of what is said.
        kind: String,
    },
    /// A person is taken out of the archive.
    Forget {
        /// Of which account.
        account: String,
        /// Whom.
        person: String,
    },
}

/// What a bot says keeps a send from going out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waits {
    /// `account` (there is none of that name), `login`, `connection`, `quota`, `quota-written`, `breaker`, `store`, `pace`, or a word of a later version; `None`:
    /// nothing it knows of.
    #[serde(rename = "for", default)]
    pub(crate) what: Option<String>,
    /// Until when, where that is known; in milliseconds.
    #[serde(default)]
    pub(crate) until: Option<i64>,
}

/// A question.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    v: u32,
    #[serde(flatten)]
    ask: Ask,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    v: u32,
    #[serde(flatten)]
    result: Outcome,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Ok(Value),
    Error(Refusal),
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Refusal {
    /// The bot speaks another version.
    Version,
    /// The bot does not know what is asked.
    Unknown,
    /// This is no question.
    Malformed,
    /// The bot could not find out.
    Failed,
    /// There is no room in its store.
    Full,
    /// Its store may only be read.
    ReadOnly,
    /// Its store is damaged.
    Damaged,
    /// Its store cannot be read or written just now.
    Failing,
    /// A word of a later version.
    #[serde(other)]
    Other,
}

/// What a line asks.
fn asked(line: &[u8]) -> Result<Ask, Refusal> {
    let value: Value = serde_json::from_slice(line).map_err(|_| Refusal::Malformed)?;
    match value["v"].as_u64() {
        Some(v) if v == u64::from(VERSION) => {}
        Some(_) => return Err(Refusal::Version),
        None => return Err(Refusal::Malformed),
    }
    serde_json::from_value::<Question>(value).map(|question| question.ask).map_err(|_| Refusal::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_what_the_page_above_says() {
        let question = serde_json::to_string(&Question { v: VERSION, ask: Ask::Ledger }).expect("JSON");
        assert_eq!(question, r#"{"v":1,"do":"ledger"}"#);
        assert_eq!(asked(question.as_bytes()), Ok(Ask::Ledger));
        let answer = Answer { v: VERSION, result: Outcome::Error(Refusal::Unknown) };
        assert_eq!(serde_json::to_string(&answer).expect("JSON"), r#"{"v":1,"error":"unknown"}"#);
        let later: Answer = serde_json::from_str(r#"{"v":2,"error":"too-busy","wait":3}"#).expect("an answer");
        assert_eq!(later.result, Outcome::Error(Refusal::Other));
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        for (line, why) in [
            ("", Refusal::Malformed),
            ("ledger", Refusal::Malformed),
            (r#"{"do":"ledger"}"#, Refusal::Malformed),
            (r#"{"v":2,"do":"ledger"}"#, Refusal::Version),
            (r#"{"v":1,"do":"dance"}"#, Refusal::Unknown),
            (r#"{"v":1}"#, Refusal::Unknown),
        ] {
            assert_eq!(asked(line.as_bytes()), Err(why), "{line}");
        }
    }
}
