//! `wechaty gateway`.

use std::path::PathBuf;

use super::listen::ListenAddr;

#[derive(Debug, clap::Args)]
pub(crate) struct GatewayArgs {
    #[arg(value_name = "BOT.toml")]
    pub(crate) bot: Option<PathBuf>,
    #[arg(short = 'P', long, value_name = "NAME")]
    pub(crate) puppet: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
    #[arg(short, long, env = "WECHATY_PUPPET_SERVER_PORT", value_name = "PORT")]
    pub(crate) port: Option<u16>,
    #[arg(short, long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<ListenAddr>,
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) record: Option<PathBuf>,
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) no_tls: bool,
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    #[arg(long)]
    pub(crate) allow_anonymous: bool,
}
