//! `wechaty config`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) what: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Check {
        #[arg(value_name = "BOT.toml", default_value = "BOT.toml")]
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    Schema,
}
