//! What a peer told: a line of JSON for each assertion, and one that counts them.

use serde_json::Value;

/// The sum of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) passed: u64,
    /// What failed, and why.
    pub(super) faults: Vec<String>,
    /// What the published server is known to do wrong.
    pub(super) reported: u64,
    /// Calls that the peer made.
    pub(super) requests: u64,
    /// It told its counts, and they are those of its lines.
    pub(super) ended: bool,
}

impl Told {
    /// `published`: assertions that are marked as better than the published server may fail.
    pub(super) fn read(output: &str, published: bool) -> Self {
        let mut told = Self::default();
        // What the SDKs print themselves is no JSON.
        for line in output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if let (Some(name), Some(ok)) = (line["assert"].as_str(), line["ok"].as_bool()) {
                match ok {
                    true => told.passed += 1,
                    false if published && line["better"] == true => told.reported += 1,
                    false => told.faults.push(format!("{name}: {}", line["why"].as_str().unwrap_or_default())),
                }
            } else if let (Some(passed), Some(failed)) = (line["passed"].as_u64(), line["failed"].as_u64()) {
                told.requests = line["requests"].as_u64().unwrap_or_default();
                told.ended = passed == told.passed && failed == told.faults.len() as u64;
            }
        }
        told
    }

    pub(super) fn assertions(&self) -> u64 {
        self.passed + self.faults.len() as u64 + self.reported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = r#"started
{"assert":"a: one","ok":true}
{"assert":"a: two","ok":false,"better":true,"why":"found 1"}
{"unrelated":1}
"#;

    #[test]
    fn what_is_better_fails_ours_only() {
        let published = Told::read(&format!("{OUTPUT}{{\"passed\":1,\"failed\":0,\"requests\":7}}"), true);
        assert_eq!((published.passed, published.reported, published.requests), (1, 1, 7));
        assert!(published.ended && published.faults.is_empty());
        let ours = Told::read(&format!("{OUTPUT}{{\"passed\":1,\"failed\":1}}"), false);
        assert_eq!(ours.faults, ["a: two: found 1"]);
        assert!(ours.ended);
        assert_eq!((ours.assertions(), published.assertions()), (2, 2));
    }

    #[test]
    fn a_script_that_stops_early_or_counts_wrong_did_not_end() {
        assert!(!Told::read(OUTPUT, true).ended);
        assert!(!Told::read(&format!("{OUTPUT}{{\"passed\":2,\"failed\":0}}"), true).ended);
    }
}
