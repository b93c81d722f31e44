//! What came out of a run of the suite.

use std::{fmt, time::Duration};

use super::{Case, Group};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Everything held.
    Passed,
    /// What is wrong with the puppet (or the harness).
    Failed(String),
    /// What excuses it: a capability that is not declared, or what the harness declares that it cannot do, and why.
    Skipped(String),
}

/// A case and how it ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaseReport {
    /// Which.
    pub case: &'static Case,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// All cases that ran. Displays as a table by group.
#[derive(Clone, Debug, Default)]
pub struct Report {
    cases: Vec<CaseReport>,
}

impl Report {
    pub(super) fn new(cases: Vec<CaseReport>) -> Self {
        Self { cases }
    }
    /// Every case, in the order of the suite.
    pub fn cases(&self) -> &[CaseReport] {
        &self.cases
    }
    /// How one case ended; `None`: it did not run.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.cases.iter().find(|report| report.case.name == name).map(|report| &report.outcome)
    }
    /// Names and messages of the failed cases.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.cases.iter().filter_map(|report| match &report.outcome {
            Outcome::Failed(message) => Some((report.case.name, message.as_str())),
            _ => None,
        })
    }
    /// Names and reasons of the skipped cases.
    pub fn skips(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.cases.iter().filter_map(|report| match &report.outcome {
            Outcome::Skipped(reason) => Some((report.case.name, reason.as_str())),
            _ => None,
        })
    }
    /// How many passed.
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|report| report.outcome == Outcome::Passed).count()
    }

    /// Panics with the table if a case failed.
    ///
    /// # Panics
    /// If a case failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.failures().next().is_none(), "the puppet does not conform:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in Group::ALL {
            let cases: Vec<_> = self.cases.iter().filter(|report| report.case.group == *group).collect();
            if cases.is_empty() {
                continue;
            }
            let passed = cases.iter().filter(|report| report.outcome == Outcome::Passed).count();
            let skipped = cases.iter().filter(|report| matches!(report.outcome, Outcome::Skipped(_))).count();
            let failed = cases.len() - passed - skipped;
            writeln!(f, "{group:<18} {passed:>3} passed {failed:>3} failed {skipped:>3} skipped")?;
            for report in cases {
                match &report.outcome {
                    Outcome::Failed(message) => writeln!(f, "  FAILED  {}: {message}", report.case.name)?,
                    Outcome::Skipped(reason) => writeln!(f, "  skipped {}: {reason}", report.case.name)?,
                    Outcome::Passed => {}
                }
            }
        }
        let (failed, skipped) = (self.failures().count(), self.skips().count());
        write!(f, "{:<18} {:>3} passed {failed:>3} failed {skipped:>3} skipped", "total", self.passed())
    }
}
