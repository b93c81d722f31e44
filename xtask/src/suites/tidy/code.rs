//! Rules about source files and about who may depend on whom.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::files::File;

/// Near this many lines a file has a second subject.
const MOST_LINES: usize = 600;

/// Module documentation comes first, before attributes too.
pub(super) fn modules_open_with_docs(files: &[File]) -> Vec<String> {
    let modules = files.iter().filter(|file| file.is_our_rust() && in_src(&file.path));
    let bare = modules.filter(|file| !file.text.trim_start_matches('\u{feff}').starts_with("//!"));
    bare.map(|file| format!("{}: the first line does not start with `//!`", file.path)).collect()
}

fn in_src(path: &str) -> bool {
    path.split('/').any(|part| part == "src")
}

/// No placeholder macros; comments and words in strings count too, for they are placeholders as well.
pub(super) fn nothing_unwritten(files: &[File]) -> Vec<String> {
    // Not written out, so that this file keeps its own rule.
    let marks = ["todo", "unimplemented"].map(|name| format!("{name}!("));
    let ours = files.iter().filter(|file| file.is_our_rust());
    let hits = ours.flat_map(|file| file.text.lines().enumerate().map(move |(i, line)| (file, i + 1, line)));
    hits.filter(|(_, _, line)| marks.iter().any(|mark| line.contains(mark)))
        .map(|(file, at, line)| format!("{}:{at}: {}", file.path, line.trim()))
        .collect()
}

/// Of every language that people write here.
pub(super) fn no_long_files(files: &[File]) -> Vec<String> {
    let written = |file: &&File| {
        let extension = file.path.rsplit('.').next().unwrap_or_default();
        file.is_our_rust() || ["js", "ts", "py", "go", "css", "html", "sh"].contains(&extension)
    };
    let counted = files.iter().filter(written).map(|file| (file, file.text.lines().count()));
    counted
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(file, lines)| format!("{}: {lines} lines, over {MOST_LINES}", file.path))
        .collect()
}

/// Absolute paths below the folders where people keep their work; URLs with such a folder in them are fine.
pub(super) fn no_machine_paths(files: &[File]) -> Vec<String> {
    let marks = ["root", "home", "work"].map(|folder| format!("/{folder}/"));
    let mut faults = Vec::new();
    for file in files {
        for (i, line) in file.text.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| starts_path(line, mark)) {
                faults.push(format!("{}:{}: `{mark}` is a path of one machine", file.path, i + 1));
            }
        }
    }
    faults
}

/// Whether `mark` stands in `line` where a path begins, not in the middle of a longer one.
fn starts_path(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"_-.}~".contains(c))
    })
}

/// `crates/types` is data: it opens nothing, waits for nothing and asks no clock.
pub(super) fn types_are_plain(files: &[File]) -> Vec<String> {
    const MARKS: [&str; 8] =
        ["async fn", "async move", ".await", "std::fs", "std::net", "std::process", "std::thread", "tokio"];
    let types = files.iter().filter(|file| file.path.starts_with("crates/types/src/"));
    let lines = types.flat_map(|file| file.text.lines().enumerate().map(move |(i, line)| (file, i + 1, line)));
    lines
        .filter(|(_, _, line)| !line.trim_start().starts_with("//") && MARKS.iter().any(|mark| line.contains(mark)))
        .map(|(file, at, line)| format!("{}:{at}: {}", file.path, line.trim()))
        .collect()
}

/// Neither the types nor a puppet reaches the `wechaty` crate, directly or through another crate of ours; what only
/// their tests use is not asked.
pub(super) fn layers(packages: &[Value]) -> Result<Vec<String>> {
    let ours: BTreeMap<&str, &Value> = packages
        .iter()
        .filter(|package| package["source"].is_null())
        .filter_map(|package| Some((package["name"].as_str()?, package)))
        .collect();
    ensure!(ours.contains_key("wechaty"), "cargo knows no package `wechaty`");
    let mut faults = Vec::new();
    for (name, package) in &ours {
        let manifest = package["manifest_path"].as_str().unwrap_or_default().replace('\\', "/");
        let low = manifest.contains("/puppets/") || manifest.ends_with("/crates/types/Cargo.toml");
        if low && let Some(path) = way_to_wechaty(name, &ours, &mut BTreeSet::new()) {
            faults.push(format!("{path}: this layer must not know the bot"));
        }
    }
    Ok(faults)
}

/// A fake platform shares nothing with the puppet that it tests but the contract's crate, which has the clock; a puppet
/// reaches a fake in its tests only. The crash tests are a program of their own.
pub(super) fn fakes_stand_alone(packages: &[Value]) -> Result<Vec<String>> {
    const SHARED: &str = "wechaty-puppet";
    const TESTS: &str = "wechaty-crash";
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let is_fake = |name: &str| name.starts_with("wechaty-") && name.ends_with("-fake");
    ensure!(names.iter().any(|name| is_fake(name)), "there is no fake platform");
    let mut faults = Vec::new();
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        let all = package["dependencies"].as_array().into_iter().flatten();
        for other in all.filter(|dependency| dependency["kind"] != "dev").filter_map(|d| d["name"].as_str()) {
            if is_fake(name) && other.starts_with("wechaty") && other != SHARED {
                faults.push(format!("{name} → {other}: a fake shares no code with what it tests"));
            }
            if is_fake(other) && name != TESTS {
                faults.push(format!("{name} → {other}: fakes are for tests only"));
            }
        }
    }
    Ok(faults)
}

/// `a → b → wechaty`, if there is such a way over dependencies that are not for tests only.
fn way_to_wechaty<'a>(
    from: &'a str,
    ours: &BTreeMap<&'a str, &'a Value>,
    seen: &mut BTreeSet<&'a str>,
) -> Option<String> {
    if from == "wechaty" {
        return Some(from.to_owned());
    }
    if !seen.insert(from) {
        return None;
    }
    let dependencies = ours.get(from)?["dependencies"].as_array()?;
    let names = dependencies.iter().filter(|d| d["kind"] != "dev").filter_map(|d| d["name"].as_str());
    names.filter(|name| ours.contains_key(name)).find_map(|name| {
        let rest = way_to_wechaty(name, ours, seen)?;
        Some(format!("{from} → {rest}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn types_that_wait_or_read_files_are_found() {
        let found = |path: &str, line: &str| !types_are_plain(&[file(path, line)]).is_empty();
        assert!(found("crates/types/src/id.rs", "pub async fn load() {}"));
        assert!(found("crates/types/src/id.rs", "    std::fs::read(path)"));
        assert!(!found("crates/types/src/id.rs", "/// Nothing async fn here."));
        assert!(!found("crates/file-box/src/load.rs", "std::fs::read(path)"));
    }

    #[test]
    fn a_fake_that_knows_a_puppet_is_found() {
        let package = |name: &str, needs: &str, kind: Value| json!({"name": name, "source": null, "dependencies": [{"name": needs, "kind": kind}]});
        let faults = |packages: &[Value]| fakes_stand_alone(packages).unwrap().len();
        let good = package("wechaty-x-fake", "wechaty-puppet", Value::Null);
        assert_eq!(faults(&[good.clone(), package("wechaty-puppet-x", "wechaty-x-fake", json!("dev"))]), 0);
        assert_eq!(faults(&[good, package("wechaty-puppet-x", "wechaty-x-fake", Value::Null)]), 1);
        assert_eq!(faults(&[package("wechaty-x-fake", "wechaty-puppet-x", Value::Null)]), 1);
        assert!(fakes_stand_alone(&[]).is_err());
    }

    #[test]
    fn modules_without_docs_are_found() {
        let files = [
            file("crates/a/src/lib.rs", "//! A."),
            file("crates/a/src/b.rs", "use std::fs;\n//! late"),
            file("crates/a/src/wire.rs", "// @generated by a generator\nstruct X;"),
            file("crates/a/tests/it/main.rs", "mod x;"),
            file("crates/a/src/notes.md", "text"),
        ];
        let faults = modules_open_with_docs(&files);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("crates/a/src/b.rs"));
    }

    #[test]
    fn placeholders_and_long_files_are_found() {
        let macro_call = format!("fn a() {{\n    to{}\"later\")\n}}", "do!(");
        let files = [file("a/src/a.rs", &macro_call), file("a/src/b.rs", "fn todo() {}"), file("a/c.md", &macro_call)];
        assert_eq!(nothing_unwritten(&files).len(), 1);
        assert!(nothing_unwritten(&files)[0].starts_with("a/src/a.rs:2: "));
        let long = [
            file("a/src/b.rs", &"//\n".repeat(601)),
            file("a/c.js", &"//\n".repeat(600)),
            file("d.md", &"x\n".repeat(999)),
        ];
        assert_eq!(no_long_files(&long), ["a/src/b.rs: 601 lines, over 600"]);
    }

    #[test]
    fn machine_paths_are_found_where_they_begin() {
        let mark = format!("/{}/", "home");
        let hit = |line: String| starts_path(&line, &mark);
        assert!(hit(format!("{mark}me/x")));
        assert!(hit(format!("path = \"{mark}me\"")));
        assert!(hit(format!("file://{mark}me")));
        assert!(!hit(format!("https://example.com{mark}index")));
        assert!(!hit(format!("~{mark}")));
        assert!(!hit("no path".to_owned()));
    }

    #[test]
    fn forbidden_ways_are_shown() {
        let package = |name: &str, folder: &str, dependencies: Value| {
            json!({ "name": name, "source": null, "manifest_path": format!("/x/{folder}/Cargo.toml"),
                    "dependencies": dependencies })
        };
        let on = |name: &str, kind: Value| json!({ "name": name, "kind": kind });
        let packages = [
            package("wechaty", "crates/wechaty", json!([on("types", Value::Null)])),
            package("types", "crates/types", json!([on("serde", Value::Null)])),
            package("good", "puppets/good", json!([on("wechaty", json!("dev"))])),
            package("bad", "puppets/bad", json!([on("kit", Value::Null)])),
            package("kit", "crates/kit", json!([on("wechaty", Value::Null)])),
        ];
        assert_eq!(layers(&packages).unwrap(), ["bad → kit → wechaty: this layer must not know the bot"]);
        assert!(layers(&packages[1..2]).is_err());
    }
}
