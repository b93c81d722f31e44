//! CLI: the `wechaty` command. Runs a bot, measures it, tells what became of every message.

mod args;
mod bench;
mod run;

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;

use args::{Args, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    log(args.log.as_deref());
    // Only the first provider of a process counts; there is no other here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let result = match args.command {
        Command::Run(args) => run::run(args),
        Command::Bench(args) => bench::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("wechaty: {:#}", failure.error);
            ExitCode::from(failure.code)
        }
    }
}

/// An error and the exit code that goes with it.
pub(crate) struct Failure {
    error: anyhow::Error,
    code: u8,
}

impl Failure {
    /// What was asked cannot be done: an unknown puppet, a bad file. Exit code 2.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), code: 2 }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    /// Something failed while running. Exit code 1.
    fn from(error: E) -> Self {
        Self { error: error.into(), code: 1 }
    }
}

/// Wechaty's levels, or a filter of the `tracing` kind; to stderr.
fn log(level: Option<&str>) {
    let filter = match level.unwrap_or("warn") {
        "silent" => "off",
        "verbose" => "debug",
        "silly" => "trace",
        other => other,
    };
    let filter = tracing_subscriber::EnvFilter::try_new(filter).unwrap_or_else(|error| {
        eprintln!("wechaty: WECHATY_LOG: {error}; `warn` is used");
        tracing_subscriber::EnvFilter::new("warn")
    });
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
}
