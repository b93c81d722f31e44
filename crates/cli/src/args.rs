//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// A bot for every messenger; every message is accounted for.
#[derive(Debug, Parser)]
#[command(
    name = "wechaty",
    version,
    after_help = "Exit codes: 0 done, 1 something failed while running, 2 what was asked makes no sense."
)]
pub(crate) struct Args {
    /// silent, error, warn, info, verbose, silly, or a filter such as `wechaty=debug`
    #[arg(long, env = "WECHATY_LOG", global = true, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the demo bot
    Run(RunArgs),
    /// Measures the SDK on this machine, beside the bare limit
    Bench(BenchArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Which messenger: terminal, mock; without it WECHATY_PUPPET, else the terminal
    #[arg(long, value_name = "NAME", env = "WECHATY_PUPPET")]
    pub(crate) puppet: Option<String>,
    /// World file of the mock puppet
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
    /// Which clock: `virtual` plays a world as fast as it can, and ends with it
    #[arg(long, value_enum, default_value_t = ClockKind::System)]
    pub(crate) clock: ClockKind,
    /// Writes one JSON line for each message sent
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) record: Option<PathBuf>,
    /// Prints the ledger at the end as JSON: on stdout, of the terminal puppet on stderr
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockKind {
    /// The machine's
    System,
    /// One that jumps to the next event when nothing is left to do
    Virtual,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) what: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// In memory: puppet, handler, say, puppet
    Core {
        /// Prints JSON
        #[arg(long)]
        json: bool,
        /// How long each part measures
        #[arg(long, default_value_t = 3.0, value_name = "SECONDS")]
        seconds: f64,
    },
    /// Part of `core`: resident memory of idle accounts and conversations, in a process of its own
    #[command(hide = true)]
    Idle,
}
