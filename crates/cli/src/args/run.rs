//! `wechaty run`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::listen::ListenAddr;

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[arg(value_name = "BOT.toml")]
    pub(crate) bot: Option<PathBuf>,
    #[arg(long, value_name = "NAME")]
    pub(crate) puppet: Option<String>,
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<ListenAddr>,
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = ClockKind::System, value_name = "CLOCK")]
    pub(crate) clock: ClockKind,
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) record: Option<PathBuf>,
    #[arg(long)]
    pub(crate) api: bool,
    #[arg(long)]
    pub(crate) json: bool,
    /// Whoever runs it has doors of its own.
    #[arg(skip)]
    pub(crate) no_doors: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockKind {
    /// The machine's.
    System,
    /// One that jumps to the next event when nothing is left to do.
    Virtual,
}
