//! `wechaty account`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct AccountArgs {
    #[command(subcommand)]
    pub(crate) what: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    List {
        #[arg(value_name = "BOT.toml", default_value = "BOT.toml")]
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    Add(AddArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    #[arg(value_name = "BOT.toml", default_value = "BOT.toml")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub(crate) puppet: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// `KEY=-`: a line of standard input, so that a secret stays out of the shell's history.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    #[arg(long)]
    pub(crate) no_check: bool,
}
