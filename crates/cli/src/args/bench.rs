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
    Gateway {
        #[arg(long)]
        json: bool,
        #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
        seconds: f64,
        #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=2048))]
        file: u64,
    },
    /// Part of `gateway`: one of the servers that are compared, in a process of its own.
    #[command(hide = true)]
    GatewayServer {
        /// Ours, with its files here.
        #[arg(long, conflicts_with = "reply")]
        files: Option<std::path::PathBuf>,
        /// The bare one, with this answer to a call, in hexadecimal digits.
        #[arg(long, default_value = "")]
        reply: String,
        /// The bytes that the bare one gives.
        #[arg(long, default_value_t = 0)]
        download: u64,
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
