//! `--help` and what is wrong with a command line, in the user's language.
//!
//! The plain command line is understood first; only when help or an error is due is the catalogue put over it.

use std::ffi::OsString;

use clap::{
    Arg, Command, CommandFactory, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};
use wechaty_catalogue::{Args as Words, Lang, text};

use crate::{
    args::{Args, ListenAddr},
    failure::Failure,
    output,
};

/// What a command line asks for.
pub(crate) enum Asked {
    Run(Box<Args>),
    /// Help was printed; with this exit code it is done.
    Done(u8),
}

/// Understands the command line, or prints the help it asks for.
pub(crate) fn parse(words: Vec<OsString>, lang: Lang) -> Result<Asked, Failure> {
    let words = help_as_flag(words);
    let error = match Args::try_parse_from(&words) {
        Ok(args) => return Ok(Asked::Run(Box::new(args))),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let shown = command(lang).try_get_matches_from(&words).err().unwrap_or(error);
            output::print(&punctuated(&shown.render().to_string(), lang))?;
            Ok(Asked::Done(0))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let shown = command(lang).try_get_matches_from(without_flags(words)).err().unwrap_or(error);
            output::tell(punctuated(&shown.render().to_string(), lang).trim_end());
            Ok(Asked::Done(2))
        }
        _ => Err(failure(&error, &words)),
    }
}

/// Clap puts a colon of its own behind headings.
fn punctuated(help: &str, lang: Lang) -> String {
    let headings = ["help-commands", "help-arguments", "help-options"].map(|key| word(lang, key));
    headings.iter().fold(help.to_owned(), |help, heading| {
        let colon = text(lang, "help-heading", &Words::new().set("heading", heading));
        help.replace(&format!("\n{heading}:\n"), &format!("\n{colon}\n"))
    })
}

/// The program and its commands, without the flags for every command: alone they ask for nothing.
fn without_flags(words: Vec<OsString>) -> Vec<OsString> {
    let mut words = words.into_iter();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        match word.as_encoded_bytes() {
            b"--lang" | b"--log" => drop(words.next()),
            flag if flag.starts_with(b"--l") => {}
            _ => kept.push(word),
        }
    }
    kept
}

/// `wechaty help run` is `wechaty run --help`.
fn help_as_flag(mut words: Vec<OsString>) -> Vec<OsString> {
    let mut at = 1;
    // Flags for every command may come first.
    while let Some(flag) = words.get(at).filter(|word| word.as_encoded_bytes().starts_with(b"--l")) {
        at += if flag.as_encoded_bytes().contains(&b'=') { 1 } else { 2 };
    }
    if words.get(at).is_some_and(|word| word == "help") {
        words.remove(at);
        words.push("--help".into());
    }
    words
}

/// The command line with the catalogue's words.
pub(crate) fn command(lang: Lang) -> Command {
    let mut command = localised(Args::command(), "help", lang);
    command.build();
    usages(&mut command, lang);
    command
}

fn word(lang: Lang, key: &str) -> String {
    text(lang, key, &Words::new())
}

fn localised(command: Command, id: &str, lang: Lang) -> Command {
    let usage = text(lang, "help-usage", &Words::new().set("usage", "{usage}"));
    let template = format!("{{about-with-newline}}\n{usage}\n\n{{all-args}}{{after-help}}");
    let mut command = command
        .about(word(lang, id))
        .long_about(None::<&str>)
        .help_template(template)
        .subcommand_help_heading(word(lang, "help-commands"))
        .subcommand_value_name(word(lang, "help-command"))
        .mut_args(|arg| if arg.is_hide_set() { arg } else { argument(arg, id, lang) });
    if id == "help" {
        command = command.after_help(word(lang, "help-after"));
    }
    command.mut_subcommands(|sub| {
        let id = format!("{id}-{}", sub.get_name());
        if sub.is_hide_set() { sub } else { localised(sub, &id, lang) }
    })
}

fn argument(arg: Arg, command: &str, lang: Lang) -> Arg {
    let mut help = word(lang, &format!("{command}-{}", arg.get_id()));
    let mut add = |key: &str, value: String| {
        if !value.is_empty() {
            help.push_str(&text(lang, key, &Words::new().set("value", value)));
        }
    };
    if arg.get_action().takes_values() {
        let names = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect::<Vec<_>>();
        add("help-values", names.join(", "));
        let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
        add("help-default", defaults.collect::<Vec<_>>().join(", "));
        add("help-env", arg.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
    }
    let heading = if arg.is_positional() { "help-arguments" } else { "help-options" };
    let takes_values = arg.get_action().takes_values();
    let arg = arg.help(help).long_help(None::<&str>).help_heading(word(lang, heading));
    if takes_values { arg.hide_possible_values(true).hide_default_value(true).hide_env(true) } else { arg }
}

/// `[OPTIONS]` is written by clap itself.
fn usages(command: &mut Command, lang: Lang) {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().replace("[OPTIONS]", &word(lang, "help-any-options"));
    *command = std::mem::take(command).override_usage(usage);
    for sub in command.get_subcommands_mut() {
        usages(sub, lang);
    }
}

/// A failure with the code for what clap found.
fn failure(error: &clap::Error, words: &[OsString]) -> Failure {
    let context = |kind| {
        error.get(kind).map(|value| match value {
            ContextValue::String(text) => text.clone(),
            ContextValue::Strings(texts) => texts.join(", "),
            other => other.to_string(),
        })
    };
    let arg = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let (failure, suggested) = match error.kind() {
        ErrorKind::UnknownArgument => (Failure::usage("W120").set("flag", arg), ContextKind::SuggestedArg),
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            let failure = Failure::usage("W121").set("word", &*word);
            return match meant(&word, words) {
                Some(name) => failure.tell("did-you-mean", Words::new().set("name", name)),
                None => failure,
            };
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            (Failure::usage("W123").set("what", arg), ContextKind::SuggestedValue)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let mut failure = Failure::usage("W122").set("flag", &*arg).set("value", value);
            let form = if arg.starts_with("--listen") { Some(ListenAddr::FORMS.to_owned()) } else { None };
            if let Some(all) = form.or_else(|| context(ContextKind::ValidValue)) {
                failure = failure.tell("possible-values", Words::new().set("values", all));
            } else if let Some((key, args)) = number(error) {
                failure = failure.tell(key, args);
            }
            (failure, ContextKind::SuggestedValue)
        }
        ErrorKind::MissingRequiredArgument | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            (Failure::usage("W123").set("what", arg), ContextKind::SuggestedArg)
        }
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg).unwrap_or_default();
            (Failure::usage("W124").set("flag", arg).set("other", other), ContextKind::SuggestedArg)
        }
        _ => {
            let told = error.to_string();
            let told = told.trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned();
            (Failure::usage("W125").words(wechaty_puppet::Words::quoted(told)), ContextKind::SuggestedArg)
        }
    };
    match context(suggested) {
        Some(name) => failure.tell("did-you-mean", Words::new().set("name", name)),
        None => failure,
    }
}

/// What an argument takes that takes numbers.
fn number(error: &clap::Error) -> Option<(&'static str, Words)> {
    let source = std::error::Error::source(error)?;
    if source.is::<std::num::ParseIntError>() {
        return Some(("possible-number", Words::new()));
    }
    // clap keeps the bounds in its words alone: `0 is not in 1..=10000`.
    let told = source.to_string();
    let (least, most) = told.rsplit_once(" is not in ")?.1.split_once("..")?;
    let range = Words::new().set("least", least).set("most", most.trim_start_matches('='));
    Some(("possible-range", range))
}

/// The command that was meant: one like it in its place, or that very one in another.
fn meant(word: &str, words: &[OsString]) -> Option<String> {
    let all = Args::command();
    let mut place = &all;
    for step in words.iter().skip(1).take_while(|step| *step != word) {
        place = place.find_subcommand(step).unwrap_or(place);
    }
    let near = wechaty_config::nearest(word, shown(place).map(Command::get_name));
    near.map(str::to_owned).or_else(|| elsewhere(&all, word))
}

fn elsewhere(command: &Command, word: &str) -> Option<String> {
    let below = |sub| elsewhere(sub, word).map(|path| format!("{} {path}", Command::get_name(sub)));
    shown(command).find_map(|sub| if sub.get_name() == word { Some(word.to_owned()) } else { below(sub) })
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

#[cfg(test)]
mod tests {
    use wechaty_catalogue::lookup;

    use super::*;

    /// Ids of everything that `--help` shows.
    fn ids(command: &Command, id: &str, found: &mut Vec<String>) {
        found.push(id.to_owned());
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            found.push(format!("{id}-{}", arg.get_id()));
        }
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            ids(sub, &format!("{id}-{}", sub.get_name()), found);
        }
    }

    #[test]
    fn every_help_text_is_translated() {
        let mut found = Vec::new();
        ids(&Args::command(), "help", &mut found);
        assert!(found.len() > 20, "{found:?}");
        let mut missing = Vec::new();
        for id in &found {
            for lang in Lang::ALL {
                if lookup(lang, id, &Words::new()).is_none() {
                    missing.push(format!("{} {id}", lang.as_str()));
                }
            }
        }
        assert!(missing.is_empty(), "not in the catalogue: {missing:?}");
    }

    fn all_help(command: &mut Command, into: &mut Vec<String>) {
        into.push(command.render_help().to_string());
        into.push(command.render_long_help().to_string());
        for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set()) {
            all_help(sub, into);
        }
    }

    #[test]
    fn no_word_of_clap_is_left_in_chinese() {
        Args::command().debug_assert();
        let mut all = Vec::new();
        all_help(&mut command(Lang::Zh), &mut all);
        for help in &all {
            for word in
                ["Usage", "Options", "Commands", "Arguments", "[OPTIONS]", "default:", "env:", "possible", "Print"]
            {
                assert!(!help.contains(word), "`{word}` in\n{help}");
            }
            let help = punctuated(help, Lang::Zh);
            assert!(help.contains("用法：wechaty") && help.contains("选项：\n") && help.contains("--lang"), "{help}");
        }
    }

    #[test]
    fn flags_alone_ask_for_nothing_and_get_help() {
        for line in ["wechaty", "wechaty --lang en", "wechaty --lang=en config", "wechaty --log info"] {
            assert!(matches!(asked(line), Ok(Asked::Done(2))), "{line}");
        }
    }

    fn asked(line: &str) -> Result<Asked, Failure> {
        parse(line.split(' ').map(OsString::from).collect(), Lang::En)
    }

    #[test]
    fn what_is_wrong_with_a_command_line_has_a_code_and_the_nearest_word() {
        for (line, code, word) in [
            ("wechaty run --recrod x", "[W120]", "`--record`"),
            ("wechaty rnu", "[W121]", "`run`"),
            ("wechaty --lang en token genrate", "[W121]", "did you mean `generate`?"),
            ("wechaty generate", "[W121]", "did you mean `token generate`?"),
            ("wechaty run --clock virtal", "[W122]", "`virtual`"),
            ("wechaty bench core --seconds many", "[W122]", "`many`"),
            ("wechaty trace --last --limit x", "[W122]", "It takes a whole number."),
            ("wechaty trace --last --limit 0", "[W122]", "It takes a whole number from 1 to 10000."),
            ("wechaty trace --last --limit 70000", "[W122]", "It takes a whole number from 1 to 10000."),
            ("wechaty run --listen example.com:80", "[W122]", "0.0.0.0"),
            ("wechaty run --record", "[W123]", "--record"),
            ("wechaty new", "[W123]", "DIR"),
            ("wechaty run --json --json", "[W124]", "--json"),
            ("wechaty explain W101 W102", "[W120]", "`W102`"),
        ] {
            let told = asked(line).err().map(|failure| (failure.exit, failure.render(Lang::En, false)));
            let (exit, told) = told.unwrap_or_else(|| panic!("{line} was taken"));
            assert!(exit == 2 && told.contains(code) && told.contains(word), "{line}: {told}");
        }
    }

    #[test]
    fn a_command_that_is_like_none_in_its_place_is_not_said_to_be_one() {
        for line in ["wechaty plugin enable", "wechaty top"] {
            let told = asked(line).err().map(|failure| failure.render(Lang::En, false)).unwrap_or_default();
            assert!(told.contains("[W121]") && !told.contains("did you mean"), "{line}: {told}");
        }
    }
}
