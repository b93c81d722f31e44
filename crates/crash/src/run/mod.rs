//! RUN: the harness itself. It starts both processes, kills the bot where the plan says, and compares the books.

mod check;
mod child;
mod life;
mod named;
mod plan;
mod table;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Result, bail, ensure};

use crate::{rng::Rng, sabotage::Sabotage, through::Through};
use check::{Verdict, check};
use life::Trace;
pub(crate) use named::Scenario;
use plan::{POINTS, Plan, Point};
use table::Row;

/// Seeds of each point unless told otherwise.
const SEEDS: u64 = 20;
/// Seeds of a planted fault until it has to be found.
const SABOTAGE_SEEDS: u64 = 160;
/// How many failed runs are told in full.
const TOLD: usize = 5;

/// What the command line asks for.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) seeds: Option<u64>,
    pub(crate) seed: Option<u64>,
    pub(crate) jobs: Option<usize>,
    /// None: all.
    pub(crate) points: Vec<&'static Point>,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) scenario: Option<Scenario>,
    pub(crate) through: Through,
}

/// The point of this name.
pub(crate) fn point(name: &str) -> Option<&'static Point> {
    plan::named(name)
}

/// The names of all points.
pub(crate) fn points() -> String {
    POINTS.iter().map(|point| point.name).collect::<Vec<_>>().join(", ")
}

impl Through {
    fn has(self, point: &Point) -> bool {
        point.name != plan::CALL || self.holds_calls()
    }
}

impl Arguments {
    fn seeds(&self, default: u64) -> Vec<u64> {
        match (self.seed, self.seeds.unwrap_or(default)) {
            (Some(seed), _) => vec![seed],
            (None, seeds) => (1..=seeds).collect(),
        }
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// Something is asked for that is there on the loopback only.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(point) = self.points.iter().find(|point| !self.through.has(point)) {
            bail!("{} is no point of {}", point.name, self.through.name());
        }
        if self.through == Through::Loopback {
            return Ok(());
        }
        ensure!(self.scenario.is_none(), "the scenarios are of the loopback: leave `--through` away");
        if let Some(fault) = self.sabotage.filter(|fault| fault.needs_no_keys()) {
            let (name, through) = (fault.name(), self.through.name());
            bail!("{name} shows where no keys are taken, and {through} takes them: it is found on the loopback");
        }
        Ok(())
    }

    /// How many runs go on at once; most of each is waiting.
    fn jobs(&self) -> usize {
        let each = self.through.jobs();
        self.jobs.unwrap_or_else(|| each * thread::available_parallelism().map_or(2, usize::from)).max(1)
    }
}

/// `Ok(false)`: something is wrong.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    match (arguments.sabotage, &arguments.scenario) {
        (Some(fault), _) => Ok(sabotaged(arguments, fault)),
        (None, Some(scenario)) => scenario.run(arguments),
        (None, None) => Ok(crashes(arguments)),
    }
}

/// Does something with every item, several at once.
fn each<T: Sync>(items: &[T], jobs: usize, work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(item);
                }
            });
        }
    });
}

/// A run and what is wrong with it; one that could not be run to its end is wrong, too.
fn tried(plan: &Plan) -> (Trace, Verdict) {
    match life::run(plan) {
        Ok(trace) => {
            let verdict = check(plan, &trace);
            (trace, verdict)
        }
        Err(error) => {
            let notes = vec![format!("residue: the run came to no end: {error:?}")];
            (Trace::default(), Verdict { residue: 1, notes, ..Verdict::default() })
        }
    }
}

/// Every point with every seed, and the table of it.
fn crashes(arguments: &Arguments) -> bool {
    let points: Vec<&'static Point> = match &*arguments.points {
        [] => POINTS.iter().filter(|point| arguments.through.has(point)).collect(),
        points => points.to_vec(),
    };
    let seeds = arguments.seeds(SEEDS);
    // Points side by side, so that a few seeds of all are done early.
    let runs: Vec<(usize, u64)> = seeds.iter().flat_map(|seed| (0..points.len()).map(|i| (i, *seed))).collect();
    let rows = Mutex::new(points.iter().map(|point| Row::new(point.name)).collect::<Vec<_>>());
    let told = AtomicUsize::new(0);
    each(&runs, arguments.jobs(), |(i, seed)| {
        let point = points[*i];
        let plan = Plan::at(point, *seed).through(arguments.through);
        let (trace, verdict) = tried(&plan);
        if !verdict.is_good() && told.fetch_add(1, Ordering::Relaxed) < TOLD {
            let way = match arguments.through {
                Through::Loopback => String::new(),
                through => format!(" --through {}", through.name()),
            };
            println!("--- FAILED, again with: cargo xtask crash{way} --point {} --seed {seed}", point.name);
            tell(&plan, &trace, &verdict);
        }
        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows[*i].add(trace.died.contains(&point.name), &verdict);
    });
    let rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{}", table::render(&rows));
    let mut good = rows.iter().all(Row::is_good);
    for row in rows.iter().filter(|row| row.died == 0 && arguments.seed.is_none()) {
        println!(
            "no run has died at `{}`: it is not in the code any more, or the scenario does not come there",
            row.point
        );
        good = false;
    }
    good
}

/// Everything about a run that somebody has to find a fault in.
fn tell(plan: &Plan, trace: &Trace, verdict: &Verdict) {
    println!("plan: {plan:?}\ndied at: {:?}", trace.died);
    verdict.notes.iter().for_each(|note| println!("  {note}"));
    println!("{}", trace.books.ledger);
    for letter in &trace.books.letters {
        println!("letter: {letter:?}");
    }
    for said in &trace.book.said {
        let runs = trace.runs.iter().find(|(id, _)| *id == said.id).map_or(0, |(_, runs)| *runs);
        println!(
            "said: {} {} `{}` told {} times, run {runs} times",
            said.id,
            said.conversation(),
            said.text,
            said.told
        );
    }
    let taken: Vec<_> = trace.book.taken.iter().map(|taken| format!("{}→{}", taken.text, taken.to)).collect();
    println!("taken: {}", taken.join("; "));
    println!("log:\n{}---", trace.log);
}

/// Seeds of a planted fault until it is found as what it is. `false`: it is not.
fn sabotaged(arguments: &Arguments, fault: Sabotage) -> bool {
    let point = arguments.points.first().copied().or_else(|| plan::named(fault.point()));
    let found = AtomicBool::new(false);
    each(&arguments.seeds(SABOTAGE_SEEDS), arguments.jobs(), |seed| {
        if found.load(Ordering::Relaxed) {
            return;
        }
        let seed = match (fault.needs_no_keys(), fault.needs_keys()) {
            (true, _) => seed | 1,
            (_, true) => seed * 2,
            _ => *seed,
        };
        let plan = point.map_or_else(|| Plan::quiet(seed), |p| Plan::at(p, seed)).through(arguments.through);
        let mut plan = Plan { sabotage: Some(fault), ..plan };
        // Several messages at once are in one lane more often.
        if Rng::new(seed, fault.name()).percent(50) {
            plan.pause = 0;
        }
        // A run that comes to no end, or is wrong in another way, has not shown this fault.
        let verdict = match life::run(&plan) {
            Ok(trace) => check(&plan, &trace),
            Err(error) => return println!("{}: seed {seed} came to no end: {error:#}", fault.name()),
        };
        if verdict.is_good() || found.load(Ordering::Relaxed) {
            return;
        }
        let is_it = verdict.has(fault.kind());
        let what = if is_it { "found as" } else { "this is something else:" };
        if !is_it || !found.swap(true, Ordering::Relaxed) {
            println!("{}: {what} {} (seed {seed})", fault.name(), verdict.kinds());
            verdict.notes.iter().for_each(|note| println!("  {note}"));
        }
    });
    let found = found.into_inner();
    if !found {
        println!("{}: NOT FOUND as {}", fault.name(), fault.kind());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_fault_is_found_as_what_it_is() {
        let of =
            |lost, duplicated, disorder, residue| Verdict { lost, duplicated, disorder, residue, ..Verdict::default() };
        let kinds = [("loss", of(1, 0, 0, 0)), ("double", of(0, 1, 0, 0)), ("disorder", of(0, 0, 1, 0))];
        let kinds = kinds.into_iter().chain([("residue", of(0, 0, 0, 1))]).collect::<Vec<_>>();
        for fault in Sabotage::ALL {
            let found: Vec<_> =
                kinds.iter().filter(|(_, verdict)| verdict.has(fault.kind())).map(|(k, _)| *k).collect();
            assert_eq!(found, [fault.kind()], "{}", fault.name());
        }
    }
}
