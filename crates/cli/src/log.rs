//! Where the log goes and how much of it: Wechaty's levels, or levels by module as `tracing` has them; to stderr.

use std::{io::IsTerminal, path::Path};

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};
use wechaty_catalogue::Args;
use wechaty_config::Env;

use crate::{args::Command, failure::Failure};

/// Everything; but what HTTP/2 logs of a request that it refuses may be a token.
const VERBOSE: &str = "debug,h2=info";
const SILLY: &str = "trace,h2=info";
/// The SDK of Matrix calls each answer an error that says "there is none", which it asks for to know just that; what counts of
/// its errors the puppet tells.
const QUIET: &str = "matrix_sdk=error,matrix_sdk::http_client=off";
/// Wechaty's words, then those of `tracing` that Wechaty does not have.
const LEVELS: &[&str] = &["silent", "error", "warn", "info", "verbose", "silly", "off", "debug", "trace"];
const DEFAULT: &str = "warn";

/// Starts the log.
pub(crate) fn start(level: Option<&str>) -> Result<(), Failure> {
    let filter = filter(level.unwrap_or(DEFAULT))?;
    let colours = std::io::stderr().is_terminal();
    let lines = fmt::layer()
        .with_ansi(colours)
        // It would tell them on stderr, and panic where that cannot be written.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(filter).init();
    Ok(())
}

/// The level that the `.env` beside a bot names, as far as it can be read: what is wrong with it is told later.
pub(crate) fn beside(command: &Command) -> Option<String> {
    let Command::Run(args) = command else { return None };
    let folder = args.bot.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    Env::system().with_folder(folder).0.get("WECHATY_LOG")
}

fn filter(level: &str) -> Result<Targets, Failure> {
    let word = level.trim().to_lowercase();
    let quiet;
    let known = match word.as_str() {
        "silent" | "off" => "off",
        "verbose" | "debug" => VERBOSE,
        "silly" | "trace" => SILLY,
        word if word.is_empty() || LEVELS.contains(&word) => {
            quiet = format!("{},{QUIET}", if word.is_empty() { DEFAULT } else { word });
            quiet.as_str()
        }
        // A single word would be taken for the name of a module, with everything of it.
        word if !word.contains(['=', ',']) => return Err(unknown(level)),
        // A part without a name or a level means nothing, and would be taken for everything or nothing.
        word if word.split(',').any(|part| part.is_empty() || part.starts_with('=') || part.ends_with('=')) => {
            return Err(unknown(level));
        }
        _ => level.trim(),
    };
    known.parse::<Targets>().map_err(|error| unknown(level).source(&error))
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
        for (level, filter_) in [
            ("silly", "h2=info,trace"),
            ("INFO", "matrix_sdk::http_client=off,matrix_sdk=error,info"),
            ("silent", "off"),
            ("off", "off"),
            ("", "matrix_sdk::http_client=off,matrix_sdk=error,warn"),
            ("wechaty=debug", "wechaty=debug"),
        ] {
            assert_eq!(filter(level).map(|f| f.to_string()).map_err(|f| f.exit), Ok(filter_.to_owned()), "{level}");
        }
    }

    #[test]
    fn a_misspelt_level_is_refused_with_the_nearest() {
        let told = |level| filter(level).expect_err("refused").render(Lang::En, false);
        assert!(told("verbos").contains("`verbose`"));
        for wrong in ["wechaty=lots", "=", "=debug", "wechaty=", "debug,", ",", "[span{x}]"] {
            assert!(told(wrong).contains("[W114]"), "{wrong}");
        }
    }
}
