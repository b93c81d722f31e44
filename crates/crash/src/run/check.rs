//! CHECK: the two books, compared after everything has come to rest.

use std::collections::BTreeMap;

use super::{life::Trace, plan::Plan};
use crate::{
    bot::{LISTENER, Letter},
    platform::{Said, Taken},
};

/// What is wrong, by kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    /// Missing or double, and marked as such by the bot.
    pub(crate) marked: u64,
    pub(crate) disorder: u64,
    pub(crate) residue: u64,
    /// One line a fault.
    pub(crate) notes: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.notes.is_empty()
    }

    /// The kinds that were found.
    pub(crate) fn kinds(&self) -> String {
        let found: Vec<_> = self.counts().into_iter().filter(|(_, count)| *count > 0).map(|(kind, _)| kind).collect();
        found.join(", ")
    }

    /// Whether something of this kind was found.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.counts().iter().any(|(found, count)| *found == kind && *count > 0)
    }

    fn counts(&self) -> [(&'static str, u64); 4] {
        [("loss", self.lost), ("double", self.duplicated), ("disorder", self.disorder), ("residue", self.residue)]
    }
}

/// How the picture that everybody gets is told by the puppet: its size, and the sum of its bytes.
const PICTURE: &str = " 300000 37494610";

/// What a send is known by: conversation, and the first two words (`A 1`).
type Name = (String, String);

fn name(to: &str, text: &str) -> Name {
    (to.to_owned(), text.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

/// What the bot has to say to a message.
fn expected(said: &Said) -> Vec<Name> {
    let Some((what, number)) = said.text.split_once(' ') else { return Vec::new() };
    let answers: &[&str] = match what {
        "pair" => &["A", "B"],
        "ask" => &["question", "told"],
        "room" => &["answer"],
        "file" => &["file"],
        "long" => &["long1", "long2", "long3"],
        "later" => &["later"],
        "draw" => &["drawn"],
        _ => &[],
    };
    answers.iter().map(|answer| (said.conversation().to_owned(), format!("{answer} {number}"))).collect()
}

/// Whether a dead letter tells of this: of a long text it is one letter for all parts.
fn covers(letter: &Letter, name: &Name) -> bool {
    let is_part = |what: &str| matches!(what, "long1" | "long2" | "long3");
    let (to, text) = self::name(&letter.to, &letter.text);
    let (what, number) = text.split_once(' ').unwrap_or_default();
    let (asked, of) = name.1.split_once(' ').unwrap_or_default();
    to == name.0 && number == of && (what == asked || is_part(what) && is_part(asked))
}

/// Whether the platform has taken all of a send when it has taken this.
fn ends_a_send(taken: &Taken) -> bool {
    !taken.text.starts_with("long1 ") && !taken.text.starts_with("long2 ")
}

/// Compares the books.
pub(crate) fn check(plan: &Plan, trace: &Trace) -> Verdict {
    let mut verdict = Verdict::default();
    deliveries(plan, trace, &mut verdict);
    order(&trace.book.taken, &mut verdict);
    effects(trace, &mut verdict);
    books(plan, trace, &mut verdict);
    verdict
}

fn deliveries(plan: &Plan, trace: &Trace, verdict: &mut Verdict) {
    let Verdict { lost, duplicated, marked, notes, .. } = verdict;
    let (book, letters) = (&trace.book, &trace.books.letters);
    let mut count: BTreeMap<Name, u64> = BTreeMap::new();
    for taken in &book.taken {
        *count.entry(name(&taken.to, &taken.text)).or_default() += 1;
        if taken.text.starts_with("file ") && !taken.text.ends_with(PICTURE) {
            *lost += 1;
            notes.push(format!("lost: the bytes of a file, which is `{}`", taken.text));
        }
        if taken.text.starts_with("told ") && !taken.text.contains(" reply ") {
            *lost += 1;
            notes.push(format!("lost: a reply, as the bot says `{}`", taken.text));
        }
    }
    for said in &book.said {
        if !said.acknowledged {
            *lost += 1;
            notes.push(format!("lost: `{}` ({}) was never acknowledged", said.text, said.id));
        }
    }
    let ticks = trace.ticks.iter().map(|due| name("clock", &format!("tick {due}")));
    let told = (1..=plan.told).map(|number| name(LISTENER, &format!("keyed {number}")));
    for name in book.said.iter().flat_map(expected).chain(ticks).chain(told) {
        let letter = letters.iter().find(|letter| covers(letter, &name));
        match (count.remove(&name).unwrap_or_default(), letter) {
            (0, Some(letter)) if plan.keys && plan.faults == 0 => {
                *lost += 1;
                notes.push(format!("lost: `{}` is {} where the platform takes keys", name.1, letter.why));
            }
            (0, Some(_)) => *marked += 1,
            (0, None) => {
                *lost += 1;
                notes.push(format!("lost: `{}` to {}", name.1, name.0));
            }
            (1, letter) => *marked += u64::from(letter.is_some()),
            (n, _) => {
                *duplicated += n - 1;
                notes.push(format!("double: `{}` to {} came {n} times", name.1, name.0));
            }
        }
    }
    for (name, n) in count {
        *duplicated += n;
        notes.push(format!("double: `{}` to {} answers nothing", name.1, name.0));
    }
}

/// Answers come in the order of what they answer; what a question led to comes behind it.
fn order(taken: &[Taken], verdict: &mut Verdict) {
    let mut last: BTreeMap<&str, ((u64, u64), &str)> = BTreeMap::new();
    let mut told: Vec<(&str, &str)> = Vec::new();
    for taken in taken {
        let mut words = taken.text.split(' ');
        let (Some(what), Some(number)) = (words.next(), words.next()) else { continue };
        if what == "told" {
            // When is up to who replies, but not before the question.
            told.push((&taken.to, number));
            continue;
        }
        if what == "later" {
            // It comes when it is due.
            continue;
        }
        if what == "question" && told.contains(&(&taken.to, number)) {
            verdict.disorder += 1;
            verdict.notes.push(format!("disorder: `{}` came behind what was told", taken.text));
        }
        // Parts of a text are in order, too.
        let part = what.strip_prefix("long").and_then(|part| part.parse().ok()).unwrap_or(0);
        let number = (number.parse().unwrap_or(0), part);
        let before = last.entry(&taken.to).or_insert((number, &taken.text));
        if number < before.0 {
            verdict.disorder += 1;
            verdict.notes.push(format!("disorder: `{}` came behind `{}`", taken.text, before.1));
        } else {
            *before = (number, &taken.text);
        }
    }
}

/// An effect whose result the bot was given once is not done again, and its result stays.
fn effects(trace: &Trace, verdict: &mut Verdict) {
    for (id, lines) in &trace.effects {
        let mut lines = lines.lines().skip_while(|line| !line.starts_with('r'));
        let first = lines.next();
        for line in lines.filter(|line| Some(*line) != first) {
            verdict.duplicated += 1;
            verdict.notes.push(format!("double: the effect of {id} has told {first:?}, and then there was `{line}`"));
        }
    }
}

fn books(plan: &Plan, trace: &Trace, verdict: &mut Verdict) {
    let (i, o) = (&trace.books.ledger.inbound, &trace.books.ledger.outbound);
    let book = &trace.book;
    let mut equal = |what: &str, ours: u64, theirs: u64| {
        if ours != theirs {
            verdict.residue += 1;
            verdict.notes.push(format!("residue: {what}: {ours}, and not {theirs}"));
        }
    };
    equal("what the equation of `in` leaves over", i.residue.unsigned_abs(), 0);
    equal("what the equation of `out` leaves over", o.residue.unsigned_abs(), 0);
    equal("`in.pending` at rest", i.pending, 0);
    equal("`out.pending` at rest", o.pending, 0);
    // Logins are events too, one a life, and no handler wants them.
    let ticks = trace.ticks.len() as u64;
    let said = book.said.len() as u64 + ticks + book.echoed;
    equal("messages and ticks received", i.received - i.handled_none.min(i.received), said);
    equal("events handled", i.handled, i.received);
    let letters = &trace.books.letters;
    let dead = letters.iter().filter(|letter| letter.why != "maybe_sent").count() as u64;
    equal("dead letters", dead, o.dead);
    equal("letters in doubt", letters.len() as u64 - dead, o.maybe_sent);
    let parts = |said: &Said| if said.text.starts_with("long ") { 1 } else { expected(said).len() as u64 };
    let all: u64 = book.said.iter().map(parts).sum();
    equal("sends said", o.said, all + ticks + plan.told);
    // What is in doubt may have arrived.
    let arrived = letters.iter().filter(|letter| {
        letter.why == "maybe_sent"
            && book.taken.iter().any(|taken| ends_a_send(taken) && covers(letter, &name(&taken.to, &taken.text)))
    });
    let whole = book.taken.iter().filter(|taken| ends_a_send(taken)).count() as u64;
    equal("sends the platform took", o.sent + arrived.count() as u64, whole);
    if plan.keys && plan.faults == 0 {
        equal("sends in doubt where the platform takes keys", o.maybe_sent, 0);
    }
    if trace.stuck {
        verdict.residue += 1;
        verdict.notes.push("residue: nothing moves, and something is under way".to_owned());
    } else if !trace.books.drained {
        verdict.residue += 1;
        verdict.notes.push("residue: the stop left something under way".to_owned());
    }
}
