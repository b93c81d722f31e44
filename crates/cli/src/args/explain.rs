//! `wechaty explain`.

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Without it, all codes are listed.
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}
