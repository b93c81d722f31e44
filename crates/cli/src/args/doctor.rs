//! `wechaty doctor`.

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    #[arg(long)]
    pub(crate) json: bool,
}
