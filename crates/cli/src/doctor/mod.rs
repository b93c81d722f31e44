//! `wechaty doctor`: what of this machine may stand in a bot's way. Asks nobody outside of it, and shows no secret.

mod checks;
mod config;
mod environment;
mod store;

use serde::Serialize;
use wechaty_catalogue::{Args, Lang, fix, text};
use wechaty_config::ConfigError;
use wechaty_puppet::Words;

use crate::{args::DoctorArgs, failure::Failure, output, told::told};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Worth knowing.
    Warn,
    /// Bots will not work.
    Fail,
}

/// One line of the report.
#[derive(Debug)]
struct Check {
    /// Stable, for scripts; the label is `doctor-<id>`.
    id: &'static str,
    state: State,
    found: Found,
    /// What to do, by code; none for what is fine.
    code: Option<&'static str>,
    /// What was measured, for scripts.
    values: Option<serde_json::Value>,
}

/// What was found.
#[derive(Debug)]
enum Found {
    /// As it is.
    Plain(String),
    /// What another crate says.
    Words(Words),
    /// A text of the catalogue.
    Text(&'static str, Args),
    /// A fault of BOT.toml.
    Fault(Box<ConfigError>),
}

impl Check {
    fn ok(id: &'static str, found: Found) -> Self {
        Self { id, state: State::Ok, found, code: None, values: None }
    }
    fn warn(id: &'static str, found: Found, code: &'static str) -> Self {
        Self { id, state: State::Warn, found, code: Some(code), values: None }
    }
    fn fail(id: &'static str, found: Found, code: &'static str) -> Self {
        Self { id, state: State::Fail, found, code: Some(code), values: None }
    }

    /// What was measured.
    fn values(self, values: serde_json::Value) -> Self {
        Self { values: Some(values), ..self }
    }

    fn found(&self, lang: Lang) -> String {
        match &self.found {
            Found::Plain(text) => text.clone(),
            Found::Words(words) => told(lang, words),
            Found::Text(key, args) => text(lang, key, args),
            Found::Fault(problem) => {
                let place = crate::config::place(problem).map(|place| place + ": ").unwrap_or_default();
                place + &*crate::config::keyed(problem, lang)
            }
        }
    }
}

#[derive(Serialize)]
struct CheckJson<'a> {
    id: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<&'a serde_json::Value>,
}

pub(crate) fn run(args: DoctorArgs, lang: Lang) -> Result<(), Failure> {
    let checks = checks::all(lang);
    if args.json {
        let all: Vec<CheckJson<'_>> = checks
            .iter()
            .map(|check| CheckJson {
                id: check.id,
                state: check.state,
                found: check.found(lang),
                code: check.code,
                fix: check.code.map(|code| fix(lang, code)),
                values: check.values.as_ref(),
            })
            .collect();
        output::json(&serde_json::json!({ "ok": failed(&checks) == 0, "checks": all }))?;
    } else {
        output::print(&report(&checks, lang))?;
    }
    match failed(&checks) {
        0 => Ok(()),
        count => Err(Failure::failed("W117").number("count", count)),
    }
}

fn failed(checks: &[Check]) -> u64 {
    checks.iter().filter(|check| check.state == State::Fail).count() as u64
}

fn report(checks: &[Check], lang: Lang) -> String {
    let word = |key: &str| text(lang, key, &Args::new());
    let labels: Vec<String> = checks.iter().map(|check| word(&format!("doctor-{}", check.id))).collect();
    let columns = labels.iter().map(|label| output::width(label)).max().unwrap_or_default();
    let mut lines = String::new();
    for (check, label) in checks.iter().zip(&labels) {
        let state = match check.state {
            State::Ok => "doctor-ok",
            State::Warn => "doctor-warn",
            State::Fail => "doctor-fail",
        };
        lines += &**&format!(
            "{}{} {}\n",
            output::padded(&word(state), 5),
            output::padded(label, columns),
            check.found(lang)
        );
        if let Some(code) = check.code {
            lines += &*format!("      [{code}] {}\n", text(lang, "fix", &Args::new().set("text", fix(lang, code))));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_is_not_fine_says_what_to_do() {
        for lang in Lang::ALL {
            let checks = checks::all(lang);
            assert!(checks.len() > 8);
            let report = report(&checks, lang);
            assert!(!report.contains("doctor-"), "not in the catalogue:\n{report}");
            assert!(checks.iter().all(|check| check.code.is_some() == (check.state != State::Ok)));
        }
    }
}
