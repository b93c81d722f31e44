//! ANSWER: what the body of a 2xx wants done: `{"say": …}`, `{"accept": true}`, both, or nothing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wechaty_catalogue::Lang;

use crate::check;

/// Most messages of one answer.
const SAYS: usize = 16;

/// What a webhook wants done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What is said where it happened, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) say: Vec<Value>,
    /// Whether the first of it quotes the message it answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) quote: bool,
    /// Whether the friend request or the invitation is accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) accept: bool,
}

impl Answer {
    /// Reads a body. `None`: it wants nothing. `Err`: nobody knows what it wants.
    pub(super) fn read(body: &[u8]) -> Result<Option<Self>, String> {
        // Many answer `OK`, or a page: that is no answer in JSON, and wants nothing.
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Ok(None) };
        Self::of(members)
    }

    fn of(members: Map<String, Value>) -> Result<Option<Self>, String> {
        let mut answer = Self::default();
        let flag =
            |name: &str, value: &Value| value.as_bool().ok_or_else(|| format!("`{name}` is neither true nor false"));
        for (name, value) in members {
            match name.as_str() {
                "say" => {
                    answer.say = match value {
                        Value::Null => Vec::new(),
                        Value::Array(all) => all,
                        one => vec![one],
                    }
                }
                "quote" => answer.quote = flag("quote", &value)?,
                "accept" => answer.accept = flag("accept", &value)?,
                other => return Err(format!("`{}` is not known", other.chars().take(40).collect::<String>())),
            }
        }
        if answer.say.len() > SAYS {
            return Err(format!("`say` has {} messages, and {SAYS} are the most", answer.say.len()));
        }
        for what in &mut answer.say {
            look_at(what)?;
            check::whole(what);
        }
        Ok((answer.accept || !answer.say.is_empty()).then_some(answer))
    }
}

/// Whether something can be said: a text, or content as in `POST /sends`.
fn look_at(what: &Value) -> Result<(), String> {
    match what {
        Value::String(text) if text.trim().is_empty() => Err("`say` is an empty text".to_owned()),
        Value::String(_) => Ok(()),
        Value::Object(_) => check::check("Content", what).map_err(|problem| {
            let detail = problem.json(Lang::En)["detail"].as_str().unwrap_or_default().to_owned();
            format!("`say` is nothing that can be said: {detail}")
        }),
        _ => Err("`say` is neither a text nor content as in POST /sends".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<(usize, bool, bool)>, String> {
        Answer::read(body.as_bytes()).map(|answer| answer.map(|a| (a.say.len(), a.quote, a.accept)))
    }

    #[test]
    fn an_answer_says_accepts_both_or_nothing() {
        assert_eq!(read(r#"{"say": "hi"}"#), Ok(Some((1, false, false))));
        assert_eq!(read(r#"{"say": ["a", {"text": "b"}], "quote": true}"#), Ok(Some((2, true, false))));
        assert_eq!(read(r#"{"accept": true, "say": "welcome"}"#), Ok(Some((1, false, true))));
        for nothing in ["", "OK", "<html>", "null", "\"ok\"", "[]", "{}", r#"{"accept": false}"#, r#"{"say": null}"#] {
            assert_eq!(read(nothing), Ok(None), "{nothing}");
        }
    }

    #[test]
    fn what_nobody_knows_is_told() {
        let many = format!(r#"{{"say": {}}}"#, serde_json::to_string(&vec!["x"; 17]).unwrap());
        for bad in [
            r#"{"ok": true}"#,
            r#"{"say": 7}"#,
            r#"{"say": ""}"#,
            r#"{"say": {"type": "Text"}}"#,
            r#"{"say": {}}"#,
            r#"{"accept": "yes"}"#,
            &many,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
