//! The command line: one file for each command. What users read about it comes from the catalogue, by the path of
//! names: `help-run`, `help-run-puppet` (see `help.rs`); the comments here are for us.

mod account;
mod bench;
mod completions;
mod config;
mod doctor;
mod explain;
mod gateway;
mod ledger;
mod listen;
mod new;
mod plugin;
mod puppets;
mod run;
mod store;
mod token;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use wechaty_catalogue::Lang;

pub(crate) use self::{
    account::{AccountArgs, AccountCommand, AddArgs},
    bench::{BenchArgs, BenchCommand},
    completions::CompletionsArgs,
    config::{ConfigArgs, ConfigCommand},
    doctor::DoctorArgs,
    explain::ExplainArgs,
    gateway::GatewayArgs,
    ledger::LedgerArgs,
    listen::ListenAddr,
    new::{NewArgs, Template},
    plugin::{PluginArgs, PluginCommand},
    puppets::PuppetsArgs,
    run::{ClockKind, RunArgs},
    store::{BackupArgs, BotArgs, ChosenArgs, DeadLettersArgs, DeadLettersCommand, ForgetArgs, RestoreArgs, TraceArgs},
    token::{DiscoverArgs, TokenArgs, TokenCommand},
};

#[derive(Debug, Parser)]
#[command(name = "wechaty", version, disable_help_subcommand = true, disable_help_flag = true)]
#[command(disable_version_flag = true)]
pub(crate) struct Args {
    /// `main` looks for it itself, before anything can go wrong.
    #[arg(long, global = true, value_enum, value_name = "LANG", display_order = 900)]
    pub(crate) lang: Option<LangArg>,
    #[arg(long, env = "WECHATY_LOG", global = true, value_name = "LEVEL", display_order = 901)]
    pub(crate) log: Option<String>,
    #[arg(short, long, global = true, action = ArgAction::Help, display_order = 902)]
    help: Option<bool>,
    #[arg(short = 'V', long, action = ArgAction::Version, display_order = 903)]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LangArg {
    En,
    Zh,
}

impl From<LangArg> for Lang {
    fn from(lang: LangArg) -> Self {
        match lang {
            LangArg::En => Self::En,
            LangArg::Zh => Self::Zh,
        }
    }
}

/// In the order of `--help`: first what a newcomer needs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(RunArgs),
    Gateway(GatewayArgs),
    New(NewArgs),
    Config(ConfigArgs),
    Account(AccountArgs),
    Plugin(PluginArgs),
    Puppets(PuppetsArgs),
    Ledger(LedgerArgs),
    Trace(TraceArgs),
    DeadLetters(DeadLettersArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Forget(ForgetArgs),
    Token(TokenArgs),
    Doctor(DoctorArgs),
    Explain(ExplainArgs),
    Completions(CompletionsArgs),
    Bench(BenchArgs),
}
