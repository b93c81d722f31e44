//! What is wrong with a world file, said so that its writer can mend it in one go.

use std::{fmt, path::PathBuf};

use super::reader::MOST_FAULTS;

/// Why a world could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// No such file.
    #[error("there is no world file at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It is there, but cannot be read (a folder, no permission …).
    #[error("the world file {} cannot be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Larger than [`World::MAX_BYTES`](super::World::MAX_BYTES).
    #[error("the world has {bytes} bytes or more, at most {limit} are read; `cycle` makes large files from a number")]
    TooLarge {
        /// As far as is known.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not UTF-8.
    #[error("the world is not UTF-8: byte {at} is not part of a character")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Not JSON.
    #[error("the world is not JSON: line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser missed.
        message: String,
    },
    /// JSON, but not a world. All faults at once.
    #[error("the world has {}{}", count(faults), list(faults))]
    Invalid {
        /// At most 1,000; the same for the same file.
        faults: Vec<WorldFault>,
    },
}

impl WorldError {
    /// The faults of [`WorldError::Invalid`]; empty otherwise.
    pub fn faults(&self) -> &[WorldFault] {
        match self {
            Self::Invalid { faults } => faults,
            _ => &[],
        }
    }
}

/// One thing wrong with a world file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorldFault {
    /// JSON path of the place: `$.rooms[0].ownerId`.
    pub path: String,
    /// What should be there.
    pub expected: String,
    /// What is.
    pub found: String,
    /// The nearest known id or name, if one is near.
    pub nearest: Option<String>,
}

impl fmt::Display for WorldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.path, self.expected, self.found)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean \"{nearest}\"?"),
            None => Ok(()),
        }
    }
}

fn count(faults: &[WorldFault]) -> String {
    match faults.len() {
        1 => "1 error".to_owned(),
        MOST_FAULTS => format!("{MOST_FAULTS} errors or more"),
        n => format!("{n} errors"),
    }
}

fn list(faults: &[WorldFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// More candidates than this are not searched for the nearest.
const MOST_CANDIDATES: usize = 5_000;

/// The candidate most like `text`, if at least about half of it agrees.
pub(super) fn nearest<'a>(text: &str, candidates: impl ExactSizeIterator<Item = &'a str>) -> Option<String> {
    if candidates.len() > MOST_CANDIDATES || text.len() > 200 {
        return None;
    }
    candidates
        .map(|candidate| {
            (strsim::normalized_damerau_levenshtein(&text.to_lowercase(), &candidate.to_lowercase()), candidate)
        })
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_near_or_nothing() {
        let names = ["c-alice", "c-bob", "bot-self"];
        assert_eq!(nearest("c-alcie", names.into_iter()).as_deref(), Some("c-alice"));
        assert_eq!(nearest("C-BOB", names.into_iter()).as_deref(), Some("c-bob"));
        assert_eq!(nearest("zzzzzzzzzz", names.into_iter()), None);
    }
}
