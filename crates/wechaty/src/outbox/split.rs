//! SPLIT: texts longer than the platform takes go out in parts, each as long as it may be: cut at a paragraph, a line, a
//! sentence or a word, never inside a URL or a grapheme.

use std::{ops::Range, sync::Arc};

use unicode_segmentation::UnicodeSegmentation;
use wechaty_puppet::{IdempotencyKey, Limits, TextUnit};
use wechaty_types::{SayablePayload, TextPayload};

use crate::{inbox::digest, store::OutboxRow};

/// What goes out next of a text.
#[derive(Debug)]
pub(super) struct Part {
    /// Names it to the platform.
    pub(super) key: IdempotencyKey,
    pub(super) what: Arc<SayablePayload>,
    /// Where the next part begins; `None`: this is the last one.
    pub(super) rest: Option<u64>,
}

/// Whether each character of a text fits into a message.
pub(super) fn fits(text: &str, limit: usize, unit: TextUnit) -> bool {
    // Short ones are not looked at: a character has at most 4 bytes, which are at most 4 of any unit.
    limit >= 4 || text.chars().all(|c| unit.len(c.encode_utf8(&mut [0; 4])) <= limit)
}

/// The next part of a row; `None`: it goes out as it is.
///
/// It depends only on the row, the limits and how much is done: a second life cuts as the first one did.
pub(super) fn part(row: &OutboxRow, limits: &Limits) -> Option<Part> {
    let limit = limits.text?;
    let text = row.what.as_text()?;
    let from = usize::try_from(row.done).ok().filter(|from| text.is_char_boundary(*from)).unwrap_or(0);
    // No unit is smaller than a byte.
    if from == 0 && (text.len() <= limit || limits.text_unit.len(text) <= limit) {
        return None;
    }
    let left = &text[from..];
    let cut = cut(left, limit, limits.text_unit);
    let next = left[cut..].len() - left[cut..].trim_start().len() + cut;
    let words = left[..cut].trim_end();
    // Blank at its beginning only: it is said as it is.
    let words = if words.is_empty() { &left[..cut] } else { words };
    let (SayablePayload::Text(whole) | SayablePayload::Markdown(whole)) = &*row.what else { return None };
    // Whom it mentions stands in front of it.
    let mentions = if from == 0 { whole.mentions.clone() } else { Vec::new() };
    let part = TextPayload { text: words.to_owned(), mentions };
    let what = match &*row.what {
        SayablePayload::Markdown(_) => SayablePayload::Markdown(part),
        _ => SayablePayload::Text(part),
    };
    let rest = (next < left.len()).then_some((from + next) as u64);
    Some(Part { key: key(row.key, row.done), what: Arc::new(what), rest })
}

/// The key of the part that begins at `done`.
fn key(of: IdempotencyKey, done: u64) -> IdempotencyKey {
    if done == 0 {
        return of;
    }
    let mut bytes = of.as_bytes().to_vec();
    bytes.extend_from_slice(&done.to_be_bytes());
    IdempotencyKey::from_bytes(digest(&bytes))
}

/// How many bytes of `text` go into one message; never 0 if there are any.
fn cut(text: &str, limit: usize, unit: TextUnit) -> usize {
    let room = room(text, limit, unit);
    if room == text.len() {
        return room;
    }
    let urls = urls(text, room);
    let free = |at: &usize| !urls.iter().any(|url| url.start < *at && *at < url.end);
    // A break that leaves most of the room empty is worth less than a weaker one further on.
    let enough = room / 3;
    let mut best = [0; 4];
    let window = &text[..room];
    for (at, c) in window.char_indices() {
        let end = at + c.len_utf8();
        let Some(strength) = strength(c, window[..at].chars().next_back(), text[end..].chars().next()) else {
            continue;
        };
        if free(&end) {
            best[strength..].iter_mut().for_each(|best| *best = end);
        }
    }
    if let Some(at) = best.into_iter().find(|at| *at > enough).or_else(|| best.into_iter().find(|at| *at > 0)) {
        return at;
    }
    // One long word: before its URL, or between two graphemes, or inside one that is larger than a message.
    let before = urls.iter().find(|url| url.start < room && room < url.end && url.start > 0).map(|url| url.start);
    if let Some(at) = before {
        return at;
    }
    let graphemes = text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= room);
    match graphemes.last() {
        Some(at) if at > 0 => at,
        _ => room,
    }
}

/// The longest beginning of `text` that fits, in bytes; at least one character.
fn room(text: &str, limit: usize, unit: TextUnit) -> usize {
    let mut left = limit;
    for (at, c) in text.char_indices() {
        let size = match unit {
            TextUnit::Bytes => c.len_utf8(),
            TextUnit::Utf16 => c.len_utf16(),
            TextUnit::Chars => 1,
        };
        if size > left {
            return at.max(text.chars().next().map_or(0, char::len_utf8));
        }
        left -= size;
    }
    text.len()
}

/// How good a break behind this character is: 0 a paragraph, 1 a line, 2 a sentence, 3 a word; `None`: it is none.
fn strength(c: char, before: Option<char>, after: Option<char>) -> Option<usize> {
    let closes = |c: char| matches!(c, '”' | '’' | '」' | '』' | '）' | '》' | '"' | ')');
    match c {
        '\n' if before == Some('\n') => Some(0),
        '\n' if after != Some('\n') => Some(1),
        '。' | '！' | '？' | '…' | '；' if !after.is_some_and(|after| closes(after) || is_end(after)) => Some(2),
        '.' | '!' | '?' if after.is_none_or(char::is_whitespace) => Some(2),
        c if closes(c) && before.is_some_and(is_end) && after != Some(c) => Some(2),
        // Han characters have no spaces between them; a mark stays with the word before it.
        '，' | '、' | '：' => Some(3),
        c if c.is_whitespace() => Some(3),
        _ => None,
    }
}

/// Whether a sentence ends with it.
fn is_end(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '…' | '.' | '!' | '?')
}

/// The URLs that begin in the first `room` bytes.
fn urls(text: &str, room: usize) -> Vec<Range<usize>> {
    let is_part = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`');
    let mut found: Vec<Range<usize>> = Vec::new();
    for scheme in ["http://", "https://", "www."] {
        for (start, _) in text.match_indices(scheme).take_while(|(start, _)| *start < room) {
            let length = text[start..].find(|c| !is_part(c)).unwrap_or(text.len() - start);
            found.push(start..start + length);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(text: &str) -> OutboxRow {
        OutboxRow {
            file: None,
            seq: 1,
            key: IdempotencyKey::from_bytes([7; 16]),
            account: "bot".into(),
            to: wechaty_types::ConversationId::Contact("alice".into()),
            what: Arc::new(SayablePayload::text(text)),
            quote: None,
            cause: None,
            event: None,
            said_at: Default::default(),
            not_before: None,
            expires: None,
            attempts: 0,
            claimed_at: None,
            done: 0,
        }
    }

    /// All parts, in order.
    fn parts(text: &str, limit: usize, unit: TextUnit) -> Vec<String> {
        let limits = Limits { text: Some(limit), text_unit: unit, ..Limits::DEFAULT };
        let (mut row, mut found, mut keys) = (row(text), Vec::new(), std::collections::HashSet::new());
        loop {
            let Some(part) = part(&row, &limits) else { return vec![text.to_owned()] };
            assert!(keys.insert(part.key), "two parts have one key");
            found.push(part.what.as_text().expect("a text").to_owned());
            match part.rest {
                Some(rest) => row.done = rest,
                None => return found,
            }
        }
    }

    #[test]
    fn a_text_is_cut_where_a_reader_would_pause() {
        let chars = |text, limit| parts(text, limit, TextUnit::Chars);
        assert_eq!(chars("short", 5), ["short"]);
        assert_eq!(chars("One two.\n\nThree four. Five", 22), ["One two.", "Three four. Five"]);
        assert_eq!(chars("one two\nthree four five", 15), ["one two", "three four five"]);
        assert_eq!(chars("One two. Three four", 14), ["One two.", "Three four"]);
        assert_eq!(chars("one two three", 9), ["one two", "three"]);
        assert_eq!(chars("今天放假。明天上课！大家好", 8), ["今天放假。", "明天上课！大家好"]);
        assert_eq!(chars("他说：“好。”然后走了很远很远的路", 9), ["他说：“好。”", "然后走了很远很远的", "路"]);
        assert_eq!(chars("一二三四五六", 4), ["一二三四", "五六"]);
        assert_eq!(chars("3.14 is pi", 6), ["3.14", "is pi"]);
    }

    #[test]
    fn limits_count_in_the_platforms_own_unit() {
        assert_eq!(parts("一二三四", 6, TextUnit::Bytes), ["一二", "三四"]);
        assert_eq!(parts("😀😀😀", 4, TextUnit::Utf16), ["😀😀", "😀"]);
        assert_eq!(parts("😀😀😀", 2, TextUnit::Chars), ["😀😀", "😀"]);
        assert!(fits("abc", 1, TextUnit::Bytes) && !fits("一", 2, TextUnit::Bytes));
    }

    #[test]
    fn neither_a_grapheme_nor_a_url_is_torn() {
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(parts(&family.repeat(3), 15, TextUnit::Chars), [family.repeat(2), family.to_owned()]);
        let url = "https://example.com/a.b?c=d,e";
        assert_eq!(
            parts(&format!("看这里{url}。然后回来"), 32, TextUnit::Chars),
            [format!("看这里{url}"), "。然后回来".to_owned()].map(|part| part)
        );
        assert_eq!(parts(&format!("go to {url} now"), 30, TextUnit::Chars), ["go to", url, "now"]);
        assert_eq!(parts(&format!("看{url}"), 29, TextUnit::Chars), ["看", url]);
    }

    proptest! {
        /// Nothing but blanks at the cuts is lost, every part fits, and a grapheme that fits is whole.
        #[test]
        fn parts_make_the_whole(text in "([a-z]{1,9}|[ \n]{1,3}|[一-龥]{1,6}|[。！？.!?]|👨‍👩‍👧|e\u{301}|https://a\\.b/c\\?d){0,40}", limit in 20usize..60) {
            for unit in [TextUnit::Bytes, TextUnit::Utf16, TextUnit::Chars] {
                let parts = parts(&text, limit, unit);
                let solid = |text: &str| text.split_whitespace().collect::<String>();
                prop_assert_eq!(solid(&parts.concat()), solid(&text));
                for part in &parts {
                    prop_assert!(unit.len(part) <= limit, "{:?}", part);
                }
                if parts.len() > 1 {
                    prop_assert!(parts.iter().all(|part| !part.starts_with(['\u{301}', '\u{200d}'])), "{:?}", parts);
                }
            }
        }
    }
}
