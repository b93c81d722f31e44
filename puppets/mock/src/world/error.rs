//! What is wrong with a world file, said so that its writer can mend it in one go.

use std::{fmt, path::PathBuf};

use wechaty_puppet::Words;

use super::{phrases, reader::MOST_FAULTS};

/// Why a world could not be loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum WorldError {
    /// No such file.
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It is there, but cannot be read (a folder, no permission …).
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than [`World::MAX_BYTES`](super::World::MAX_BYTES).
    TooLarge {
        /// As far as is known.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Not JSON.
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser missed.
        message: String,
    },
    /// JSON, but not a world. All faults at once.
    Invalid {
        /// At most 1,000; the same for the same file.
        faults: Vec<WorldFault>,
    },
}

impl WorldError {
    /// What is wrong, for catalogues.
    pub fn words(&self) -> Words {
        match self {
            Self::Missing { path } => phrases::NO_WORLD.with("path", Words::plain(path.display())),
            Self::Unreadable { path, source } => {
                phrases::UNREADABLE.with("path", Words::plain(path.display())).with("reason", Words::io(source))
            }
            Self::TooLarge { bytes, limit } => phrases::TOO_LARGE.with("bytes", *bytes).with("limit", *limit),
            Self::NotUtf8 { at } => phrases::NOT_UTF8.with("at", *at),
            Self::Syntax { line, column, message } => {
                phrases::NOT_JSON.with("line", *line).with("column", *column).with("message", Words::quoted(message))
            }
            Self::Invalid { faults } => {
                let title = match faults.len() {
                    1 => phrases::ONE_FAULT.words(),
                    MOST_FAULTS => phrases::MANY_FAULTS.with("count", MOST_FAULTS),
                    n => phrases::FAULTS.with("count", n),
                };
                Words::lines(std::iter::once(title).chain(faults.iter().map(WorldFault::words)))
            }
        }
    }

    /// The faults of [`WorldError::Invalid`]; empty otherwise.
    pub fn faults(&self) -> &[WorldFault] {
        match self {
            Self::Invalid { faults } => faults,
            _ => &[],
        }
    }
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().as_str())
    }
}

impl std::error::Error for WorldError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            _ => None,
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
    pub expected: Words,
    /// What is.
    pub found: Words,
    /// The nearest known id or name, if one is near.
    pub nearest: Option<String>,
}

impl WorldFault {
    fn words(&self) -> Words {
        let phrase = if self.nearest.is_some() { phrases::FAULT_NEAR } else { phrases::FAULT };
        let words = phrase.with("path", self.path.as_str()).with("expected", self.expected.clone());
        let words = words.with("found", self.found.clone());
        match &self.nearest {
            Some(nearest) => words.with("nearest", nearest.as_str()),
            None => words,
        }
    }
}

impl fmt::Display for WorldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().as_str().trim_start())
    }
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
