//! House rules that no other tool knows. Each is one test, and a fault names the place.

mod code;
mod docs;
mod files;

use anyhow::Result;

use super::{Report, checked};
use crate::context::Context;

/// Reads all source files once and applies every rule.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let files = files::all(cx)?;
    let rules: [(&str, Result<Vec<String>>); 12] = [
        ("every module opens with `//!`", Ok(code::modules_open_with_docs(&files))),
        ("nothing is left to be written", Ok(code::nothing_unwritten(&files))),
        ("no file has two subjects", Ok(code::no_long_files(&files))),
        ("types and puppets do not depend on wechaty", code::layers(cx.packages()?)),
        ("fakes share no code with what they test", code::fakes_stand_alone(cx.packages()?)),
        ("types do no I/O and wait for nothing", Ok(code::types_are_plain(&files))),
        ("no conflict is left in a file", Ok(files::no_conflicts(&files))),
        ("generated code is that of its protos", crate::codegen::stale(cx)),
        ("no path of one machine", Ok(code::no_machine_paths(&files))),
        ("the README's quick start is examples/ding_dong.rs", docs::quick_start(&files)),
        ("the migration guide's Rust is examples/migrated.rs", docs::migration_guide(&files)),
        ("ARCHITECTURE.md is true and complete", docs::architecture(&cx.root, &files)),
    ];
    report.add(checked("tidy", rules.map(|(name, result)| (name.to_owned(), result))));
    Ok(())
}
