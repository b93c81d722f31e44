//! `wechaty trace`, `dead-letters`, `backup`, `restore`, `forget`: commands about what a bot has stored.

use std::path::PathBuf;

use clap::Subcommand;

/// Which bot.
#[derive(Debug, clap::Args)]
pub(crate) struct BotArgs {
    #[arg(long, value_name = "BOT.toml")]
    pub(crate) bot: Option<PathBuf>,
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TraceArgs {
    #[arg(value_name = "ID", required_unless_present_any = ["last", "words"], conflicts_with_all = ["last", "words"])]
    pub(crate) id: Option<String>,
    #[arg(long)]
    pub(crate) last: bool,
    #[arg(long, value_name = "NAME", requires = "last")]
    pub(crate) with: Option<String>,
    #[arg(long, value_name = "WORDS", conflicts_with = "last")]
    pub(crate) words: Option<String>,
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) which: BotArgs,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    pub(crate) what: DeadLettersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    List {
        #[command(flatten)]
        which: BotArgs,
        #[arg(long)]
        json: bool,
    },
    Retry(ChosenArgs),
    Drop(ChosenArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ChosenArgs {
    #[arg(value_name = "NUMBER", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) numbers: Vec<u64>,
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) which: BotArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) which: BotArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) force: bool,
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) which: BotArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ForgetArgs {
    #[arg(value_name = "PERSON")]
    pub(crate) person: String,
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) which: BotArgs,
}
