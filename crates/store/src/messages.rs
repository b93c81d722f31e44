//! MESSAGES: an account's messages in pages, the latest first, of any archive: what is not over, then what is, as it ended.
//!
//! Rows of what is over have numbers that only grow. A page says up to which the next one goes, so that what comes in or ends
//! meanwhile is neither told twice nor in the place of something else.

use std::{cmp::Reverse, fmt, str::FromStr};

use wechaty_types::{AccountId, ConversationId};

use crate::{Book, Record};

/// Which messages are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// Whose.
    pub account: AccountId,
    /// Only those of this conversation.
    pub conversation: Option<ConversationId>,
    /// Only those with all these words, in small or capital letters; of Chinese any part of a sentence is a word. Of what is over
    /// [`Archive::messages`](crate::Archive::messages) of a file finds the beginnings of other words only.
    pub words: Option<String>,
    /// Where the page before ended; `None`: the first page.
    pub after: Option<Place>,
}

/// Where a page ended. As text it is a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Rows up to this number follow.
    upto: u64,
    /// What is not over was told as far as this; `None`: all of it was.
    open: Option<Key>,
}

/// The order of what is not over: by the time it began, which it keeps when it ends; the number, and whether it was said.
type Key = (i64, u64, bool);

pub(crate) fn key(record: &Record) -> Key {
    (record.began.as_millis(), record.seq, record.book == Book::Out)
}

/// Rows of what has ended since the first page, and of which it was not told before. Any cursor asks for a page of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Only rows behind this number.
    pub behind: u64,
    /// Only what comes before this by when it began, its number, and whether it was said; the highest ones first.
    pub before: (i64, u64, bool),
    /// At most so many.
    pub most: usize,
}

impl Ended {
    /// Whether a row is one of them.
    pub fn fits(&self, number: u64, record: &Record) -> bool {
        number > self.behind && key(record) < self.before
    }
}

/// Some messages, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePage {
    /// The latest first.
    pub records: Vec<Record>,
    /// `None`: there are no more.
    pub next: Option<Place>,
}

impl Messages {
    /// Whether a record is one of them; words are looked for as they are written.
    pub fn fits(&self, record: &Record) -> bool {
        self.is_theirs(record) && self.words.as_ref().is_none_or(|words| has_words(record, words))
    }

    fn is_theirs(&self, record: &Record) -> bool {
        record.account == self.account
            && (record.book == Book::Out || record.kind == "message")
            && self.conversation.as_ref().is_none_or(|wanted| record.conversation.as_ref() == Some(wanted))
    }

    /// Whether what has ended since the first page is asked for, beside what is not over.
    pub fn is_open(&self) -> bool {
        self.after.is_none_or(|after| after.open.is_some())
    }

    /// A page of an archive whose last row has the number `last`, which was read before the rest.
    ///
    /// `open` gives what fits and is not over, with rows of what has ended if those are asked for; `over` the rows that fit up
    /// to a number, the latest first, at most so many.
    ///
    /// # Errors
    /// Those of reading.
    pub fn page<E>(
        &self,
        limit: usize,
        last: u64,
        open: impl FnOnce(Option<Ended>) -> Result<Vec<Record>, E>,
        over: impl FnOnce(u64, usize) -> Result<Vec<(u64, Record)>, E>,
    ) -> Result<MessagePage, E> {
        let upto = self.after.map_or(last, |after| after.upto);
        let told = self.after.and_then(|after| after.open);
        let ended = told.map(|before| Ended { behind: upto, before, most: limit.saturating_add(1) });
        let mut records = if self.is_open() { open(ended)? } else { Vec::new() };
        records.retain(|record| told.is_none_or(|told| key(record) < told));
        records.sort_by_key(|record| Reverse(key(record)));
        if records.len() > limit {
            records.truncate(limit);
            let next = records.last().map(|last| Place { upto, open: Some(key(last)) });
            return Ok(MessagePage { records, next });
        }
        let left = limit - records.len();
        let mut rows = over(upto, left + 1)?;
        let has_more = rows.len() > left;
        rows.truncate(left);
        let told = rows.last().map_or(upto, |(number, _)| number.saturating_sub(1));
        records.extend(rows.into_iter().map(|(_, record)| record));
        Ok(MessagePage { records, next: has_more.then_some(Place { upto: told, open: None }) })
    }
}

/// Whether all words are in its text.
pub(crate) fn has_words(record: &Record, words: &str) -> bool {
    let words = words.to_lowercase();
    !words.trim().is_empty()
        && record.text.as_ref().map(|text| text.to_lowercase()).is_some_and(|text| {
            let mut words = words.split_whitespace();
            words.all(|word| text.contains(word))
        })
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.open {
            None => write!(f, "{}", self.upto),
            Some((began, seq, is_out)) => write!(f, "{}.{began}.{seq}.{}", self.upto, u8::from(is_out)),
        }
    }
}

/// A text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no place in a list of messages")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(NoPlace);
        // Numbers of rows are those of SQLite.
        let number = |text: &str| text.parse().ok().filter(|number| i64::try_from(*number).is_ok()).ok_or(NoPlace);
        let upto = number(part()?)?;
        let Ok(began) = part() else { return Ok(Self { upto, open: None }) };
        let began = began.parse().map_err(|_| NoPlace)?;
        let seq = number(part()?)?;
        let is_out = match part()? {
            "0" => false,
            "1" => true,
            _ => return Err(NoPlace),
        };
        if part().is_ok() { Err(NoPlace) } else { Ok(Self { upto, open: Some((began, seq, is_out)) }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        for place in [Place { upto: 12, open: None }, Place { upto: 0, open: Some((-5, 7, true)) }] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for bad in
            ["", "x", "-1", "1.", "1.2.3", "1.2.3.2", "1.2.3.0.", "18446744073709551615", "1.2.9223372036854775808.0"]
        {
            assert_eq!(bad.parse::<Place>(), Err(NoPlace), "{bad}");
        }
    }
}
