//! `wechaty puppets`.

#[derive(Debug, clap::Args)]
pub(crate) struct PuppetsArgs {
    #[arg(long)]
    pub(crate) json: bool,
}
