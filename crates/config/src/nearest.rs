//! NEAREST: which known name somebody may have meant.

use strsim::jaro_winkler;

/// Names less alike than this are not offered.
const ALIKE: f64 = 0.7;
/// Longer texts are no misspelt names.
const LONGEST: usize = 64;

pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let small = wanted.to_lowercase();
    known
        .into_iter()
        .map(|name| (name, jaro_winkler(&name.to_lowercase(), &small)))
        .filter(|(_, alike)| *alike >= ALIKE)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(name, _)| name)
}

/// Names as a sentence has them: quoted, with commas.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}
