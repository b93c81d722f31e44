//! DEAD: why a send has failed for good: what the ledger counts by, and what was said about it.

use std::sync::Arc;

use crate::Reason;

/// Why a send has failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// One of few: the ledger counts by it.
    pub reason: Reason,
    /// What was said about it, by the platform as a rule: one line, bounded. `None`: nobody said anything.
    pub detail: Option<Arc<str>>,
}

impl Dead {
    /// The most characters of a detail; what is longer is cut.
    pub const LONGEST: usize = 300;

    /// With what was said about it.
    pub fn new(reason: impl Into<Reason>, said: &str) -> Self {
        let mut line = String::new();
        for word in said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            if let Some((cut, _)) = line.char_indices().nth(Self::LONGEST) {
                line.truncate(cut);
                line.push('…');
                break;
            }
        }
        Self { reason: reason.into(), detail: (!line.is_empty()).then(|| line.into()) }
    }
}

impl From<&'static str> for Dead {
    fn from(reason: &'static str) -> Self {
        Self { reason: reason.into(), detail: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_platform_says_is_one_line_of_bounded_length() {
        let detail = |said: &str| Dead::new("refused", said).detail;
        assert_eq!(detail("230002: no\n  such\u{1b}[2J chat "), Some("230002: no such [2J chat".into()));
        assert_eq!((detail(" \n\t"), detail("")), (None, None));
        for long in ["词".repeat(5_000), "a b".repeat(5_000)] {
            let detail = detail(&long).expect("something was said");
            assert_eq!((detail.chars().count(), detail.ends_with('…')), (Dead::LONGEST + 1, true));
        }
        assert_eq!(detail(&"词".repeat(Dead::LONGEST)).map(|detail| detail.ends_with('…')), Some(false));
    }
}
