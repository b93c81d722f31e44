//! Where the log goes and how much of it: Wechaty's levels, or a filter of the `tracing` kind; to stderr.

use std::{io::IsTerminal, path::Path};

use tracing_subscriber::EnvFilter;
use wechaty_catalogue::Args;
use wechaty_config::Env;

use crate::{args::Command, failure::Failure};

/// Wechaty's words, then those of `tracing` that Wechaty does not have.
const LEVELS: &[&str] = &["silent", "error", "warn", "info", "verbose", "silly", "off", "debug", "trace"];
const DEFAULT: &str = "warn";

/// Starts the log.
pub(crate) fn start(level: Option<&str>) -> Result<(), Failure> {
    let filter = filter(level.unwrap_or(DEFAULT))?;
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        // It would tell them on stderr, and panic where that cannot be written.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

/// The level that the `.env` beside a bot names, as far as it can be read: what is wrong with it is told later.
pub(crate) fn beside(command: &Command) -> Option<String> {
    let Command::Run(args) = command else { return None };
    let folder = args.bot.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    Env::system().with_folder(folder).0.get("WECHATY_LOG")
}

fn filter(level: &str) -> Result<EnvFilter, Failure> {
    let word = level.trim().to_lowercase();
    let known = match word.as_str() {
        "" => DEFAULT,
        "silent" => "off",
        "verbose" => "debug",
        "silly" => "trace",
        word if LEVELS.contains(&word) => word,
        // A single word would be taken for the name of a module, with everything of it.
        word if !word.contains(['=', ',']) => return Err(unknown(level)),
        _ => level.trim(),
    };
    EnvFilter::try_new(known).map_err(|error| unknown(level).source(&error))
}

fn unknown(level: &str) -> Failure {
    let failure = Failure::usage("W114").set("level", level);
    match wechaty_config::nearest(level, LEVELS.iter().copied()) {
        Some(name) => failure.tell("did-you-mean", Args::new().set("name", name)),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use wechaty_catalogue::Lang;

    use super::*;

    #[test]
    fn levels_of_wechaty_and_filters_are_understood() {
        for (level, filter_) in
            [("silly", "trace"), ("INFO", "info"), ("silent", "off"), ("", "warn"), ("wechaty=debug", "wechaty=debug")]
        {
            assert_eq!(filter(level).map(|f| f.to_string()).map_err(|f| f.exit), Ok(filter_.to_owned()), "{level}");
        }
    }

    #[test]
    fn a_misspelt_level_is_refused_with_the_nearest() {
        let told = |level| filter(level).expect_err("refused").render(Lang::En, false);
        assert!(told("verbos").contains("`verbose`"));
        assert!(told("wechaty=lots").contains("[W114]"));
    }
}
