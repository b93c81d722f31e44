//! What a send that is pending waits for: its row says some of it, and its bot the rest, if it runs.

use jiff::tz::TimeZone;
use serde::Serialize;
use wechaty::store::OutboxRow;
use wechaty_catalogue::{Args, Lang, lookup};
use wechaty_types::Timestamp;

use super::times;
use crate::{
    control::{self, Ask, Place},
    failure::Failure,
};

/// The bot is asked about so many at most.
const ASKED: usize = 20;

/// What a send waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Wait {
    /// Its word: `time`, `earlier`, `answer`, `bot`, `again`, or one of those that [the bot says](control::Waits).
    #[serde(rename = "for")]
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// The receipt of the send that is before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
}

impl Wait {
    fn of(what: &str) -> Self {
        Self { what: what.to_owned(), until: None, receipt: None }
    }

    /// In words.
    pub(super) fn told(&self, zone: &TimeZone, lang: Lang) -> String {
        let args = Args::new()
            .set("time", self.until.map(|until| times::exact(until, zone)).unwrap_or_default())
            .set("receipt", self.receipt.clone().unwrap_or_default());
        // Of a bot of a later version.
        lookup(lang, &format!("wait-{}", self.what), &args).unwrap_or_else(|| self.what.clone())
    }
}

/// All sends that are not settled, and the bot that is to send them.
pub(super) struct Waiting<'a> {
    rows: Vec<OutboxRow>,
    now: Timestamp,
    ask: Box<dyn Fn(Ask) -> Result<control::Waits, Failure> + 'a>,
    asked: std::cell::Cell<usize>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(rows: Vec<OutboxRow>, now: Timestamp, place: &'a Place) -> Self {
        Self::asking(rows, now, move |ask| control::ask(place, ask))
    }

    fn asking(rows: Vec<OutboxRow>, now: Timestamp, ask: impl Fn(Ask) -> Result<control::Waits, Failure> + 'a) -> Self {
        Self { rows, now, ask: Box::new(ask), asked: Default::default() }
    }

    /// What this send waits for, if that can be known.
    pub(super) fn of(&self, seq: u64) -> Option<Wait> {
        let row = self.rows.iter().find(|row| row.seq == seq)?;
        if let Some(until) = row.not_before.filter(|due| *due > self.now) {
            return Some(Wait { until: Some(until), ..Wait::of("time") });
        }
        // As they are in their lane: when they were said or, planned ones, due.
        let place = |row: &OutboxRow| (row.not_before.unwrap_or(row.said_at), row.seq);
        let is_before = |other: &&OutboxRow| {
            (&other.account, &other.to) == (&row.account, &row.to)
                && other.not_before.is_none_or(|due| due <= self.now)
                && place(other) < place(row)
        };
        if let Some(first) = self.rows.iter().filter(is_before).min_by_key(|other| place(other)) {
            return Some(Wait { receipt: Some(first.key.to_string()), ..Wait::of("earlier") });
        }
        if self.asked.replace(self.asked.get() + 1) >= ASKED {
            return None;
        }
        let ask = Ask::Waits { account: row.account.to_string(), to: row.to.clone(), kind: row.what.kind().to_owned() };
        match (self.ask)(ask) {
            // What keeps the next one, or nothing: this one is in the platform's hands.
            Ok(control::Waits { what, .. })
                if row.claimed_at.is_some() && !what.as_deref().is_some_and(holds_claimed) =>
            {
                Some(Wait::of("answer"))
            }
            Ok(control::Waits { what: Some(what), until }) => {
                Some(Wait { until: until.map(Timestamp::from_millis), ..Wait::of(&what) })
            }
            Ok(_) => (row.attempts > 0).then(|| Wait::of("again")),
            // Nobody runs who could send it.
            Err(failure) if failure.code() == "W170" => Some(Wait::of("bot")),
            // It does not say; the trace says the rest.
            Err(_) => None,
        }
    }
}

/// Whether what the bot says keeps also a send that was begun; else it keeps those to come.
fn holds_claimed(what: &str) -> bool {
    !matches!(what, "pace" | "quota" | "quota-written")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wechaty_puppet::IdempotencyKey;
    use wechaty_types::{ConversationId, SayablePayload};

    use super::*;

    fn row(seq: u64, to: &str, not_before: Option<i64>) -> OutboxRow {
        OutboxRow {
            seq,
            key: IdempotencyKey::from_bytes([seq as u8; 16]),
            account: "shop".into(),
            to: ConversationId::Contact(to.into()),
            what: Arc::new(SayablePayload::text("dong")),
            files: Vec::new(),
            quote: None,
            cause: None,
            event: None,
            said_at: Timestamp::from_millis(seq as i64),
            not_before: not_before.map(Timestamp::from_millis),
            expires: None,
            attempts: 0,
            claimed_at: None,
            done: 0,
            keyed: false,
        }
    }

    #[test]
    fn a_pending_send_says_what_it_waits_for() {
        let claimed = OutboxRow { claimed_at: Some(Timestamp::from_millis(9)), attempts: 1, ..row(5, "eve", None) };
        let failed = OutboxRow { attempts: 2, ..row(6, "fay", None) };
        let rows = vec![
            row(1, "alice", None),
            row(2, "alice", None),
            row(3, "bob", Some(5_000)),
            row(4, "bob", None),
            claimed,
            failed,
            // Planned before the first was said, and due since.
            row(7, "alice", Some(0)),
        ];
        let says = |what: &'static str, until: Option<i64>| {
            move |ask| {
                let Ask::Waits { account, kind, .. } = ask else { panic!("another question") };
                assert_eq!((account.as_str(), kind.as_str()), ("shop", "Text"));
                let what = Some(what.to_owned()).filter(|what| !what.is_empty());
                Ok(control::Waits { what, until })
            }
        };
        let now = Timestamp::from_millis(1_000);
        let told = |waiting: &Waiting<'_>, seq, lang| waiting.of(seq).map(|wait| wait.told(&TimeZone::UTC, lang));
        let quota = Waiting::asking(rows.clone(), now, says("quota", Some(60_000)));
        let first = format!("an earlier send of its conversation, receipt {}", "07".repeat(16));
        assert_eq!(told(&quota, 1, Lang::En).as_deref(), Some(&*first));
        assert_eq!(told(&quota, 2, Lang::En).as_deref(), Some(&*first));
        assert_eq!(told(&quota, 3, Lang::En).as_deref(), Some("its time, 1970-01-01 00:00:05.000 +00:00"));
        let until = "the platform's quota, which leaves room from 1970-01-01 00:01:00.000 +00:00 on";
        assert_eq!(told(&quota, 7, Lang::En).as_deref(), Some(until));
        assert_eq!(told(&quota, 9, Lang::En), None);
        // It was given to the platform: what keeps others does not keep it.
        for (word, until) in [("pace", None), ("quota", Some(60_000)), ("quota-written", None)] {
            let waiting = Waiting::asking(rows.clone(), now, says(word, until));
            assert_eq!((waiting.of(5), waiting.of(6)), (Some(Wait::of("answer")), waiting.of(4)), "{word}");
        }
        let lost = Waiting::asking(rows.clone(), now, says("connection", None));
        assert_eq!(lost.of(5), Some(Wait::of("connection")));
        let words = ["account", "login", "connection", "quota-written", "breaker", "store", "pace"];
        for word in words {
            let waiting = Waiting::asking(rows.clone(), now, says(word, None));
            let (en, zh) = (told(&waiting, 4, Lang::En), told(&waiting, 4, Lang::Zh));
            assert!(
                en.as_deref().is_some_and(|told| told != word) && zh.is_some() && en != zh,
                "{word}: {en:?} {zh:?}"
            );
        }
        let later = Waiting::asking(rows.clone(), now, says("word-of-later", None));
        assert_eq!(told(&later, 4, Lang::En).as_deref(), Some("word-of-later"));
        let nothing = Waiting::asking(rows.clone(), now, says("", None));
        assert_eq!((nothing.of(4), nothing.of(5)), (None, Some(Wait::of("answer"))));
        assert_eq!(nothing.of(6), Some(Wait::of("again")));
        let away = Waiting::asking(rows.clone(), now, |_| Err(Failure::usage("W170")));
        assert_eq!(away.of(4), Some(Wait::of("bot")));
        let busy = Waiting::asking(rows, now, |_| Err(Failure::failed("W173")));
        assert_eq!(busy.of(4), None);
        let json = serde_json::to_value(quota.of(3)).expect("JSON");
        assert_eq!(json, serde_json::json!({ "for": "time", "until": Timestamp::from_millis(5_000) }));
    }
}
