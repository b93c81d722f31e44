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
    Discover(DiscoverArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DiscoverArgs {
    /// As for `inspect`.
    #[arg(value_name = "TOKEN", env = "WECHATY_PUPPET_SERVICE_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    #[arg(long, env = "WECHATY_PUPPET_SERVICE_AUTHORITY", value_name = "HOST", default_value = "api.chatie.io")]
    pub(crate) authority: String,
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[arg(long)]
    pub(crate) json: bool,
}
