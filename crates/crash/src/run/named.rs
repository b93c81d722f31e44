//! NAMED: single scenarios that are checked for more than the two books.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use super::{
    Arguments,
    check::Verdict,
    each,
    life::Trace,
    plan::{End, Plan},
    tell, tried,
};

/// Sends a second in the run of faults.
const PACE: u64 = 100;

/// What is checked beside the books.
type Extra = fn(&Plan, &Trace, &mut Verdict);

/// A scenario.
pub(crate) enum Scenario {
    /// 30 % of all calls fail, in five ways, with and without keys.
    Faults,
    /// The same event told five times, across a restart.
    FiveTimes,
    /// A and B said at once, crashed between, said again in the other order.
    OtherOrder,
}

impl Scenario {
    /// `Ok(false)`: something is wrong.
    pub(super) fn run(&self, arguments: &Arguments) -> Result<bool> {
        let (plan, extra): (fn(u64) -> Plan, Extra) = match self {
            Self::Faults => (faults, budget),
            Self::FiveTimes => (five_times, one_handling),
            Self::OtherOrder => (other_order, once_each),
        };
        let flag = match self {
            Self::Faults => "--faults",
            Self::FiveTimes => "--five-times",
            Self::OtherOrder => "--other-order",
        };
        let wrong = AtomicU64::new(0);
        each(&arguments.seeds(4), arguments.jobs(), |seed| {
            let plan = plan(*seed);
            let (trace, mut verdict) = tried(&plan);
            extra(&plan, &trace, &mut verdict);
            println!("seed {seed}, {} keys: {}", if plan.keys { "with" } else { "no" }, told(&trace, &verdict));
            if !verdict.is_good() {
                wrong.fetch_add(1, Ordering::Relaxed);
                println!("--- FAILED, again with: cargo xtask crash {flag} --seed {seed}");
                tell(&plan, &trace, &verdict);
            }
        });
        Ok(wrong.into_inner() == 0)
    }
}

fn told(trace: &Trace, verdict: &Verdict) -> String {
    let (book, o) = (&trace.book, &trace.books.ledger.outbound);
    let failed: u64 = book.failed.values().sum();
    let ways: Vec<_> = book.failed.iter().map(|(way, count)| format!("{way} {count}")).collect();
    format!(
        "{} messages, {} duplicates; {} calls, {failed} failed ({}), {} second copies dropped by key; said {}, sent {}, \
         dead {}, maybe_sent {}; lost {}, duplicated {}, disorder {}, residue {}",
        book.said.len(),
        trace.books.ledger.inbound.duplicates,
        book.calls.len(),
        ways.join(", "),
        book.repeated,
        o.said,
        o.sent,
        o.dead,
        o.maybe_sent,
        verdict.lost,
        verdict.duplicated,
        verdict.disorder,
        verdict.residue,
    )
}

fn faults(seed: u64) -> Plan {
    Plan { messages: 150, pause: 2, faults: 30, per_second: Some(PACE as f64), ..Plan::quiet(seed) }
}

/// In no second there are more calls than the pace and its burst allow. A call that was held up by the machine comes
/// nearer to the next one, so a fifth is granted for that: tries that keep no pace would be a third more.
fn budget(_: &Plan, trace: &Trace, verdict: &mut Verdict) {
    let calls = &trace.book.calls;
    let most = (0..calls.len()).map(|i| calls[i..].iter().take_while(|at| **at < calls[i] + 1_000).count()).max();
    let most = most.unwrap_or_default() as u64;
    println!("  most calls in a second: {most}, at a pace of {PACE}");
    if most > PACE + 1 + PACE / 5 {
        verdict.disorder += 1;
        verdict.notes.push(format!("disorder: {most} calls in a second, at a pace of {PACE}"));
    }
    for way in ["429", "5xx", "reset", "no answer", "half-open"] {
        if !trace.book.failed.contains_key(way) {
            verdict.notes.push(format!("no call has failed by {way}: the run shows nothing of it"));
        }
    }
}

fn five_times(seed: u64) -> Plan {
    Plan { copies: vec![2, 3], ends: vec![End::Stop], ..Plan::quiet(seed) }
}

fn one_handling(_: &Plan, trace: &Trace, verdict: &mut Verdict) {
    for said in &trace.book.said {
        let runs: u64 = trace.runs.iter().filter(|(id, _)| *id == said.id).map(|(_, runs)| *runs).sum();
        if said.told != 5 || (runs != 1 && !said.text.starts_with("reply ")) {
            verdict.notes.push(format!("`{}` was told {} times, and handled {runs} times", said.text, said.told));
        }
    }
    let (found, duplicates) = (trace.books.ledger.inbound.duplicates, 4 * trace.book.said.len() as u64);
    if found != duplicates {
        verdict.notes.push(format!("the ledger counts {found} duplicates, and not {duplicates}"));
    }
}

fn other_order(seed: u64) -> Plan {
    let ends = vec![End::At { point: "between-says", nth: 1 + seed % 3 }];
    // With keys, as a say in doubt would be marked and not sent again.
    Plan { keys: true, steps: false, apart: 20, ends, ..Plan::quiet(seed) }
}

fn once_each(_: &Plan, trace: &Trace, verdict: &mut Verdict) {
    let pairs = trace.book.said.iter().filter(|said| said.text.starts_with("pair "));
    let again = pairs.filter(|said| trace.runs.iter().any(|(id, runs)| *id == said.id && *runs == 2)).count();
    if trace.died != ["between-says"] || again == 0 {
        verdict.notes.push(format!("died at {:?}, and {again} pairs ran again: that shows nothing", trace.died));
    }
}
