//! What the crates of this project say, in the user's language: they give keys and arguments, the catalogue has the words.

use std::error::Error;

use wechaty_catalogue::{Args, Lang, lookup};
use wechaty_puppet::Words;

pub(crate) fn told(lang: Lang, words: &Words) -> String {
    words.translate(&|key, args| {
        let args = args.iter().fold(Args::new(), |all, (name, value)| all.set(name, value.clone()));
        lookup(lang, key, &args)
    })
}

/// `MiniProgram` and its like, as people call it.
pub(crate) fn sayable(lang: Lang, kind: &str) -> String {
    let mut key = String::from("sayable");
    for c in kind.chars() {
        if c.is_ascii_uppercase() {
            key.push('-');
        }
        key.push(c.to_ascii_lowercase());
    }
    lookup(lang, &key, &Args::new()).unwrap_or_else(|| kind.to_owned())
}

/// `room-join` and its like, as people call it.
pub(crate) fn event(lang: Lang, kind: &str) -> String {
    lookup(lang, &format!("event-{kind}"), &Args::new()).unwrap_or_else(|| kind.to_owned())
}

/// A term of the ledger with its reason, `dead(refused)`, in words; a reason that nobody knows as it is.
pub(crate) fn end(lang: Lang, end: &str) -> String {
    let known = |term: &str| lookup(lang, &format!("end-{}", term.replace('_', "-")), &Args::new());
    let Some((term, reason)) = end.strip_suffix(')').and_then(|end| end.split_once('(')) else {
        return known(end).unwrap_or_else(|| end.to_owned());
    };
    known(&format!("{term}-{reason}"))
        .or_else(|| {
            let why = lookup(lang, &format!("reason-{reason}"), &Args::new());
            Some(format!("{}({})", known(term)?, why.as_deref().unwrap_or(reason)))
        })
        .unwrap_or_else(|| end.to_owned())
}

/// An error and its causes, unless one repeats the other. What the system refuses has words of its own, the rest is
/// quoted as it is.
pub(crate) fn error(error: &(dyn Error + 'static)) -> Words {
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return Words::io(error);
    }
    let mut all = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !all.contains(&cause) {
            all = format!("{all}: {cause}");
        }
        source = error.source();
    }
    Words::quoted(all)
}

#[cfg(test)]
mod tests {
    use wechaty::store::{Outcome, Settlement};
    use wechaty_types::{EventKind, SayablePayload};

    use super::*;

    #[test]
    fn every_kind_and_every_end_has_words() {
        for kind in SayablePayload::KINDS.iter().copied().chain(["Other"]) {
            assert_eq!(sayable(Lang::En, kind), kind);
            assert_ne!(sayable(Lang::Zh, kind), kind);
        }
        for kind in EventKind::ALL.iter().chain(EventKind::OWN) {
            assert_eq!(event(Lang::En, kind.as_str()), kind.as_str());
            assert_ne!(event(Lang::Zh, kind.as_str()), kind.as_str());
        }
        for kind in ["message-delivered", "message-read"] {
            assert_eq!(event(Lang::En, kind), kind);
            assert_ne!(event(Lang::Zh, kind), kind);
        }
        let handled = |by, diverged| Outcome::Handled { by, errors: Vec::new(), diverged }.end();
        let ends =
            [handled(true, 0), handled(false, 0), handled(true, 1), Settlement::MaybeSent.end(), "pending".into()];
        for one in ends.into_iter().chain([Settlement::Dropped.end(), "dead(refused)".into()]) {
            assert_eq!(end(Lang::En, &one), one);
            assert_ne!(end(Lang::Zh, &one), one);
        }
        assert_eq!(end(Lang::Zh, "dead(too (very) long)"), "发送失败(too (very) long)");
        for reason in ["dead(refused)", "dead(unreachable)", "rejected(quota)", "rejected(too-large)", "expired(late)"]
        {
            assert_eq!(end(Lang::En, reason), reason);
            assert!(!end(Lang::Zh, reason).contains(|c: char| c.is_ascii_alphabetic()), "{}", end(Lang::Zh, reason));
        }
    }

    #[test]
    fn the_catalogue_has_every_phrase_in_the_same_english_words() {
        let all = [
            wechaty_config::PHRASES,
            wechaty_plugins::PHRASES,
            wechaty_puppet::PHRASES,
            wechaty_puppet_lark::PHRASES,
            wechaty_puppet_mock::PHRASES,
            wechaty_puppet_service::PHRASES,
            #[cfg(feature = "full")]
            wechaty_puppet_matrix::PHRASES,
        ];
        let mut wrong = Vec::new();
        for phrase in all.concat() {
            let names = phrase.english.split('{').skip(1).filter_map(|part| part.split_once('}'));
            let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric());
            let names = names.map(|(name, _)| name).filter(plain);
            let words = names.fold(phrase.words(), |words, name| words.with(name, format!("<{name}>")));
            if told(Lang::En, &words) != words.as_str() || lookup(Lang::En, phrase.key, &Args::new()).is_none() {
                wrong.push(format!("{}: {} | {}", phrase.key, words, told(Lang::En, &words)));
            }
            let chinese = told(Lang::Zh, &words);
            if chinese == words.as_str() || words.as_str().matches('<').count() != chinese.matches('<').count() {
                wrong.push(format!("{}: {chinese}", phrase.key));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
