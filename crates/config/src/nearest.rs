//! NEAREST: which known name somebody may have meant.

use strsim::{jaro_winkler, osa_distance};
use wechaty_puppet::Words;

use crate::phrases;

/// Names less alike than this are not offered.
const ALIKE: f64 = 0.7;
/// More names than these are not listed.
const MOST: usize = 40;
/// Longer texts are no misspelt names.
const LONGEST: usize = 64;

/// The most alike of the known names, if any is alike.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let small = wanted.to_lowercase();
    known
        .into_iter()
        .map(|name| (name, likeness(&name.to_lowercase(), &small)))
        .filter(|(_, alike)| *alike >= ALIKE)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(name, _)| name)
}

/// One slip of the fingers counts for more in a short word than the usual measure thinks: `rnu`.
fn likeness(name: &str, word: &str) -> f64 {
    let slip = if name.len() > 2 && osa_distance(name, word) <= 1 { 0.9 } else { 0.0 };
    jaro_winkler(name, word).max(slip)
}

/// Whether one word is the other but for a slip in every third letter: what merely begins alike is another place.
pub(crate) fn is_slip(name: &str, word: &str) -> bool {
    osa_distance(name, word) <= word.chars().count() / 3
}

/// Names as a sentence has them: quoted, with commas.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> Words {
    let mut names: Vec<Words> = names.into_iter().map(|name| format!("`{name}`").into()).collect();
    if names.is_empty() {
        return phrases::NONE.words();
    }
    if names.len() > MOST {
        names.truncate(MOST);
        names.push("…".into());
    }
    Words::list(names)
}
