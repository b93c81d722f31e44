//! `wechaty plugin`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    pub(crate) what: PluginCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    List {
        #[arg(long)]
        json: bool,
    },
    Check {
        #[arg(value_name = "BOT.toml", default_value = "BOT.toml")]
        file: PathBuf,
    },
}
