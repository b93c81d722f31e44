//! ENV: variables of the process, and of `.env` beside the file.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use crate::{Code, ConfigError, document::Document, document::read_text};

/// Where variables come from. Clones are cheap; Debug shows no values.
#[derive(Clone)]
pub struct Env {
    /// `None`: the process.
    given: Option<Arc<BTreeMap<String, String>>>,
    /// What `.env` says; never overrides what is given.
    file: Arc<BTreeMap<String, Line>>,
    /// Which file that is.
    path: Arc<Path>,
}

/// A variable of `.env`.
struct Line {
    value: String,
    line: usize,
    column: usize,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("file", &self.file.len()).finish_non_exhaustive()
    }
}

impl Env {
    /// Of the process.
    pub fn system() -> Self {
        Self { given: None, file: Arc::default(), path: Arc::from(Path::new("")) }
    }
    /// These alone: for tests.
    pub fn of<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let given = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { given: Some(Arc::new(given)), file: Arc::default(), path: Arc::from(Path::new("")) }
    }

    /// The value of a variable; an empty one is not set.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = self.given(name).or_else(|| self.file.get(name).map(|line| line.value.clone()));
        value.filter(|value| !value.is_empty())
    }

    fn given(&self, name: &str) -> Option<String> {
        match &self.given {
            Some(given) => given.get(name).cloned(),
            None => std::env::var(name).ok(),
        }
    }

    /// An error in the value of a variable, at its place if `.env` sets it.
    pub(crate) fn at(&self, error: ConfigError, name: &str) -> ConfigError {
        let error = ConfigError { variable: Some(name.to_owned()), file: None, line: None, column: None, ..error };
        match self.file.get(name).filter(|_| self.given(name).is_none()) {
            Some(at) => ConfigError { line: Some(at.line), column: Some(at.column), ..error.file(&self.path) },
            None => error,
        }
    }

    /// The port that the environment gives the host: `WECHATY_PORT`, else `PORT`.
    ///
    /// # Errors
    /// It is no port.
    pub fn port(&self) -> Result<Option<u16>, Box<ConfigError>> {
        let found = ["WECHATY_PORT", "PORT"].into_iter().find_map(|name| Some((name, self.get(name)?)));
        let Some((name, port)) = found else { return Ok(None) };
        port.trim().parse().map(Some).map_err(|_| {
            let error = ConfigError::new(Code::BadVariable).arg("name", name).arg("expected", "0 … 65535");
            Box::new(self.at(error, name))
        })
    }

    /// With the `.env` in this folder, if there is one.
    ///
    /// # Errors
    /// What is wrong about it; the environment then has what could be read.
    pub fn with_folder(&self, folder: &Path) -> (Self, Vec<ConfigError>) {
        let path = folder.join(".env");
        if !path.is_file() {
            return (self.clone(), Vec::new());
        }
        let text = match read_text(&path) {
            Ok(text) => text,
            Err(reason) => {
                let error = ConfigError::new(Code::Unreadable).arg("path", path.display()).words("reason", reason);
                return (self.clone(), vec![error.file(&path)]);
            }
        };
        let document = Document::new(&path, &text);
        let (variables, bad) = parse(text.strip_prefix('\u{feff}').unwrap_or(&text));
        // The line itself is not told: it may hold a secret.
        let errors = bad.into_iter().map(|byte| document.at(ConfigError::new(Code::BadEnvLine), byte)).collect();
        let line = |(value, byte)| {
            let (line, column) = document.place(byte);
            Line { value, line, column }
        };
        let file = variables.into_iter().map(|(name, found)| (name, line(found))).collect();
        (Self { given: self.given.clone(), file: Arc::new(file), path: Arc::from(path) }, errors)
    }
}

/// The variables and at which bytes they begin, and at which bytes lines begin that are none.
fn parse(text: &str) -> (BTreeMap<String, (String, usize)>, Vec<usize>) {
    let (mut variables, mut bad) = (BTreeMap::new(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let begin = text.len() - rest.len();
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            rest = behind;
            continue;
        }
        match variable(rest) {
            Some((name, value, behind)) => {
                variables.insert(name, (value, begin + line.len() - line.trim_start().len()));
                rest = behind;
            }
            None => {
                bad.push(begin);
                rest = behind;
            }
        }
    }
    (variables, bad)
}

/// One variable, which may go over several lines inside of quotes, and what is behind it.
fn variable(text: &str) -> Option<(String, String, &str)> {
    let (name, behind) = text.split_once('=')?;
    let name = name.trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim_start);
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(good) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let behind = behind.trim_start_matches([' ', '\t']);
    let (value, rest) = match behind.chars().next() {
        Some('\'') => {
            let (value, rest) = behind[1..].split_once('\'')?;
            (value.to_owned(), rest)
        }
        Some('"') => double_quoted(&behind[1..])?,
        _ => {
            let line = behind.split('\n').next().unwrap_or_default();
            let value = line.split(" #").next().unwrap_or_default();
            let value = if value.starts_with('#') { "" } else { value.trim() };
            return Some((name.to_owned(), value.to_owned(), behind[line.len()..].strip_prefix('\n').unwrap_or("")));
        }
    };
    let (line, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let line = line.trim();
    (line.is_empty() || line.starts_with('#')).then(|| (name.to_owned(), value, rest))
}

fn double_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                other @ ('"' | '\\' | '$') => value.push(other),
                other => value.extend(['\\', other]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_are_read_as_people_write_them() {
        let text = "# comment\r\nA=1\r\nexport B = two words # behind\nC='single # $'\nD=\"line\\nbreak \\\" \\\\\"\n\
                    E=\nF=a#b\nKEY=\"-----\nmany\n-----\" # end\nG=last";
        let (variables, bad) = parse(text);
        let of = |name: &str| variables.get(name).map(|(value, _)| value.as_str());
        assert_eq!(bad, Vec::<usize>::new());
        assert_eq!((of("A"), of("B"), of("C")), (Some("1"), Some("two words"), Some("single # $")));
        assert_eq!((of("D"), of("E"), of("F")), (Some("line\nbreak \" \\"), Some(""), Some("a#b")));
        assert_eq!((of("KEY"), of("G")), (Some("-----\nmany\n-----"), Some("last")));
    }

    #[test]
    fn what_is_no_variable_is_told_and_the_others_kept() {
        let (variables, bad) = parse("nonsense\nA=1\n1B=2\nC=\"open\nD=4\n");
        assert_eq!(bad.len(), 3, "{bad:?}");
        assert_eq!(variables.keys().collect::<Vec<_>>(), ["A", "D"]);
    }

    #[test]
    fn values_are_not_in_the_debug_form() {
        let env = Env::of([("A", "canary")]);
        assert!(!format!("{env:?}").contains("canary"));
    }
}
