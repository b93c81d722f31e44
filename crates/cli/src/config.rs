//! `wechaty config`: what is wrong with a BOT.toml, in the user's language; and its schema.

use std::path::Path;

use serde::Serialize;
use wechaty_catalogue::{Args, Lang, fix, lookup, text};
use wechaty_config::{Config, ConfigError, Env, Problems, schema};

use crate::{
    args::{ConfigArgs, ConfigCommand},
    failure::Failure,
    output,
    told::told,
};

/// So many faults are told; more are counted.
const TOLD: usize = 100;

pub(crate) fn run(args: ConfigArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        ConfigCommand::Check { file, json } => check(&file, json, lang),
        ConfigCommand::Schema => output::json(&schema()),
    }
}

fn check(file: &Path, json: bool, lang: Lang) -> Result<(), Failure> {
    let loaded = Config::load(file, &Env::system());
    if json {
        let none = Problems::default();
        let (accounts, plugins) = loaded
            .as_ref()
            .map_or((None, None), |config| (Some(config.accounts().len()), Some(config.plugins().len())));
        output::json(&serde_json::json!({
            "ok": loaded.is_ok(),
            "file": file.display().to_string(),
            "accounts": accounts,
            "plugins": plugins,
            "faults": faults(loaded.as_ref().err().unwrap_or(&none), lang),
        }))?;
        // The faults are in the JSON.
        return loaded.map(|_| ()).map_err(|problems| counted(problems.len()));
    }
    let config = loaded.map_err(|problems| config_failure(&problems, lang))?;
    let count = |key: &str, count: usize| text(lang, key, &Args::new().number("count", count as u64));
    let words = Args::new()
        .set("file", file.display().to_string())
        .set("accounts", count("config-accounts", config.accounts().len()))
        .set("plugins", count("config-plugins", config.plugins().len()));
    output::print(&(text(lang, "config-fine", &words) + "\n"))
}

/// Every fault of a configuration, each with what to do. Exit code 2.
pub(crate) fn config_failure<'a>(problems: impl IntoIterator<Item = &'a ConfigError>, lang: Lang) -> Failure {
    let all: Vec<&ConfigError> = problems.into_iter().collect();
    let mut failure = counted(all.len());
    for problem in all.iter().take(TOLD) {
        let fix = text(lang, "fix", &Args::new().set("text", fix(lang, problem.code.as_str())));
        failure = failure.plain(format!("{}\n  {fix}", line(problem, lang)));
    }
    if let Some(more) = all.len().checked_sub(TOLD).filter(|more| *more > 0) {
        failure = failure.tell("config-more", Args::new().number("count", more as u64));
    }
    match all.first() {
        Some(first) => failure.tell("config-explain", Args::new().set("code", first.code.as_str())),
        None => failure,
    }
}

fn counted(count: usize) -> Failure {
    Failure::usage("W200").number("count", count as u64)
}

/// `BOT.toml:6:9: [C005] pacing.burst: expected integer, found string`.
fn line(problem: &ConfigError, lang: Lang) -> String {
    let place = place(problem).map(|place| place + ": ").unwrap_or_default();
    format!("{place}[{}] {}", problem.code, keyed(problem, lang))
}

/// `BOT.toml:6:9`, or `$WECHATY_PORT`; `None`: it stands in neither.
pub(crate) fn place(problem: &ConfigError) -> Option<String> {
    let Some(file) = &problem.file else { return problem.variable.as_ref().map(|name| format!("${name}")) };
    let file = file.display();
    Some(match problem.line {
        Some(line) => format!("{file}:{line}:{}", problem.column.unwrap_or(1)),
        None => file.to_string(),
    })
}

/// `pacing.burst: expected integer, found string`.
pub(crate) fn keyed(problem: &ConfigError, lang: Lang) -> String {
    match problem.key.as_deref().filter(|key| !key.is_empty()) {
        Some(key) => format!("{key}: {}", message(problem, lang)),
        None => message(problem, lang),
    }
}

/// The message, and the nearest name.
fn message(problem: &ConfigError, lang: Lang) -> String {
    let mut words = Args::new();
    for (name, value) in &problem.args {
        let translated = (*name == "help").then(|| setting_help(problem, lang)).flatten();
        words = words.set(name, translated.unwrap_or_else(|| told(lang, value)));
    }
    let mut message = text(lang, problem.code.as_str(), &words);
    if let Some(nearest) = problem.get("nearest") {
        message += &*text(lang, "config-nearest", &Args::new().set("name", nearest));
    }
    message
}

/// What a puppet's setting is for: declarations say it in English.
fn setting_help(problem: &ConfigError, lang: Lang) -> Option<String> {
    let (puppet, name) = (problem.get("puppet")?, problem.get("name")?);
    lookup(lang, &format!("puppet-{puppet}-{}", name.replace('_', "-")), &Args::new())
}

#[derive(Serialize)]
pub(crate) struct FaultJson {
    code: &'static str,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    key: Option<String>,
    /// The environment variable whose value it is about.
    variable: Option<String>,
    message: String,
    nearest: Option<String>,
    fix: String,
}

pub(crate) fn faults<'a>(problems: impl IntoIterator<Item = &'a ConfigError>, lang: Lang) -> Vec<FaultJson> {
    let one = |problem: &ConfigError| FaultJson {
        code: problem.code.as_str(),
        file: problem.file.as_ref().map(|file| file.display().to_string()),
        line: problem.line,
        column: problem.column,
        key: problem.key.clone(),
        variable: problem.variable.clone(),
        message: message(problem, lang),
        nearest: problem.get("nearest").map(str::to_owned),
        fix: fix(lang, problem.code.as_str()),
    };
    problems.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use wechaty_catalogue::{codes, explain};
    use wechaty_config::{CODES, Catalogue, Flags};

    use super::*;

    fn problems(text: &str) -> Problems {
        let env = Env::of::<&str, &str>([]);
        Catalogue::default().parse(text, "BOT.toml", &env, &Flags::default()).expect_err("it is wrong")
    }

    #[test]
    fn the_catalogue_has_the_codes_and_the_english_words_of_configuration_files_and_no_others() {
        let known: Vec<&str> = codes().into_iter().filter(|code| code.starts_with('C')).collect();
        assert_eq!(known, CODES.iter().map(|info| info.name).collect::<Vec<_>>());
        for info in CODES {
            let mut words = Args::new();
            let mut expected = info.message.to_owned();
            for part in info.message.split('{').skip(1) {
                let name = part.split('}').next().expect("it is closed");
                words = words.set(name, format!("<{name}>"));
                expected = expected.replace(&format!("{{{name}}}"), &format!("<{name}>"));
            }
            assert_eq!(text(Lang::En, info.name, &words), expected, "{}", info.name);
            // The tests of the catalogue compare the variables of both languages.
            assert!(!text(Lang::Zh, info.name, &words).contains("{$"), "{}", info.name);
            let told = explain(Lang::En, info.name).expect("it is listed");
            assert_eq!((told.cause.as_str(), told.fix.as_str()), (info.cause, info.fix), "{}", info.name);
        }
    }

    #[test]
    fn every_fault_is_told_with_its_place_its_code_and_what_to_do() {
        let problems = problems("version = 1\ntimezone = \"Asia/Shangai\"\n[pacing]\nburst = \"five\"\n");
        let failure = config_failure(&problems, Lang::En);
        let told = failure.render(Lang::En, false);
        assert_eq!(failure.exit, 2);
        for words in [
            "BOT.toml:2:12: [C017] timezone: there is no time zone `Asia/Shangai`; did you mean `Asia/Shanghai`?",
            "BOT.toml:4:9: [C005] pacing.burst: expected integer, found string",
            "fix: Write a value of the expected type.",
            "[C023]",
            "`wechaty explain C023` tells more",
        ] {
            assert!(told.contains(words), "no `{words}` in\n{told}");
        }
        let told = config_failure(&problems, Lang::Zh).render(Lang::Zh, false);
        assert!(
            told.contains("没有时区 `Asia/Shangai`") && told.contains("解决办法：") && !told.contains("fix"),
            "{told}"
        );
    }

    #[test]
    fn a_thousand_faults_are_counted_and_not_all_told() {
        let text: String = (0..1000).map(|i| format!("k{i} = 1\n")).collect();
        let told = config_failure(&problems(&text), Lang::En).render(Lang::En, false);
        assert!(told.lines().count() < 2 * TOLD + 10 && told.contains("1002 faults"), "{told}");
    }
}
