//! The catalogue is whole: both languages say the same things, and the code and the catalogue know the same codes.

mod ftl;
mod sources;

use std::collections::BTreeSet;

use ftl::{Language, read};
use wechaty_catalogue::{Args, Lang, codes, explain, is_code, lookup, strings, text};

/// Files that pages fill in themselves: no attributes, no selectors, and their keys are not in Rust sources.
const FOR_PAGES: &[&str] = &["webchat", "console"];

/// What is the same word in both languages: names, and what people type.
const SAME: &[&str] = &["Wechaty", "BOT.toml", "{ $name }={ $value }"];

#[test]
fn both_languages_have_the_same_files_and_keys() {
    let (en, zh) = (read("en"), read("zh"));
    assert_eq!(en.files.keys().collect::<Vec<_>>(), zh.files.keys().collect::<Vec<_>>());
    for (file, texts) in &en.files {
        let keys = |texts: &[ftl::Text]| texts.iter().map(|text| text.key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(texts), keys(&zh.files[file]), "{file}.ftl: other keys, or in another order");
    }
}

#[test]
fn no_key_is_there_twice_and_no_file_has_what_cannot_be_parsed() {
    for language in ["en", "zh"] {
        let all = read(language);
        assert!(all.junk.is_empty(), "{language}: {:?}", all.junk);
        let mut seen = BTreeSet::new();
        for text in all.texts() {
            assert!(seen.insert(&text.key), "{language}: {} is there twice", text.key);
        }
    }
}

#[test]
fn both_languages_use_the_same_variables() {
    for (en, zh) in read("en").texts().zip(read("zh").texts()) {
        assert_eq!(en.variables, zh.variables, "{}", en.key);
    }
}

#[test]
fn nothing_is_untranslated() {
    let letter = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for (en, zh) in read("en").texts().zip(read("zh").texts()) {
        if SAME.contains(&zh.shown.as_str()) {
            continue;
        }
        assert_ne!(en.shown, zh.shown, "{} is the same in both languages", en.key);
        assert!(
            !en.shown.contains(letter) || en.key.contains("lang"),
            "{} is Chinese in English: {}",
            en.key,
            en.shown
        );
        // What is left when the variables are taken out.
        let words =
            en.shown.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect::<String>();
        assert!(
            !words.contains(char::is_alphabetic) || zh.shown.contains(letter),
            "{} has no Chinese word: {}",
            zh.key,
            zh.shown
        );
    }
}

/// Half-width punctuation between Chinese characters is how text looks that nobody read aloud.
#[test]
fn chinese_is_punctuated_as_chinese() {
    let letter = |c: Option<char>| c.is_some_and(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for zh in read("zh").texts() {
        let all: Vec<char> = zh.shown.chars().collect();
        for (i, c) in all.iter().enumerate() {
            if [',', '.', ';', ':', '?', '!', '(', ')'].contains(c) {
                let (before, after) = (i.checked_sub(1).map(|i| all[i]), all.get(i + 1).copied());
                assert!(!letter(before) && !letter(after), "{}: `{c}` in {}", zh.key, zh.shown);
            }
        }
    }
}

#[test]
fn every_code_has_a_message_a_cause_and_a_fix_without_variables() {
    for language in ["en", "zh"] {
        let all = read(language);
        for text in all.texts().filter(|text| is_code(&text.key)) {
            for attribute in ["cause", "fix"] {
                let key = format!("{}.{attribute}", text.key);
                let found = all.texts().find(|text| text.key == key).unwrap_or_else(|| panic!("{language}: no {key}"));
                assert!(found.variables.is_empty(), "{language}: {key} has variables, which `explain` cannot fill");
            }
        }
    }
    for lang in Lang::ALL {
        for code in codes() {
            assert!(explain(lang, code).is_some(), "{} {code}", lang.as_str());
        }
    }
    assert!(explain(Lang::En, "help").is_none() && explain(Lang::En, "W999").is_none());
}

#[test]
fn every_text_formats_with_its_variables() {
    for lang in Lang::ALL {
        let all: Language = read(lang.as_str());
        for text in all.texts().filter(|text| !text.key.contains('.')) {
            let mut args = Args::new();
            for name in &text.variables {
                args = args.set(name.clone().leak(), "VALUE");
            }
            let shown = lookup(lang, &text.key, &args).unwrap_or_else(|| panic!("no {}", text.key));
            assert!(!shown.contains("{$") && !shown.contains("{ $"), "{}: {shown}", text.key);
        }
    }
}

#[test]
fn numbers_choose_the_plural() {
    let of = |lang, count| text(lang, "pending-sends", &Args::new().number("count", count).set("names", "x"));
    assert_eq!(of(Lang::En, 1), "1 send (x)");
    assert_eq!(of(Lang::En, 2), "2 sends (x)");
    assert_eq!(of(Lang::Zh, 1), "1 条待发消息（x）");
}

#[test]
fn a_file_for_a_page_is_one_object_of_plain_texts() {
    for file in FOR_PAGES.iter().filter(|file| read("en").files.contains_key(**file)) {
        for lang in Lang::ALL {
            let json = strings(lang, file).unwrap_or_else(|| panic!("{file}.ftl has attributes or selectors"));
            assert!(json.starts_with('{') && json.ends_with('}'));
            assert!(read(lang.as_str()).files[*file].iter().all(|text| !text.key.contains('.')), "{file}.ftl");
        }
    }
    assert!(strings(Lang::Zh, "puppets").is_some_and(|json| json.contains("\"capability-room-create\":\"建群\"")));
}

#[test]
fn the_code_and_the_catalogue_know_the_same_codes() {
    let (used, known) = (sources::codes(), codes());
    let unknown: Vec<_> = used.iter().filter(|(code, _)| !known.contains(&code.as_str())).collect();
    assert!(unknown.is_empty(), "used, but not in the catalogue: {unknown:?}");
    let unused: Vec<_> = known.iter().filter(|code| !used.contains_key(**code)).collect();
    assert!(unused.is_empty(), "in the catalogue, but used nowhere: {unused:?}");
}

#[test]
fn every_text_is_used() {
    let sources = sources::all();
    // Put together at run time from the names of commands, checks, puppets, plugins, capabilities, kinds, ends, reasons and waits.
    let made = [
        "help-",
        "doctor-",
        "puppet-",
        "plugin-",
        "capability-",
        "type-",
        "sayable-",
        "event-",
        "end-",
        "reason-",
        "wait-",
    ];
    let all = read("en");
    let files = all.files.iter().filter(|(file, _)| !FOR_PAGES.contains(&file.as_str()));
    let unused: Vec<_> = files
        .flat_map(|(_, texts)| texts)
        .map(|text| text.key.as_str())
        .filter(|key| !key.contains('.') && !is_code(key) && *key != "help" && !made.iter().any(|m| key.starts_with(m)))
        .filter(|key| !sources.iter().any(|(_, text)| text.contains(&format!("\"{key}\""))))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}
