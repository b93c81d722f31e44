//! CLI: the `wechaty` command. Runs a bot, measures it, tells what became of every message.

// `eprintln!` panics where stderr cannot be written: `output::tell` does not.
#![deny(clippy::print_stderr)]

mod account;
mod args;
mod bench;
mod completions;
mod config;
mod control;
mod discover;
mod doctor;
mod explain;
mod failure;
mod gateway;
mod help;
mod lang;
mod ledger;
mod limits;
mod log;
mod new;
mod output;
mod plugins;
mod progress;
mod puppets;
mod run;
mod scratch;
mod store;
mod token;
mod told;

use std::{ffi::OsString, process::ExitCode};

use wechaty_catalogue::Lang;

use args::{Args, Command};
use failure::Failure;
use help::Asked;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let lang = lang::early(&words, |name| std::env::var(name).ok());
    let result = match help::parse(words, lang) {
        Ok(Asked::Run(args)) => {
            let lang = args.lang.map_or(lang, Lang::from);
            command(*args, lang)
        }
        Ok(Asked::Done(code)) => return ExitCode::from(code),
        Err(failure) => Err(failure),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(lang);
            ExitCode::from(failure.exit)
        }
    }
}

fn command(args: Args, lang: Lang) -> Result<(), Failure> {
    log::start(args.log.or_else(|| log::beside(&args.command)).as_deref())?;
    // Only the first provider of a process counts; there is no other here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match args.command {
        Command::Run(args) => run::run(args, lang),
        Command::Gateway(args) => gateway::run(args, lang),
        Command::New(args) => new::run(args, lang),
        Command::Config(args) => config::run(args, lang),
        Command::Account(args) => account::run(args, lang),
        Command::Plugin(args) => plugins::run(args, lang),
        Command::Puppets(args) => puppets::run(args, lang),
        Command::Ledger(args) => ledger::run(args, lang),
        Command::Trace(args) => store::trace(args, lang),
        Command::DeadLetters(args) => store::dead_letters(args, lang),
        Command::Backup(args) => store::backup(args, lang),
        Command::Restore(args) => store::restore(args, lang),
        Command::Forget(args) => store::forget(args, lang),
        Command::Token(args) => token::run(args, lang),
        Command::Doctor(args) => doctor::run(args, lang),
        Command::Explain(args) => explain::run(args, lang),
        Command::Completions(args) => completions::run(args, lang),
        Command::Bench(args) => bench::run(args, lang),
    }
}
