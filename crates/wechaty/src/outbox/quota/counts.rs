//! QUOTA: what was sent, and when the other side last wrote. Pure: it is told what time it is.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use wechaty_puppet::{Per, Quota};
use wechaty_types::Timestamp;

use super::{Opens, QuotaLeft};

/// Spans of more sends than this are counted in as many parts, each as if all of it were sent at its end.
const PARTS: u32 = 64;

/// The counts of a conversation, or of an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    /// When the other side last wrote, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<i64>,
    /// The number of that event: it is heard once.
    event: u64,
    /// Sends since.
    answers: u32,
    /// Sends of each span (its length in milliseconds): when, and how many; oldest first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sent: BTreeMap<u64, Vec<(i64, u32)>>,
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The end of `at`, `span` later.
fn end(at: i64, span: Duration) -> Timestamp {
    Timestamp::from_millis(at).plus(span)
}

/// When a send at `now` counts as sent.
fn slot(quota: &Quota, now: Timestamp) -> i64 {
    let now = now.as_millis();
    if quota.sends <= PARTS {
        return now;
    }
    let part = i64::try_from(millis(quota.within) / u64::from(PARTS)).unwrap_or(i64::MAX).max(1);
    now.div_euclid(part).saturating_add(1).saturating_mul(part)
}

/// The stricter of two.
pub(super) fn least(a: QuotaLeft, b: QuotaLeft) -> QuotaLeft {
    let earlier = |a: Option<Timestamp>, b: Option<Timestamp>| a.into_iter().chain(b).min();
    QuotaLeft {
        left: a.left.into_iter().chain(b.left).min(),
        until: earlier(a.until, b.until),
        opens: match (a.opens, b.opens) {
            (None, opens) | (opens, None) => opens,
            (Some(Opens::At(a)), Some(Opens::At(b))) => Some(Opens::At(a.max(b))),
            _ => Some(Opens::WhenTheyWrite),
        },
    }
}

impl Counts {
    pub(super) fn left(&self, quotas: &[Quota], now: Timestamp) -> QuotaLeft {
        quotas.iter().map(|quota| self.left_of(quota, now)).fold(QuotaLeft::default(), least)
    }

    fn left_of(&self, quota: &Quota, now: Timestamp) -> QuotaLeft {
        if quota.per == Per::Inbound {
            let until = self.heard.map(|heard| end(heard, quota.within)).filter(|until| *until > now);
            let left = until.map_or(0, |_| quota.sends.saturating_sub(self.answers));
            let opens = (left == 0).then_some(Opens::WhenTheyWrite);
            return QuotaLeft { left: Some(left), until: until.filter(|_| left > 0), opens };
        }
        let sent = self.sent.get(&millis(quota.within)).map_or(&[][..], Vec::as_slice);
        let counting = || sent.iter().filter(|(at, _)| end(*at, quota.within) > now);
        let used = counting().fold(0u32, |sum, (_, n)| sum.saturating_add(*n));
        let left = quota.sends.saturating_sub(used);
        // The first that make room, when their span is over.
        let mut over = used.saturating_sub(quota.sends).saturating_add(1);
        let opens = (left == 0).then(|| {
            let last = counting().find(|(_, n)| {
                let is_last = *n >= over;
                over = over.saturating_sub(*n);
                is_last
            });
            last.map_or(Opens::WhenTheyWrite, |(at, _)| Opens::At(end(*at, quota.within)))
        });
        QuotaLeft { left: Some(left), until: None, opens }
    }

    /// Whether nothing of it matters any more: without it all would be the same.
    pub(super) fn is_over(&self, quotas: &[Quota], now: Timestamp) -> bool {
        let answers = quotas.iter().filter(|quota| quota.per == Per::Inbound);
        let heard = self.heard.filter(|heard| answers.clone().any(|quota| end(*heard, quota.within) > now));
        let spans = self.sent.iter().map(|(span, sent)| (Duration::from_millis(*span), sent));
        // Spans of a declaration that has changed, too: it may change back.
        heard.is_none()
            && spans.flat_map(|(span, sent)| sent.iter().map(move |(at, _)| end(*at, span))).all(|end| end <= now)
    }

    /// The other side has written. False: this event is known.
    pub(super) fn heard(&mut self, at: Timestamp, event: u64) -> bool {
        if self.heard.is_some() && event <= self.event {
            return false;
        }
        let at = self.heard.unwrap_or(i64::MIN).max(at.as_millis());
        (self.heard, self.event, self.answers) = (Some(at), event, 0);
        true
    }

    pub(super) fn take(&mut self, quotas: &[Quota], now: Timestamp) {
        self.answers = self.answers.saturating_add(1);
        for quota in spans(quotas) {
            let at = slot(quota, now);
            let sent = self.sent.entry(millis(quota.within)).or_default();
            sent.retain(|(at, _)| end(*at, quota.within) > now);
            match sent.last_mut().filter(|(last, _)| *last >= at) {
                Some((_, n)) => *n = n.saturating_add(1),
                None => sent.push((at, 1)),
            }
        }
    }

    /// One that was taken at `at` was none.
    pub(super) fn give_back(&mut self, quotas: &[Quota], at: Timestamp) {
        self.answers = self.answers.saturating_sub(1);
        for quota in spans(quotas) {
            self.remove(quota, at);
        }
    }

    /// One that was taken at `at` was sent as late as now.
    pub(super) fn later(&mut self, quotas: &[Quota], at: Timestamp, now: Timestamp) {
        if at == now {
            return;
        }
        let answers = self.answers;
        for quota in spans(quotas).filter(|quota| slot(quota, at) != slot(quota, now)) {
            self.remove(quota, at);
            self.take(std::slice::from_ref(quota), now);
        }
        self.answers = answers;
    }

    fn remove(&mut self, quota: &Quota, at: Timestamp) {
        let Some(sent) = self.sent.get_mut(&millis(quota.within)) else { return };
        let at = slot(quota, at);
        // One whose span is over has been forgotten with its number.
        if let Some(i) = sent.iter().position(|(sent, _)| *sent == at) {
            sent[i].1 -= 1;
            if sent[i].1 == 0 {
                sent.remove(i);
            }
        }
    }
}

/// Quotas that count by time alone; those of one length share their counts, in the parts of the strictest.
fn spans(quotas: &[Quota]) -> impl Iterator<Item = &Quota> {
    let is_span = |quota: &&Quota| quota.per != Per::Inbound;
    let is_first = move |(i, quota): &(usize, &Quota)| {
        !quotas[..*i].iter().any(|other| other.per != Per::Inbound && other.within == quota.within)
    };
    quotas.iter().enumerate().filter(is_first).map(|(_, quota)| quota).filter(is_span)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quota(sends: u32, per: Per, seconds: u64) -> Quota {
        Quota { sends, per, within: Duration::from_secs(seconds) }
    }
    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn answers_are_counted_from_the_last_message_and_for_a_time() {
        let (quotas, mut counts) = ([quota(2, Per::Inbound, 100)], Counts::default());
        let left = |counts: &Counts, now| counts.left(&quotas, at(now));
        assert_eq!(left(&counts, 0).opens, Some(Opens::WhenTheyWrite));
        assert!(counts.heard(at(0), 7) && !counts.heard(at(0), 7), "heard once");
        counts.take(&quotas, at(1));
        assert_eq!(left(&counts, 99), QuotaLeft { left: Some(1), until: Some(at(100)), opens: None });
        assert_eq!(left(&counts, 100).opens, Some(Opens::WhenTheyWrite));
        counts.take(&quotas, at(2));
        assert_eq!((left(&counts, 3).left, left(&counts, 3).opens), (Some(0), Some(Opens::WhenTheyWrite)));
        counts.give_back(&quotas, at(2));
        assert_eq!(left(&counts, 3).left, Some(1));
        counts.heard(at(50), 9);
        assert_eq!(left(&counts, 149).left, Some(2));
    }

    #[test]
    fn a_span_tells_when_it_opens() {
        let (quotas, mut counts) = ([quota(2, Per::Conversation, 60)], Counts::default());
        counts.take(&quotas, at(0));
        counts.take(&quotas, at(10));
        let left = |counts: &Counts, now| counts.left(&quotas, at(now));
        assert_eq!(left(&counts, 11).opens, Some(Opens::At(at(60))));
        assert_eq!(left(&counts, 60), QuotaLeft { left: Some(1), until: None, opens: None });
        counts.later(&quotas, at(0), at(20));
        assert_eq!(left(&counts, 60).opens, Some(Opens::At(at(70))), "its call took 20 s");
    }

    #[test]
    fn it_is_over_with_its_last_window_and_its_last_span() {
        let quotas = [quota(2, Per::Inbound, 100), quota(2, Per::Conversation, 60), quota(5, Per::Conversation, 600)];
        let mut counts = Counts::default();
        assert!(counts.is_over(&quotas, at(0)));
        counts.heard(at(0), 7);
        assert!(!counts.is_over(&quotas, at(99)) && counts.is_over(&quotas, at(100)));
        counts.take(&quotas, at(50));
        assert!(!counts.is_over(&quotas, at(649)) && counts.is_over(&quotas, at(650)));
        assert!(!counts.is_over(&[], at(649)), "a span that is not declared now");
        assert!(counts.is_over(&[], at(650)));
    }

    proptest! {
        /// Whenever it lets one through, no span holds more than it may; when it does not, it does at the time it tells.
        #[test]
        fn no_span_ever_holds_more(steps in prop::collection::vec(0i64..4_000, 1..400), many in any::<bool>()) {
            let quotas = match many {
                true => [quota(5, Per::Conversation, 7), quota(100, Per::Conversation, 600)],
                false => [quota(3, Per::Account, 5), quota(9, Per::Account, 60)],
            };
            let (mut counts, mut now, mut sent) = (Counts::default(), 0, Vec::<i64>::new());
            for step in steps {
                now += step;
                if counts.is_over(&quotas, Timestamp::from_millis(now)) {
                    counts = Counts::default();
                }
                if let Some(Opens::At(opens)) = counts.left(&quotas, Timestamp::from_millis(now)).opens {
                    prop_assert!(opens.as_millis() > now);
                    prop_assert!(counts.left(&quotas, opens).opens.is_none());
                    continue;
                }
                counts.take(&quotas, Timestamp::from_millis(now));
                sent.push(now);
                for quota in &quotas {
                    let since = now - quota.within.as_millis() as i64;
                    let held = sent.iter().filter(|at| **at > since).count();
                    prop_assert!(held <= quota.sends as usize, "{held} in {quota:?}");
                }
                let json = serde_json::to_string(&counts).expect("JSON");
                prop_assert_eq!(&serde_json::from_str::<Counts>(&json).expect("JSON"), &counts);
                prop_assert!(counts.sent.values().all(|sent| sent.len() <= PARTS as usize + 1));
            }
        }
    }
}
