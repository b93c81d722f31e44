//! `wechaty ledger`.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct LedgerArgs {
    #[arg(value_name = "BOT.toml")]
    pub(crate) bot: Option<PathBuf>,
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}
