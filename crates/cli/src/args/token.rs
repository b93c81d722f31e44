//! `wechaty token`.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) what: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    Generate {
        #[arg(long, value_name = "NAME", default_value = "uuid")]
        sni: String,
    },
    Inspect {
        /// `-`: from standard input, so that it stays out of the shell's history.
        #[arg(value_name = "TOKEN", env = "WECHATY_PUPPET_SERVICE_TOKEN", hide_env_values = true)]
        token: String,
    },
    Discover {
        #[arg(value_name = "TOKEN", env = "WECHATY_PUPPET_SERVICE_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
}
