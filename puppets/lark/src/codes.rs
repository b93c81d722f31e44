//! CODES: what the platform's numbers mean, as errors that say what to do.

use std::time::Duration;

use serde_json::Value;
use wechaty_puppet::PuppetError;

use crate::json::{list, number, text};

/// What a call is about: for the words of its errors.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    /// What is being done: `sending a message`.
    pub(crate) doing: &'static str,
    /// What it is done to: `message`.
    pub(crate) what: &'static str,
    /// Its id.
    pub(crate) id: &'a str,
    /// Of an answer that is too large, what came of its list is as good as all of it.
    pub(crate) takes_front: bool,
}

impl About<'_> {
    /// Where the answer is too large, what came of its list will do.
    pub(crate) fn or_front(self) -> Self {
        Self { takes_front: true, ..self }
    }
}

/// Shorthand for [`About`].
pub(crate) fn about<'a>(doing: &'static str, what: &'static str, id: &'a str) -> About<'a> {
    About { doing, what, id, takes_front: false }
}

/// The same message, told before, is being sent.
const UNDER_WAY: i64 = 230_049;
/// The announcement of a group is a document.
pub(crate) const ANNOUNCED_IN_DOCX: i64 = 232_097;

/// The tenant's token is not taken any more: it is dropped, and the call told once again.
pub(crate) fn is_stale_token(code: i64) -> bool {
    matches!(code, 99_991_661 | 99_991_663 | 99_991_664 | 99_991_665 | 99_991_668 | 99_991_671 | 99_991_677)
}

/// Asked too fast.
fn is_too_fast(code: i64) -> bool {
    matches!(code, 99_991_400 | 99_991_402 | 11_020 | 11_021 | 230_020 | 232_019)
}

/// There is no such thing, or there is none any more.
fn is_unknown(code: i64, what: &str, said: &str) -> bool {
    match code {
        // Ids that are none, of each kind.
        99_992_351..=99_992_360 | 230_034 | 232_006 | 232_009 | 41_012 | 1_770_002 | 200_740 => true,
        // Messages, and what is in them: gone, or never there. The last two of a pin.
        230_011 | 230_110 | 231_003 | 234_003 | 230_045 | 230_047 => true,
        // Parameters: whichever is wrong, it says.
        230_001 => what == "message" && said.contains("message_id"),
        232_001 => what == "room" && said.contains("chat_id"),
        _ => false,
    }
}

/// What a person can do about it.
fn advice(code: i64) -> &'static str {
    match code {
        99_991_672 | 99_991_676 | 99_991_679 | 230_027 => {
            "add the scope to the app in the developer console, and publish a version with it"
        }
        99_991_403 => "the calls of this month are used up: wait, or buy more",
        230_002 | 232_011 | 234_004 | 1_772_003 => "the bot is not in this chat: add it first",
        230_006 | 232_025 | 234_007 | 1_772_025 => "switch the bot of the app on, in the developer console",
        230_013 | 230_053 => "let the app be available to this person, in the developer console",
        230_025 => "it is too long",
        230_028 => "the company's rules keep it from going out",
        230_009 | 230_031 | 230_033 => "it is too old for that",
        230_026 | 230_071 => "only what the bot has sent itself can be changed",
        230_072 => "it was edited as often as a message can be",
        230_050 => "the bot cannot see it",
        231_001 => "Lark has no such reaction: take one of its names, as THUMBSUP, or a common emoji",
        232_043 => "one of the people does not exist, or cannot see the bot: let the app be available to them",
        230_054 | 234_043 => "this is not done with messages of its kind",
        230_055 => "the file is not of the kind that it is sent as",
        230_099 => "the platform does not take the card",
        232_002 | 232_016 | 232_017 | 1_770_032 | 1_772_005 => "only the owner and administrators may do that",
        232_033 | 1_772_004 => "people of other companies are in it",
        234_006 => "the file is too large",
        234_010 => "the file is empty",
        40_004 | 41_050 => "the app may not see them: widen its range of contacts in the developer console",
        200_850 | 300_309 | 300_317 => "the card is finished, or was changed by a later answer",
        _ => "",
    }
}

/// What the platform's refusal means. `pause`: when it wants to be asked again.
pub(crate) fn error(about: About<'_>, status: u16, answer: &Value, pause: Option<Duration>) -> PuppetError {
    let code = number(answer, "code").unwrap_or_default();
    // It has failed inside, or is still at it: it may have done it.
    if status >= 500 || code == UNDER_WAY {
        let source = format!("the platform answered {status} (code {code})").into();
        return PuppetError::Transport { context: about.doing, source };
    }
    if status == 429 || is_too_fast(code) {
        return PuppetError::RateLimited { retry_after: pause };
    }
    if is_stale_token(code) {
        return PuppetError::NotLoggedIn;
    }
    let said = text(answer, "msg");
    match code {
        10_003 | 10_014 | 99_991_543 | 99_991_662 | 99_991_673 => {
            let reason = format!("{said} (code {code}): check app_id and app_secret, and that the app is enabled");
            return PuppetError::LoginRefused { reason };
        }
        code if is_unknown(code, about.what, said) => return PuppetError::not_found(about.what, about.id),
        99_992_402 => {
            let fields = list(answer, "error.field_violations").iter();
            let fields: Vec<_> =
                fields.map(|field| format!("{} {}", text(field, "field"), text(field, "description"))).collect();
            return PuppetError::Invalid { what: about.what, reason: format!("{said}: {}", fields.join(", ")) };
        }
        0 if status == 404 => return PuppetError::not_found(about.what, about.id),
        _ => {}
    }
    let scopes: Vec<_> =
        list(answer, "error.permission_violations").iter().map(|scope| text(scope, "subject")).collect();
    let mut message = said.to_owned();
    for part in [scopes.join(", "), advice(code).to_owned()] {
        if !part.is_empty() {
            message = format!("{message}: {part}");
        }
    }
    let code = if code == 0 { status.to_string() } else { code.to_string() };
    PuppetError::Rejected { code, message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wechaty_puppet::Retry;

    use super::*;

    fn of(code: i64) -> PuppetError {
        error(about("sending", "message", "om_1"), 400, &json!({ "code": code, "msg": "no" }), None)
    }

    #[test]
    fn each_code_says_whether_to_try_again() {
        for code in [99_991_400, 11_020, 230_020, 232_019] {
            assert!(matches!(of(code), PuppetError::RateLimited { retry_after: None }), "{code}");
        }
        assert_eq!(of(99_991_663).retry(), Retry::Backoff);
        assert!(matches!(of(10_014), PuppetError::LoginRefused { .. }));
        assert!(matches!(of(230_011), PuppetError::NotFound { what: "message", .. }));
        for code in [230_002, 230_027, 232_016, 4_711] {
            assert!(matches!(of(code), PuppetError::Rejected { .. }), "{code}");
            assert!(of(code).is_certain() && of(code).retry() == Retry::Never);
        }
    }

    #[test]
    fn a_pause_is_kept_and_a_failure_inside_is_in_doubt() {
        let ask = about("sending", "message", "om_1");
        let pause = Some(Duration::from_secs(7));
        let error = |status, answer: Value| super::error(ask, status, &answer, pause);
        assert_eq!(error(429, json!({})).retry(), Retry::After(Duration::from_secs(7)));
        for (status, code) in [(502, 0), (500, 2_200), (503, 230_001), (504, 99_991_400), (400, UNDER_WAY)] {
            let error = error(status, json!({ "code": code, "msg": "message_id" }));
            assert!(!error.is_certain() && error.retry() != Retry::Never, "{status}, {code}: {error}");
        }
        assert!(matches!(error(404, json!(null)), PuppetError::NotFound { .. }));
    }

    #[test]
    fn a_wrong_parameter_means_no_message_only_where_it_is_the_messages_id() {
        let of =
            |what, said: &str| error(about("sending", what, "x"), 400, &json!({ "code": 230_001, "msg": said }), None);
        assert!(matches!(of("message", "ext=invalid message_id"), PuppetError::NotFound { .. }));
        for (what, said) in [("message", "ext=invalid content"), ("contact", "ext=invalid receive_id")] {
            assert!(matches!(of(what, said), PuppetError::Rejected { .. }), "{said}");
        }
    }

    #[test]
    fn a_wrong_parameter_of_a_room_does_not_mean_that_there_is_none() {
        let of =
            |said: &str| error(about("renaming", "room", "oc_1"), 400, &json!({ "code": 232_001, "msg": said }), None);
        assert!(matches!(of("an invalid request parameter: chat_id"), PuppetError::NotFound { .. }));
        for said in ["an invalid request parameter: name", "invalid revision"] {
            assert!(matches!(of(said), PuppetError::Rejected { .. }), "{said}");
        }
    }

    #[test]
    fn a_missing_scope_is_named_with_what_to_do() {
        let answer = json!({ "code": 99_991_672, "msg": "Access denied", "error": {
            "permission_violations": [{ "type": "action_scope_required", "subject": "im:message" }] } });
        let said = error(about("sending", "message", ""), 400, &answer, None).to_string();
        assert!(said.contains("im:message") && said.contains("developer console"), "{said}");
    }
}
