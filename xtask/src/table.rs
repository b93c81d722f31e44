//! Counts of suites, and the table that ends a run.

/// One line of the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// Suite, and part of it where it has several.
    pub(crate) name: String,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) seconds: f64,
    /// What a reader should know besides, in a few words.
    pub(crate) note: String,
    /// What failed, and the lines that say why.
    pub(crate) faults: Vec<Fault>,
    /// What failed first and passed when it was run once more.
    pub(crate) flaky: Vec<Fault>,
}

/// Something that failed, as the end of a run tells it again.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    what: String,
    /// At most [`TOLD_LINES`].
    why: Vec<String>,
}

/// Of a fault below the table; all of it stands where it happened.
const TOLD_LINES: usize = 12;

impl Row {
    /// No tests yet.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Counts one test.
    pub(crate) fn count(&mut self, passed: bool) {
        if passed { self.passed += 1 } else { self.failed += 1 }
    }

    /// Prints why something failed, and keeps the lines that tell it.
    pub(crate) fn fault(&mut self, what: &str, why: &str) {
        println!("--- FAILED: {what}\n{why}\n---");
        self.faults.push(Fault { what: what.to_owned(), why: telling(why) });
    }

    /// A run before this one failed, and this one did not.
    pub(crate) fn forgive(&mut self, first: Self) {
        self.flaky.extend(first.faults);
        self.seconds += first.seconds;
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// `fmt: ok, 1 passed, 0.6 s`, for the line that tells progress.
    pub(crate) fn progress(&self) -> String {
        let verdict = match (self.failed, self.passed) {
            (0, 0) => "no test ran",
            (0, _) => "ok",
            _ => "FAILED",
        };
        let mut line = format!("{}: {verdict}, {} passed", self.name, self.passed);
        for (n, what) in [(self.failed, "failed"), (self.skipped, "skipped")] {
            if n > 0 {
                line.push_str(&format!(", {n} {what}"));
            }
        }
        line.push_str(&format!(", {:.1} s", self.seconds));
        if !self.note.is_empty() {
            line.push_str(&format!(" ({})", self.note));
        }
        line
    }
}

/// The lines of a long report that say what went wrong: those with a word for it, else the last ones.
fn telling(report: &str) -> Vec<String> {
    const WORDS: &[&str] = &["FAIL", "panicked at", "not ok", "assertion", "error:", "error["];
    let lines: Vec<&str> = report.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let from = |words: &[usize]| -> Vec<String> {
        words.iter().take(TOLD_LINES).map(|&at| lines[at].chars().take(200).collect()).collect()
    };
    let worded: Vec<usize> = (0..lines.len()).filter(|&at| WORDS.iter().any(|word| lines[at].contains(word))).collect();
    // The line behind says more: the message of a panic, the first of two values.
    let mut told: Vec<usize> = worded.iter().flat_map(|&at| [at, at + 1]).filter(|&at| at < lines.len()).collect();
    told.dedup();
    if told.is_empty() {
        told = (lines.len().saturating_sub(TOLD_LINES)..lines.len()).collect();
    }
    from(&told)
}

/// The sum of all rows.
pub(crate) fn total(rows: &[Row]) -> Row {
    let mut total = Row::new("total");
    for row in rows {
        total.passed += row.passed;
        total.failed += row.failed;
        total.skipped += row.skipped;
        total.seconds += row.seconds;
    }
    total
}

/// Whether a run with these rows is a success: nothing failed, and something ran.
pub(crate) fn good(rows: &[Row]) -> bool {
    let total = total(rows);
    total.failed == 0 && total.passed > 0
}

/// The table of suites, what failed, and alone in its last line `N passed, N failed, N skipped`.
pub(crate) fn render(rows: &[Row]) -> String {
    let total = total(rows);
    let last = format!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    let cells = |row: &Row| {
        let counts = [row.passed, row.failed, row.skipped].map(|n| n.to_string());
        let [passed, failed, skipped] = counts;
        [row.name.clone(), passed, failed, skipped, format!("{:.1}", row.seconds), row.note.clone()]
    };
    let head = ["suite", "passed", "failed", "skipped", "seconds", ""].map(str::to_owned);
    let lines: Vec<[String; 6]> =
        std::iter::once(head).chain(rows.iter().map(cells)).chain(std::iter::once(cells(&total))).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut out = String::new();
    for line in &lines {
        let mut text = format!("{:<w$}", line[0], w = widths[0]);
        for column in 1..5 {
            text.push_str(&format!("  {:>w$}", line[column], w = widths[column]));
        }
        if !line[5].is_empty() {
            text.push_str(&format!("  {}", line[5]));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    let faults = rows.iter().flat_map(|row| &row.faults).map(|fault| ("FAILED", fault));
    let flaky =
        rows.iter().flat_map(|row| &row.flaky).map(|fault| ("FLAKY, failed once and passed when run again:", fault));
    for (verdict, fault) in flaky.chain(faults) {
        out.push_str(&format!("\n{verdict} {}\n", fault.what));
        for line in &fault.why {
            out.push_str(&format!("  {line}\n"));
        }
    }
    format!("{out}\n{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        vec![
            Row { passed: 1, seconds: 0.26, ..Row::new("fmt") },
            Row { passed: 12, failed: 1, skipped: 2, seconds: 10.0, ..Row::new("tests wechaty (lib)") },
            Row { skipped: 1, ..Row::new("deny").note("not installed") },
        ]
    }

    #[test]
    fn the_table_is_aligned_and_ends_in_the_counts() {
        let expected = "\
suite                passed  failed  skipped  seconds
fmt                       1       0        0      0.3
tests wechaty (lib)      12       1        2     10.0
deny                      0       0        1      0.0  not installed
total                    13       1        3     10.3

13 passed, 1 failed, 3 skipped";
        assert_eq!(render(&rows()), expected);
    }

    #[test]
    fn what_failed_is_told_again_below_the_table() {
        let mut rows = rows();
        rows[1].fault(
            "tests wechaty (lib)",
            "running 2 tests\nok\nthread 'a' panicked at src/a.rs:1:2:\nleft: 1\nright: 2",
        );
        let end = "\n\nFAILED tests wechaty (lib)\n  thread 'a' panicked at src/a.rs:1:2:\n  left: 1\n\n13 passed, 1 failed, 3 skipped";
        let told = render(&rows);
        assert!(told.ends_with(end), "{told}");
        assert_eq!(
            telling(&(1..=13).map(|n| format!("{n}\n\n")).collect::<String>()),
            (2..=13).map(|n| n.to_string()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_passes_when_run_again_is_told_and_fails_nothing() {
        let mut first = Row { failed: 1, seconds: 2.0, ..Row::new("browser") };
        first.fault("browser", "thread 'a' panicked at src/a.rs:1:2:");
        let mut rows = vec![Row { passed: 3, seconds: 1.0, ..Row::new("browser") }];
        rows[0].forgive(first);
        let told = render(&rows);
        assert!(
            told.contains("\nFLAKY, failed once and passed when run again: browser\n  thread 'a' panicked"),
            "{told}"
        );
        assert!(told.ends_with("\n3 passed, 0 failed, 0 skipped") && told.contains("3.0"), "{told}");
        assert!(good(&rows));
    }

    #[test]
    fn a_run_is_good_when_something_ran_and_nothing_failed() {
        assert!(!good(&rows()));
        assert!(good(&rows()[..1]));
        assert!(!good(&rows()[2..]), "skipped tests did not run");
        assert!(!good(&[]));
    }

    #[test]
    fn progress_names_what_is_not_zero() {
        assert_eq!(rows()[0].progress(), "fmt: ok, 1 passed, 0.3 s");
        assert_eq!(rows()[1].progress(), "tests wechaty (lib): FAILED, 12 passed, 1 failed, 2 skipped, 10.0 s");
        assert_eq!(rows()[2].progress(), "deny: no test ran, 0 passed, 1 skipped, 0.0 s (not installed)");
    }
}
