//! What others' code we ship: deny.toml is the one list, checked by cargo-deny where it is installed and, in what
//! matters most, by us everywhere.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Report, checked, spdx};
use crate::{context::Context, table::Row};

/// Where every package must come from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The part of cargo-deny that needs only `cargo metadata`.
pub(crate) fn own(cx: &Context, report: &mut Report) -> Result<()> {
    let deny = std::fs::read_to_string(cx.root.join("deny.toml")).context("cannot read deny.toml")?;
    let checks = [
        ("every licence is in deny.toml".to_owned(), licences(cx, &deny)),
        ("every package is from crates.io".to_owned(), sources(cx)),
        ("the default build holds no banned crate".to_owned(), banned(cx, &deny)),
    ];
    report.add(checked("licences", checks));
    Ok(())
}

/// All of cargo-deny. Not installed is no failure, but is said.
pub(crate) fn deny(cx: &Context, report: &mut Report) -> Result<()> {
    if !cx.cargo(&["deny", "--version"], Duration::from_secs(60)).run()?.ok() {
        report.add(Row { skipped: 1, ..Row::new("deny") }.note("not installed: cargo install cargo-deny"));
        return Ok(());
    }
    let done = cx.cargo(&["deny", "check"], Duration::from_secs(15 * 60)).run()?;
    let mut row = Row::new("deny");
    row.count(done.ok());
    if !done.ok() {
        row.fault("deny", &done.report());
    }
    report.add(row);
    Ok(())
}

fn licences(cx: &Context, deny: &str) -> Result<Vec<String>> {
    let allowed = strings(deny, "licenses", "allow");
    ensure!(!allowed.is_empty(), "deny.toml has no list `allow` in [licenses]");
    let mut faults = Vec::new();
    for package in cx.packages()? {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(expression) = package["license"].as_str() else {
            faults.push(format!("{name} names no licence"));
            continue;
        };
        match spdx::allows(expression, &allowed) {
            Some(true) => {}
            Some(false) => faults.push(format!("{name}: `{expression}` is not allowed by deny.toml")),
            None => faults.push(format!("{name}: `{expression}` is no licence expression")),
        }
    }
    Ok(faults)
}

fn sources(cx: &Context) -> Result<Vec<String>> {
    let foreign = cx.packages()?.iter().filter_map(|package| {
        let source = package["source"].as_str().filter(|source| *source != CRATES_IO)?;
        Some(format!("{} comes from {source}", package["name"].as_str().unwrap_or_default()))
    });
    Ok(foreign.collect())
}

fn banned(cx: &Context, deny: &str) -> Result<Vec<String>> {
    let banned = strings(deny, "bans", "deny");
    ensure!(!banned.is_empty(), "deny.toml has no list `deny` in [bans]");
    let tree = |args: &[&str]| -> Result<String> {
        let common = ["tree", "--package", "wechaty-cli", "--edges", "normal,build", "--target", "all"];
        let done = cx.cargo(&[&common[..], args].concat(), Duration::from_secs(300)).run()?;
        ensure!(done.ok(), "{}", done.report());
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let all = tree(&["--prefix", "none", "--format", "{p}"])?;
    let mut faults = Vec::new();
    for name in &banned {
        if all.lines().any(|line| line.split(' ').next() == Some(name)) {
            let path = tree(&["--invert", name]).unwrap_or_default();
            faults.push(format!("`{name}` is in the default build of the wechaty command:\n{path}"));
        }
    }
    Ok(faults)
}

/// The strings of a list in deny.toml, which is written plainly: one section, one key, one list, no escapes. Of
/// tables in the list only the key `crate` counts.
fn strings(toml: &str, section: &str, key: &str) -> Vec<String> {
    let header = format!("[{section}]");
    // Through whom a crate may come all the same is cargo-deny's to judge: here is the build that it is not in at all.
    let lines = toml.lines().map(|line| line.split('#').next().unwrap_or_default());
    let lines = lines.map(|line| line.split(", wrappers").next().unwrap_or_default().trim());
    let in_section = lines.skip_while(|line| *line != header).skip(1).take_while(|line| !is_header(line));
    let text = in_section.collect::<Vec<_>>().join("\n");
    let starts = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let Some(at) = text.lines().position(starts) else { return Vec::new() };
    let rest = text.lines().skip(at).collect::<Vec<_>>().join("\n");
    let Some((_, rest)) = rest.split_once('[') else { return Vec::new() };
    let list = rest.split_once(']').map_or(rest, |(list, _)| list);
    let quoted: Vec<&str> = list.split('"').collect();
    // Odd pieces stand between quotes; the even piece before says what they are.
    let pairs = quoted.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let counts = |before: &str| match before.trim_end().strip_suffix('=') {
        Some(before) => before.trim_end().ends_with("crate"),
        None => true,
    };
    pairs.filter(|(before, _)| counts(before)).map(|(_, text)| text.to_owned()).collect()
}

/// `[section]` and `[[section]]`; list items stand in a line of their own only as tables or strings.
fn is_header(line: &str) -> bool {
    line.starts_with('[') && line.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "\
[licenses]
version = 2 # \"not me\"
allow = [
  \"MIT\", # and why
  \"ISC\",
]
private = { ignore = false }

[bans]
allow = [\"wrong\"]
deny = [
  { crate = \"openssl-sys\", reason = \"C\" },
  { crate = \"aws-lc-sys\" },
]
[sources]
allow = [\"elsewhere\"]
";

    #[test]
    fn lists_of_deny_toml_are_read() {
        assert_eq!(strings(DENY, "licenses", "allow"), ["MIT", "ISC"]);
        assert_eq!(strings(DENY, "bans", "deny"), ["openssl-sys", "aws-lc-sys"]);
        assert_eq!(strings(DENY, "sources", "allow"), ["elsewhere"]);
        assert!(strings(DENY, "sources", "deny").is_empty());
        assert!(strings(DENY, "nothing", "deny").is_empty());
    }
}
