//! TABLE: what became of every point's runs.

use super::check::Verdict;

/// The runs of one point.
pub(super) struct Row {
    pub(super) point: &'static str,
    runs: u64,
    /// Runs that really ended there.
    pub(super) died: u64,
    sums: Verdict,
    wrong: u64,
}

impl Row {
    pub(super) fn new(point: &'static str) -> Self {
        Self { point, runs: 0, died: 0, sums: Verdict::default(), wrong: 0 }
    }

    pub(super) fn add(&mut self, died: bool, verdict: &Verdict) {
        self.runs += 1;
        self.died += u64::from(died);
        self.wrong += u64::from(!verdict.is_good());
        let sums = &mut self.sums;
        sums.lost += verdict.lost;
        sums.duplicated += verdict.duplicated;
        sums.marked += verdict.marked;
        sums.disorder += verdict.disorder;
        sums.residue += verdict.residue;
    }

    pub(super) fn is_good(&self) -> bool {
        self.wrong == 0
    }

    fn numbers(&self) -> [u64; 7] {
        let sums = &self.sums;
        [self.runs, self.died, sums.lost, sums.duplicated, sums.marked, sums.disorder, sums.residue]
    }
}

/// The table, with the sums below.
pub(super) fn render(rows: &[Row]) -> String {
    let line = |name: &str, numbers: [u64; 7]| {
        let numbers = numbers.map(|number| format!("{number:>11}")).concat();
        format!("{name:<22}{numbers}\n")
    };
    let titles = ["runs", "died there", "lost", "duplicated", "marked", "disorder", "residue"];
    let mut text = format!("{:<22}{}\n", "point", titles.map(|title| format!("{title:>11}")).concat());
    let mut sums = [0; 7];
    for row in rows {
        text.push_str(&line(row.point, row.numbers()));
        sums = std::array::from_fn(|i| sums[i] + row.numbers()[i]);
    }
    text.push_str(&line("all", sums));
    text
}
