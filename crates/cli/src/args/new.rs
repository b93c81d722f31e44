//! `wechaty new`.

use std::path::PathBuf;

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_enum, default_value_t = Template::Rust, value_name = "TEMPLATE")]
    pub(crate) template: Template,
    #[arg(long, value_name = "CHECKOUT", conflicts_with = "git")]
    pub(crate) path: Option<PathBuf>,
    #[arg(long, value_name = "URL")]
    pub(crate) git: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    Config,
    Rust,
    Plugin,
    Puppet,
}
