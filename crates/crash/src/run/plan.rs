//! PLAN: where a run's bot is killed, drawn from the seed.

use crate::{rng::Rng, sabotage::Sabotage, through::Through};

/// A point, and how often a life of the scenario passes it at least: the nth time is drawn up to there.
pub(crate) struct Point {
    pub(crate) name: &'static str,
    often: u64,
    /// Whether a first life passes it while people talk.
    in_the_middle: bool,
}

const fn once(name: &'static str) -> Point {
    Point { name, often: 1, in_the_middle: false }
}

const fn up_to(often: u64, name: &'static str) -> Point {
    Point { name, often, in_the_middle: true }
}

/// Kills at a moment that no code names.
const ANYTIME: &str = "anytime";

/// Kills while a call of the puppet has no answer, done or not.
pub(crate) const CALL: &str = "call";
/// How many calls a life of the scenario makes at least.
const CALLS: u64 = 30;

/// All points, in the order of the flow.
pub(crate) const POINTS: &[Point] = &[
    once("open"),
    once("migration"),
    once("resume"),
    up_to(5, "journal-before-commit"),
    up_to(5, "journal-after-commit"),
    up_to(5, "accepted-before-lane"),
    up_to(12, "handler-before-say"),
    up_to(4, "between-says"),
    up_to(2, "spool-before-commit"),
    up_to(2, "spool-after-commit"),
    up_to(1, "spooled-before-say"),
    up_to(9, "enqueue-before-commit"),
    up_to(9, "enqueue-after-commit"),
    up_to(2, "claim-before-commit"),
    up_to(2, "claim-after-commit"),
    up_to(12, "claim-before-send"),
    up_to(12, "send-before-record"),
    up_to(9, "settle-before-commit"),
    up_to(9, "settle-after-commit"),
    up_to(1, "ask-waiting"),
    up_to(1, "answer-recorded"),
    up_to(9, "handler-returned"),
    up_to(7, "finish-before-commit"),
    up_to(7, "finish-after-commit"),
    once("shutdown"),
    once("sweep"),
    once("checkpoint"),
    up_to(120, ANYTIME),
    // Last, and not one of the middle: it is there through real puppets only.
    once(CALL),
];

/// The point of this name.
pub(crate) fn named(name: &str) -> Option<&'static Point> {
    POINTS.iter().find(|point| point.name == name)
}

/// How a life ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At the nth passing of a point.
    At { point: &'static str, nth: u64 },
    /// After so many milliseconds.
    After(u64),
    /// While the nth call of the puppet and all behind it have no answer; whether that one is done.
    Call { nth: u32, acts: bool },
    /// In good order.
    Stop,
}

impl End {
    /// As the environment tells it to the bot.
    pub(crate) fn armed(&self) -> Option<String> {
        match self {
            Self::At { point, nth } => Some(format!("{point}:{nth}")),
            _ => None,
        }
    }

    /// The name of its point.
    pub(crate) fn point(&self) -> &'static str {
        match self {
            Self::At { point, .. } => point,
            Self::After(_) => ANYTIME,
            Self::Call { .. } => CALL,
            Self::Stop => "",
        }
    }

    fn draw(point: &Point, rng: &mut Rng) -> Self {
        if point.name == CALL {
            return Self::Call { nth: 1 + rng.below(CALLS) as u32, acts: rng.percent(50) };
        }
        let nth = 1 + rng.below(point.often);
        if point.name == ANYTIME { Self::After(nth) } else { Self::At { point: point.name, nth } }
    }

    /// Somewhere that every version has.
    fn of_any_version(rng: &mut Rng) -> Self {
        let mut end = Self::anywhere(rng);
        while end.point().starts_with("spool") {
            end = Self::anywhere(rng);
        }
        end
    }

    fn anywhere(rng: &mut Rng) -> Self {
        let middle: Vec<&'static Point> = POINTS.iter().filter(|point| point.in_the_middle).collect();
        let point = rng.pick(&middle);
        Self::draw(point, rng)
    }
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) through: Through,
    pub(crate) seed: u64,
    /// Whether the platform takes keys.
    pub(crate) keys: bool,
    pub(crate) messages: u64,
    /// Longest pause between two messages, in milliseconds.
    pub(crate) pause: u64,
    /// See [`platform::Settings::copies`](crate::platform::Settings::copies).
    pub(crate) copies: Vec<u32>,
    /// Whether people ask for files.
    pub(crate) files: bool,
    /// See [`platform::Settings::steps`](crate::platform::Settings::steps).
    pub(crate) steps: bool,
    /// Whether the file is one of an earlier version behind the first life.
    pub(crate) older: bool,
    /// See [`bot::Settings::told`](crate::bot::Settings::told).
    pub(crate) told: u64,
    /// How many of a hundred sends fail.
    pub(crate) faults: u64,
    pub(crate) per_second: Option<f64>,
    /// Milliseconds between the says of a pair.
    pub(crate) apart: u64,
    /// How each life ends; a last one follows that ends in good order.
    pub(crate) ends: Vec<End>,
    pub(crate) sabotage: Option<Sabotage>,
}

impl Plan {
    /// A run without a crash.
    pub(crate) fn quiet(seed: u64) -> Self {
        Self {
            through: Through::Loopback,
            seed,
            keys: seed.is_multiple_of(2),
            messages: 16,
            pause: 4,
            copies: Vec::new(),
            files: true,
            steps: true,
            older: false,
            told: 5,
            faults: 0,
            per_second: None,
            apart: 0,
            ends: Vec::new(),
            sabotage: None,
        }
    }

    /// A run that crashes at this point, some once more before it, some twice more behind it.
    pub(crate) fn at(point: &'static Point, seed: u64) -> Self {
        let mut rng = Rng::new(seed, point.name);
        let mut plan = Self::quiet(seed);
        if rng.percent(50) {
            plan.apart = 1 + rng.below(6);
        }
        let style = rng.below(4);
        if point.name == "migration" {
            // A file of an earlier version, with what its bot has left in it, but for files and keys from outside, which it
            // had not.
            (plan.older, plan.files, plan.told) = (true, false, 0);
            plan.ends.push(End::of_any_version(&mut rng));
        }
        // A start resumes nothing unless something was left; a first life only has the whole scenario before it.
        if point.name == "resume" || (style == 3 && point.name != "migration") {
            plan.ends.push(End::anywhere(&mut rng));
        }
        plan.ends.push(End::draw(point, &mut rng));
        if style == 2 {
            plan.ends.push(End::anywhere(&mut rng));
            plan.ends.push(End::anywhere(&mut rng));
        }
        // One more, and an event that was there each time would be taken for poison.
        plan.ends.truncate(3);
        plan
    }

    /// The same through another puppet. The real platforms take keys, and lives are longer there.
    pub(crate) fn through(mut self, through: Through) -> Self {
        self.through = through;
        if through != Through::Loopback {
            self.keys = true;
        }
        for end in &mut self.ends {
            if let End::After(millis) = end {
                *millis *= through.slowness();
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan() {
        for point in POINTS {
            let ends = |seed| format!("{:?}", Plan::at(point, seed));
            assert_eq!(ends(7), ends(7));
            assert!((0..9).any(|seed| ends(seed) != ends(7)));
            let at_point = |seed| Plan::at(point, seed).ends.iter().any(|end| end.point() == point.name);
            assert!((0..50).all(at_point), "{}", point.name);
        }
    }

    #[test]
    fn no_run_is_taken_for_poison() {
        assert!((0..200).all(|seed| POINTS.iter().all(|point| Plan::at(point, seed).ends.len() <= 3)));
    }
}
