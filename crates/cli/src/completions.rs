//! `wechaty completions`: a script that makes a shell complete the command.

use wechaty_catalogue::Lang;

use crate::{args::CompletionsArgs, failure::Failure, help, output};

pub(crate) fn run(args: CompletionsArgs, lang: Lang) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(lang), "wechaty", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
