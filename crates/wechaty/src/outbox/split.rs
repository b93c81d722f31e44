//! SPLIT: texts longer than the platform takes go out in parts, each as long as it may be: cut at a paragraph, a line, a
//! sentence or a word, never inside a URL or a grapheme.

use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;
use wechaty_puppet::{IdempotencyKey, Limits, TextUnit};
use wechaty_types::{SayablePayload, TextPayload};

use crate::{
    Account, Result,
    inbox::digest,
    store::{OutboxRow, SendSeq},
};

/// What goes out next of a text.
#[derive(Debug)]
pub(super) struct Part {
    /// Names it to the platform.
    pub(super) key: IdempotencyKey,
    pub(super) what: Arc<SayablePayload>,
    /// Where the next part begins; `None`: this is the last one.
    pub(super) rest: Option<u64>,
}

/// How long the parts of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measure {
    /// `None`: however long.
    limit: Option<usize>,
    unit: TextUnit,
}

impl Measure {
    /// What the platform takes.
    pub(super) fn of(limits: &Limits) -> Self {
        Self { limit: limits.text, unit: limits.text_unit }
    }

    /// The text goes out whole, or what is left of it.
    pub(super) const WHOLE: Self = Self { limit: None, unit: TextUnit::Chars };
}

/// A measure as the store keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    limit: usize,
    unit: Unit,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    Bytes,
    Utf16,
    Chars,
}

fn namespace(account: &Account) -> String {
    format!("split/{}", account.id())
}

/// Notes how a text is cut, before its first part is tried: under other limits, a later life would send other words under
/// the key of a part that may have arrived.
pub(super) async fn keep(account: &Account, seq: SendSeq, measure: Measure) -> Result<()> {
    let Some(limit) = measure.limit else { return Ok(()) };
    let unit = match measure.unit {
        TextUnit::Bytes => Unit::Bytes,
        TextUnit::Utf16 => Unit::Utf16,
        TextUnit::Chars => Unit::Chars,
    };
    let json = serde_json::to_vec(&Kept { limit, unit }).map_err(crate::Error::other)?;
    account.core().store.put(&namespace(account), &seq.to_string(), None, Some(json.into())).await?;
    Ok(())
}

/// How the text of a row was cut when it was first tried.
pub(super) async fn kept(account: &Account, seq: SendSeq) -> Result<Option<Measure>> {
    let Some(found) = account.core().store.get(&namespace(account), &seq.to_string()).await? else { return Ok(None) };
    let Kept { limit, unit } = serde_json::from_slice(&found.value).map_err(crate::Error::other)?;
    let unit = match unit {
        Unit::Bytes => TextUnit::Bytes,
        Unit::Utf16 => TextUnit::Utf16,
        Unit::Chars => TextUnit::Chars,
    };
    Ok(Some(Measure { limit: Some(limit), unit }))
}

/// A row is over.
pub(super) async fn forget(account: &Account, seq: SendSeq) {
    if let Err(error) = account.core().store.put(&namespace(account), &seq.to_string(), None, None).await {
        tracing::warn!(account = %account.id(), %error, "how a text was cut stays in the store until the next start");
    }
}

/// A start: forgets all but these; a crash may have come between the end of a row and [`forget`].
pub(super) async fn sweep(account: &Account, unsent: &[OutboxRow]) -> Result<(), crate::store::StoreError> {
    for key in account.core().store.keys(&namespace(account)).await? {
        if !unsent.iter().any(|row| key.parse() == Ok(row.seq)) {
            account.core().store.put(&namespace(account), &key, None, None).await?;
        }
    }
    Ok(())
}

/// Whether each character of a text fits into a message.
pub(super) fn fits(text: &str, limit: usize, unit: TextUnit) -> bool {
    // Short ones are not looked at: a character has at most 4 bytes, which are at most 4 of any unit.
    limit >= 4 || text.chars().all(|c| unit.len(c.encode_utf8(&mut [0; 4])) <= limit)
}

/// What a message takes of a text: all of it, or what its first part would be.
pub(super) fn head<'a>(text: &'a str, limits: &Limits) -> &'a str {
    match limits.text {
        Some(limit) if text.len() > limit && limits.text_unit.len(text) > limit => {
            text[..cut(text, limit, limits.text_unit)].trim_end()
        }
        _ => text,
    }
}

/// The next part of a row; `None`: it goes out as it is.
///
/// It depends only on the row, the measure and how much is done: a second life cuts as the first one did.
pub(super) fn part(row: &OutboxRow, measure: Measure) -> Option<Part> {
    let Measure { limit, unit } = measure;
    let text = row.what.as_text()?;
    let from = usize::try_from(row.done).ok().filter(|from| text.is_char_boundary(*from)).unwrap_or(0);
    // No unit is smaller than a byte.
    if from == 0 && limit.is_none_or(|limit| text.len() <= limit || unit.len(text) <= limit) {
        return None;
    }
    let left = &text[from..];
    let cut = limit.map_or(left.len(), |limit| cut(left, limit, unit));
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
            files: Vec::new(),
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
            keyed: false,
        }
    }

    /// All parts, in order.
    fn parts(text: &str, limit: usize, unit: TextUnit) -> Vec<String> {
        let limits = Limits { text: Some(limit), text_unit: unit, ..Limits::DEFAULT };
        let (mut row, mut found, mut keys) = (row(text), Vec::new(), std::collections::HashSet::new());
        loop {
            let Some(part) = part(&row, Measure::of(&limits)) else { return vec![text.to_owned()] };
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
    fn what_is_half_sent_is_not_sent_whole_where_there_is_no_limit_any_more() {
        let row = OutboxRow { done: 8, ..row("one two three four") };
        let part = part(&row, Measure::WHOLE).expect("what is left");
        assert_eq!((part.what.as_text(), part.rest), (Some("three four"), None));
        assert_ne!(part.key, row.key);
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
