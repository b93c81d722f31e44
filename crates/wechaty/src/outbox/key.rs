//! The key rule: a handler that runs again after a crash says the same things under the same keys.
//!
//! `key = hash(account, event and where it happened, handler, kind, conversation, content digest, k)`, where k counts equal earlier says of
//! the run, so neither order nor concurrency matters. `.key("answer")` replaces digest and k. Outside a handler the
//! key is fresh.

use wechaty_puppet::IdempotencyKey;
use wechaty_types::{AccountId, ConversationId, SayablePayload};

use crate::{handler::Run, inbox::digest};

/// The key of a say. `name`: what `.key(..)` gave.
pub(crate) fn idempotency_key(
    account: &AccountId,
    run: Option<&Run>,
    to: &ConversationId,
    what: &SayablePayload,
    name: Option<&str>,
) -> IdempotencyKey {
    // An event outside of the journal (an error, a start, a heartbeat) never runs again: nothing to be equal to.
    let Some(run) = run.filter(|run| run.event.is_some()) else {
        return IdempotencyKey::from_bytes(*uuid::Uuid::new_v4().as_bytes());
    };
    let mut bytes = Vec::with_capacity(192);
    let mut part = |text: &[u8]| {
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text);
    };
    part(account.as_str().as_bytes());
    part(&run.identity);
    // Two accounts may know one message, and what is said of it elsewhere is said for each.
    if let Some(from) = run.account.as_ref().filter(|from| *from != account) {
        part(b"from");
        part(from.as_str().as_bytes());
    }
    part(run.handler.as_bytes());
    part(what.kind().as_bytes());
    part(match to {
        ConversationId::Contact(_) => b"contact",
        ConversationId::Room(_) => b"room",
    });
    part(to.as_str().as_bytes());
    match (name, what) {
        (Some(name), _) => {
            part(b"named");
            part(name.as_bytes());
            return IdempotencyKey::from_bytes(digest(&bytes));
        }
        (None, SayablePayload::Text(text)) if text.mentions.is_empty() => part(text.text.as_bytes()),
        // Files are spooled by now, so everything has a JSON form; a failure would only make two kinds share a digest.
        (None, what) => part(&serde_json::to_vec(what).unwrap_or_default()),
    }
    let first = digest(&bytes);
    match run.occurrence(first) {
        0 => IdempotencyKey::from_bytes(first),
        k => {
            bytes.extend_from_slice(&k.to_be_bytes());
            IdempotencyKey::from_bytes(digest(&bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(run: &Run, text: &str, name: Option<&str>) -> IdempotencyKey {
        idempotency_key(
            &"bot".into(),
            Some(run),
            &ConversationId::Contact("alice".into()),
            &SayablePayload::text(text),
            name,
        )
    }

    fn run() -> std::sync::Arc<Run> {
        Run::new(Some(1), [7; 16], "greet".into(), None, None, false)
    }

    #[test]
    fn neither_order_nor_concurrency_changes_the_keys_of_a_second_run() {
        let (first, second) = (run(), run());
        let (a, b) = (key(&first, "A", None), key(&first, "B", None));
        assert_eq!((key(&second, "B", None), key(&second, "A", None)), (b, a));
        assert_ne!(a, b);
    }

    #[test]
    fn equal_says_of_one_run_have_keys_of_their_own() {
        let (first, second) = (run(), run());
        let keys = [key(&first, "ha", None), key(&first, "ha", None)];
        assert_ne!(keys[0], keys[1]);
        assert_eq!(keys, [key(&second, "ha", None), key(&second, "ha", None)]);
    }

    #[test]
    fn a_named_say_keeps_its_key_when_the_content_varies() {
        assert_eq!(key(&run(), "first answer", Some("answer")), key(&run(), "second answer", Some("answer")));
        assert_ne!(key(&run(), "x", Some("answer")), key(&run(), "x", Some("question")));
    }

    #[test]
    fn events_outside_of_the_journal_have_fresh_keys() {
        let run = || Run::new(None, [0; 16], "note".into(), None, None, false);
        assert_ne!(key(&run(), "something failed", None), key(&run(), "something failed", None));
    }

    #[test]
    fn outside_a_handler_every_key_is_fresh() {
        let fresh = || {
            idempotency_key(
                &"bot".into(),
                None,
                &ConversationId::Contact("alice".into()),
                &SayablePayload::text("x"),
                Some("n"),
            )
        };
        assert_ne!(fresh(), fresh());
    }
}
