//! How much of each: the bounds of the web chat, and cleaning of what people type into names.

use std::time::Duration;

use icu_normalizer::ComposingNormalizerBorrowed;
use unicode_segmentation::UnicodeSegmentation;
use wechaty_puppet::Timestamp;

/// Longest text in characters.
pub(crate) const TEXT: usize = 4_000;
/// Longest name or topic, in what a reader takes for letters.
pub(crate) const NAME: usize = 40;
/// The same in bytes: a letter can be made of any number of marks.
const NAME_BYTES: usize = 400;
/// Largest file, unless the settings say otherwise.
pub(crate) const FILE: usize = 32 << 20;
/// Most buttons of a card, items of a menu, fields of a card.
pub(crate) const BUTTONS: usize = 20;
/// Longest label, value and title in bytes; longer ids name nothing here.
pub(crate) const LABEL: usize = 1_024;
/// Longest nonce in bytes; those of the page have 32.
pub(crate) const NONCE: usize = 64;
/// Most rooms one visitor has made that somebody is in.
pub(crate) const ROOMS: usize = 10;
/// Most people one message mentions.
pub(crate) const MENTIONS: usize = 50;
/// Most different reactions to one message.
pub(crate) const REACTIONS: usize = 20;
/// How many of those who reacted are told by name; of the others only how many they are.
pub(crate) const NAMES: usize = 20;
/// Longest reaction in bytes; a family with skin tones has 41.
pub(crate) const REACTION: usize = 64;
/// Largest body that is no file.
pub(crate) const JSON: usize = 64 << 10;
/// How many messages of a visitor.
pub(crate) const PACE: Pace = Pace { burst: 20.0, rate: 2.0 };
/// How much of a visitor's files, in files of the largest size.
pub(crate) const UPLOADS: Pace = Pace { burst: 2.0, rate: 1.0 / 30.0 };
/// How many visitors may join from one address.
pub(crate) const JOINS: Pace = Pace { burst: 60.0, rate: 1.0 };
/// How many wrong tokens may come from one address.
pub(crate) const GUESSES: Pace = Pace { burst: 20.0, rate: 0.2 };
/// So many times more may come from this machine: a proxy in front of everybody may be there.
pub(crate) const LOCAL: f64 = 50.0;

/// So many at once, and so many a second in the long run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    burst: f64,
    rate: f64,
}

impl Pace {
    pub(crate) const fn times(self, n: f64) -> Self {
        Self { burst: self.burst * n, rate: self.rate * n }
    }
    /// A bucket of this pace, full.
    pub(crate) const fn full(self, at: Timestamp) -> Bucket {
        Bucket { pace: self, left: self.burst, at }
    }
}

/// How fast somebody may be: a bucket that is filled by time.
#[derive(Debug)]
pub(crate) struct Bucket {
    pace: Pace,
    left: f64,
    at: Timestamp,
}

impl Bucket {
    /// Takes one, or tells when there will be one.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), Duration> {
        self.take_many(1.0, now)
    }

    /// Takes this much, or tells when there will be as much.
    pub(crate) fn take_many(&mut self, much: f64, now: Timestamp) -> Result<(), Duration> {
        self.has(much, now)?;
        self.left -= much;
        Ok(())
    }

    /// Whether there is this much, or when there will be.
    pub(crate) fn has(&mut self, much: f64, now: Timestamp) -> Result<(), Duration> {
        self.left = (self.left + now.since(self.at).as_secs_f64() * self.pace.rate).min(self.pace.burst);
        self.at = now;
        if self.left < much {
            return Err(Duration::from_secs_f64((much - self.left) / self.pace.rate));
        }
        Ok(())
    }

    /// Whether it is as if nobody had ever taken of it.
    pub(crate) fn is_full(&mut self, now: Timestamp) -> bool {
        self.has(self.pace.burst, now).is_ok()
    }
}

/// A name or a topic as it may be shown; `None`: empty, too long, or with characters that no name has.
pub(crate) fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let length = if text.len() > NAME_BYTES { usize::MAX } else { text.graphemes(true).count() };
    let seen = text.chars().any(|c| !c.is_whitespace() && !is_unseen(c));
    let fits = (1..=NAME).contains(&length) && seen && !text.chars().any(|c| c.is_control() || turns(c));
    fits.then(|| text.to_owned())
}

/// A name as a reader sees it: two that look alike are one. Without what shows nothing, whatever its width and case.
pub(crate) fn key(name: &str) -> String {
    let seen: String = name.chars().filter(|c| !is_unseen(*c)).collect();
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(&seen).to_lowercase();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The language that a list as browsers send it wants most, if it is a tag.
pub(crate) fn language(header: &str) -> Option<String> {
    let mut best = (0.0, "");
    for part in header.split(',').take(64) {
        let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
        let quality = parameters.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()).unwrap_or(1.0);
        // Of equals the first one wins.
        if quality > best.0 {
            best = (quality, tag.trim());
        }
    }
    let tag = best.1;
    let fits = tag.len() <= 35
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    fits.then(|| tag.to_owned())
}

/// Characters that turn the reading direction of what stands behind a name, or end its line.
const fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Characters that join or mark others, and show nothing by themselves.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// A text somebody says: neither empty nor too long.
pub(crate) fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= TEXT * 4 && text.chars().count() <= TEXT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_people_can_read() {
        for (typed, kept) in
            [("  Alice ", Some("Alice")), ("<b>&", Some("<b>&")), ("李 雷", Some("李 雷")), ("👩‍👩‍👧", Some("👩‍👩‍👧"))]
        {
            assert_eq!(name(typed).as_deref(), kept);
        }
        let long = "名".repeat(NAME);
        assert_eq!(name(&long), Some(long.clone()));
        for bad in
            ["", " \t ", "a\nb", "a\0", "\u{202E}ecila", "\u{200B}\u{200D}", &(long + "字"), &"e\u{301}".repeat(300)]
        {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_language_is_what_is_wanted_most() {
        for (header, tag) in [
            ("zh-CN", Some("zh-CN")),
            ("fr;q=0.3, zh-CN;q=0.1, en-GB;q=0.9", Some("en-GB")),
            ("fr, en;q=0.9", Some("fr")),
            ("en, zh", Some("en")),
            ("", None),
            ("*&^", None),
        ] {
            assert_eq!(language(header).as_deref(), tag, "{header}");
        }
    }

    #[test]
    fn after_twenty_at_once_it_is_two_a_second() {
        let at = Timestamp::from_millis;
        let mut bucket = PACE.full(at(0));
        assert!((0..20).all(|_| bucket.take(at(0)).is_ok()));
        assert_eq!(bucket.take(at(0)), Err(Duration::from_millis(500)));
        assert!(bucket.take(at(500)).is_ok() && bucket.take(at(500)).is_err());
        // A calendar that was put back gives nothing and takes nothing.
        assert!(bucket.take(at(-5_000)).is_err() && bucket.take(at(-4_000)).is_ok());
    }
}
