//! The one build: every target, one profile, one feature set. What it made is found by path in cargo's messages.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Report;
use crate::{context::Context, table::Row};

/// Everything the build made that can be run.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// Test binaries.
    pub(crate) tests: Vec<Binary>,
    /// Programs.
    pub(crate) programs: Vec<Binary>,
    /// Examples.
    pub(crate) examples: Vec<Binary>,
    /// Libraries of the workspace, by the name that code calls them.
    pub(crate) libraries: BTreeMap<String, PathBuf>,
}

/// An executable file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) package: String,
    /// Of the target in Cargo.toml.
    pub(crate) name: String,
    /// `lib`, `bin`, `test`, `example`, …
    pub(crate) kind: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The folder of the package's Cargo.toml.
    pub(crate) package_dir: PathBuf,
}

impl Built {
    /// The `wechaty` command.
    pub(crate) fn wechaty(&self) -> Result<&Path> {
        let found = self.programs.iter().find(|program| program.name == "wechaty");
        Ok(&found.context("the build made no program `wechaty`")?.path)
    }
}

/// Builds all targets of the workspace (with the features of the dev-dependencies, as `cargo test` would) and keeps
/// the paths in `cx.built`.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let args = ["--all-targets", "--message-format=json-render-diagnostics"];
    let done = cx.workspace("build", &args, Duration::from_secs(60 * 60)).run()?;
    let mut row = Row::new("build");
    row.count(done.ok());
    if done.ok() {
        cx.built.set(executables(&String::from_utf8_lossy(&done.stdout))).ok();
    } else {
        // Its stdout is for machines.
        let stderr = String::from_utf8_lossy(&done.stderr);
        row.fault("build", &format!("cargo build: {}\n{}", done.ending(), crate::process::tail(&stderr, 60)));
    }
    report.add(row);
    Ok(())
}

/// Sorts the `compiler-artifact` messages of cargo: executables, and libraries of the workspace.
pub(crate) fn executables(messages: &str) -> Built {
    let mut built = Built::default();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        built.libraries.extend(library(&message));
        let Some((binary, is_test)) = executable(&message) else { continue };
        match binary.kind.as_str() {
            _ if is_test => built.tests.push(binary),
            "bin" => built.programs.push(binary),
            "example" => built.examples.push(binary),
            _ => {}
        }
    }
    let key = |binary: &Binary| (binary.package.clone(), binary.kind.clone(), binary.name.clone());
    built.tests.sort_by_key(key);
    built.examples.sort_by_key(key);
    built
}

fn executable(message: &Value) -> Option<(Binary, bool)> {
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let path = PathBuf::from(message["executable"].as_str()?);
    let package_dir = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let binary = Binary {
        package: package_name(message["package_id"].as_str()?).to_owned(),
        name: message["target"]["name"].as_str()?.to_owned(),
        kind: message["target"]["kind"][0].as_str()?.to_owned(),
        path,
        package_dir,
    };
    // Benches have no harness that libtest flags would mean anything to.
    let is_test = message["profile"]["test"] == true && binary.kind != "bench";
    Some((binary, is_test))
}

fn library(message: &Value) -> Option<(String, PathBuf)> {
    let is_ours = message["package_id"].as_str()?.starts_with("path+");
    if message["reason"] != "compiler-artifact" || message["target"]["kind"][0] != "lib" || !is_ours {
        return None;
    }
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    let library = files.map(PathBuf::from).find(|file| file.extension().is_some_and(|kind| kind == "rlib"))?;
    Some((message["target"]["name"].as_str()?.replace('-', "_"), library))
}

/// From `path+file:///a/b#name@1.0.0`, or `path+file:///a/name#1.0.0` where folder and package have one name.
fn package_name(id: &str) -> &str {
    let (place, fragment) = id.split_once('#').unwrap_or(("", id));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => place.rsplit('/').next().unwrap_or(fragment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids_are_read() {
        assert_eq!(package_name("path+file:///src/crates/cli#wechaty-cli@0.1.0"), "wechaty-cli");
        assert_eq!(package_name("path+file:///src/crates/wechaty#0.1.0"), "wechaty");
    }

    #[test]
    fn executables_are_sorted_by_use() {
        let message = |kind: &str, name: &str, test: bool, executable: &str| {
            serde_json::json!({
                "reason": "compiler-artifact", "package_id": "path+file:///src/a#0.1.0",
                "manifest_path": "/src/a/Cargo.toml", "target": { "kind": [kind], "name": name },
                "profile": { "test": test },
                "executable": if executable.is_empty() { Value::Null } else { executable.into() },
            })
            .to_string()
        };
        let library = serde_json::json!({
            "reason": "compiler-artifact", "package_id": "path+file:///src/b#0.1.0",
            "target": { "kind": ["lib"], "name": "b-c" }, "filenames": ["/t/libb_c.rlib", "/t/deps/libb_c-1.rmeta"],
        });
        let messages = [
            library.to_string(),
            message("lib", "a", false, ""),
            message("lib", "a", true, "/t/a-1"),
            message("bin", "a", false, "/t/a"),
            message("bin", "a", true, "/t/a-2"),
            message("example", "ding", false, "/t/ding"),
            message("test", "it", true, "/t/it-1"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "not a message".to_owned(),
        ];
        let built = executables(&messages.join("\n"));
        let kinds = |list: &[Binary]| list.iter().map(|b| format!("{} {}", b.kind, b.name)).collect::<Vec<_>>();
        assert_eq!(kinds(&built.tests), ["bin a", "lib a", "test it"]);
        assert_eq!(kinds(&built.programs), ["bin a"]);
        assert_eq!(kinds(&built.examples), ["example ding"]);
        assert_eq!(built.libraries, BTreeMap::from([("b_c".to_owned(), PathBuf::from("/t/libb_c.rlib"))]));
        assert_eq!(built.tests[0].package_dir, Path::new("/src/a"));
        assert!(built.wechaty().unwrap_err().to_string().contains("wechaty"));
    }
}
