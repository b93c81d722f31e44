//! Finds what is left untranslated in a Chinese text.

/// Words that are the same in Chinese: names, and words of the trade that nobody translates.
const NAMES: &[&str] = &[
    "wechaty", "Wechaty", "puppet", "TOML", "JSON", "ASCII", "IANA", "stdin", "stdout", "stderr", "webhook", "UUID",
    "lark",
];

/// Words this long are words, not units or initials.
const SHORTEST: usize = 4;

/// English words outside of quotation marks that are no names, keys, paths or codes.
pub(crate) fn english(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        // Behind a code comes the key it is about, here as in every message.
        let line = without_quotations(line);
        let line = match line.split_once("[C").and_then(|(_, rest)| rest.split_once(": ")) {
            Some((_, message)) => message.to_owned(),
            None => line,
        };
        let words = line.split(|c: char| !c.is_ascii_graphic());
        for word in words.map(|word| word.trim_matches(['.', ',', ';', ':', '!', '?', '(', ')', '*'])) {
            let letters = word.chars().all(|c| c.is_ascii_alphabetic());
            if letters && word.len() >= SHORTEST && !NAMES.contains(&word) {
                found.push(word.to_owned());
            }
        }
    }
    found
}

/// What stands between backquotes or quotation marks was said or written by somebody else.
fn without_quotations(line: &str) -> String {
    let mut rest = String::new();
    let mut until = None;
    for c in line.chars() {
        match until {
            Some(end) if c == end => until = None,
            Some(_) => {}
            None => {
                until = match c {
                    '`' | '"' => Some(c),
                    '“' => Some('”'),
                    _ => None,
                };
                rest.push(if until.is_some() { ' ' } else { c });
            }
        }
    }
    rest
}

#[test]
fn english_is_found_and_names_are_not() {
    let found = |text| english(text).join(" ");
    assert_eq!(found("a.toml:2:1: [C005] pacing.burst: 应为 `integer`，却是 “no text”"), "");
    assert_eq!(found("应为整数，found string."), "found string");
    assert_eq!(found("wechaty: 无法读取 /etc/shadow：permission denied (os error 13)"), "permission denied error");
}
