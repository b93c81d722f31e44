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
    use super::*;

    #[test]
    fn the_catalogue_has_every_phrase_in_the_same_english_words() {
        let all =
            [wechaty_config::PHRASES, wechaty_plugins::PHRASES, wechaty_puppet::PHRASES, wechaty_puppet_mock::PHRASES];
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
