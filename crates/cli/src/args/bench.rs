//! `wechaty bench`.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) what: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    Core {
        #[arg(long)]
        json: bool,
        #[arg(long, default_value_t = 3.0, value_name = "SECONDS")]
        seconds: f64,
    },
    Durable {
        #[arg(long)]
        json: bool,
        #[arg(long, default_value_t = 3.0, value_name = "SECONDS")]
        seconds: f64,
    },
    /// Part of `core`: resident memory of idle accounts and conversations, in a process of its own.
    #[command(hide = true)]
    Idle,
    /// Part of `cargo xtask soak`: many messages, and what is resident on the way.
    #[command(hide = true)]
    Soak {
        #[arg(long, default_value_t = 1_000_000)]
        messages: u64,
        #[arg(long)]
        file: bool,
    },
}
