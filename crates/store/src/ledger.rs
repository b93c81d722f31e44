//! LEDGER: what was received and said, and what became of it. `pending` is counted, never the remainder.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use wechaty_types::AccountId;

use crate::{Outcome, Settlement};

/// Both books at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Events.
    #[serde(rename = "in")]
    pub inbound: InLedger,
    /// Sends.
    #[serde(rename = "out")]
    pub outbound: OutLedger,
}

/// The books of all accounts together, and of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// All together.
    #[serde(flatten)]
    pub total: Ledger,
    /// Of each account.
    #[serde(default)]
    pub accounts: BTreeMap<AccountId, Ledger>,
}

impl Books {
    /// Whether all equations hold, those of each account among them.
    pub fn is_balanced(&self) -> bool {
        self.total.is_balanced() && self.accounts.values().all(Ledger::is_balanced)
    }
}

/// `received = handled + merged + rejected + expired + pending`, duplicates beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InLedger {
    /// Distinct accepted events, without heartbeats and dongs.
    pub received: u64,
    /// Every handler has returned.
    pub handled: u64,
    /// Part of another event.
    pub merged: u64,
    /// Refused.
    pub rejected: u64,
    /// Too old.
    pub expired: u64,
    /// Not finished; counted from the journal.
    pub pending: u64,
    /// What the equation leaves over; anything but 0 is a bug.
    pub residue: i64,
    /// Dropped because they had been received before.
    pub duplicates: u64,
    /// Of `handled`: no handler matched.
    pub handled_none: u64,
    /// Sends of a handler that ran again after a crash and did not say them again; they were sent all the same.
    pub diverged: u64,
    /// Errors inside handlers, by handler name.
    pub errors: BTreeMap<String, u64>,
    /// `rejected` and `expired` by reason.
    pub reasons: BTreeMap<String, u64>,
}

/// `said = sent + merged + rejected + expired + dead + dropped + maybe_sent + pending`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutLedger {
    /// Says that were accepted or refused.
    pub said: u64,
    /// Taken by the platform.
    pub sent: u64,
    /// Part of another send.
    pub merged: u64,
    /// Refused before they were tried.
    pub rejected: u64,
    /// Too late.
    pub expired: u64,
    /// Failed for good.
    pub dead: u64,
    /// Dropped by somebody.
    pub dropped: u64,
    /// In doubt for good.
    pub maybe_sent: u64,
    /// Not settled; counted from the outbox.
    pub pending: u64,
    /// What the equation leaves over; anything but 0 is a bug.
    pub residue: i64,
    /// `rejected`, `expired` and `dead` by reason.
    pub reasons: BTreeMap<String, u64>,
}

impl InLedger {
    /// Counts the end of an event.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Handled { by, errors, diverged } => {
                self.diverged += diverged;
                self.handled += 1;
                self.handled_none += u64::from(!by);
                for handler in errors {
                    *self.errors.entry(handler.to_string()).or_default() += 1;
                }
            }
            Outcome::Merged => self.merged += 1,
            Outcome::Rejected(_) => {
                self.rejected += 1;
                *self.reasons.entry(outcome.end().into_owned()).or_default() += 1;
            }
            Outcome::Expired(_) => {
                self.expired += 1;
                *self.reasons.entry(outcome.end().into_owned()).or_default() += 1;
            }
        }
    }

    /// Adds the terms of another book.
    pub(crate) fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.handled += other.handled;
        self.handled_none += other.handled_none;
        self.merged += other.merged;
        self.rejected += other.rejected;
        self.expired += other.expired;
        self.duplicates += other.duplicates;
        self.diverged += other.diverged;
        merge(&mut self.errors, &other.errors);
        merge(&mut self.reasons, &other.reasons);
    }
}

impl OutLedger {
    /// Counts the end of a send.
    pub fn count(&mut self, settlement: &Settlement) {
        let (term, reason) = self.term(settlement);
        *term += 1;
        if let Some(reason) = reason {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    /// Takes a counted end back.
    pub(crate) fn uncount(&mut self, settlement: &Settlement) {
        let (term, reason) = self.term(settlement);
        *term = term.saturating_sub(1);
        if let Some(reason) = reason
            && let Some(count) = self.reasons.get_mut(&reason)
        {
            *count -= 1;
            if *count == 0 {
                self.reasons.remove(&reason);
            }
        }
    }

    fn term(&mut self, settlement: &Settlement) -> (&mut u64, Option<String>) {
        match settlement {
            Settlement::Sent(_) => (&mut self.sent, None),
            Settlement::Merged => (&mut self.merged, None),
            Settlement::Dropped => (&mut self.dropped, None),
            Settlement::MaybeSent => (&mut self.maybe_sent, None),
            Settlement::Rejected(_) => (&mut self.rejected, Some(settlement.end().into_owned())),
            Settlement::Expired(_) => (&mut self.expired, Some(settlement.end().into_owned())),
            Settlement::Dead(_) => (&mut self.dead, Some(settlement.end().into_owned())),
        }
    }

    /// Adds the terms of another book.
    pub(crate) fn add(&mut self, other: &Self) {
        self.said += other.said;
        self.sent += other.sent;
        self.merged += other.merged;
        self.rejected += other.rejected;
        self.expired += other.expired;
        self.dead += other.dead;
        self.dropped += other.dropped;
        self.maybe_sent += other.maybe_sent;
        merge(&mut self.reasons, &other.reasons);
    }
}

fn merge(into: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>) {
    for (key, count) in from {
        *into.entry(key.clone()).or_default() += count;
    }
}

impl Ledger {
    /// Works out the residues from the counted terms.
    #[must_use]
    pub fn balanced(mut self) -> Self {
        let sum = |terms: &[u64]| terms.iter().sum::<u64>();
        let i = &mut self.inbound;
        i.residue = signed(i.received) - signed(sum(&[i.handled, i.merged, i.rejected, i.expired, i.pending]));
        let o = &mut self.outbound;
        let out = sum(&[o.sent, o.merged, o.rejected, o.expired, o.dead, o.dropped, o.maybe_sent, o.pending]);
        o.residue = signed(o.said) - signed(out);
        self
    }

    /// Whether both equations hold.
    pub fn is_balanced(&self) -> bool {
        self.inbound.residue == 0 && self.outbound.residue == 0
    }

    /// Whether nothing is pending.
    pub fn is_settled(&self) -> bool {
        self.inbound.pending == 0 && self.outbound.pending == 0
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (i, o) = (&self.inbound, &self.outbound);
        writeln!(
            f,
            "in:  received {} = handled {} + merged {} + rejected {} + expired {} + pending {} (residue {}; duplicates {})",
            i.received, i.handled, i.merged, i.rejected, i.expired, i.pending, i.residue, i.duplicates
        )?;
        write!(
            f,
            "out: said {} = sent {} + merged {} + rejected {} + expired {} + dead {} + dropped {} + maybe_sent {} + pending {} (residue {})",
            o.said, o.sent, o.merged, o.rejected, o.expired, o.dead, o.dropped, o.maybe_sent, o.pending, o.residue
        )?;
        for (reason, count) in i.reasons.iter().chain(&o.reasons) {
            write!(f, "\n     {reason}: {count}")?;
        }
        if i.diverged > 0 {
            write!(f, "\n     diverged: {}", i.diverged)?;
        }
        for (handler, count) in &i.errors {
            write!(f, "\n     errors in {handler}: {count}")?;
        }
        Ok(())
    }
}
