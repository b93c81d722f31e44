//! The migration map: where each public name of Wechaty in TypeScript is in Rust. The names are compared with the npm
//! package, and every path is looked up by the compiler.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{Report, checked};
use crate::{
    context::Context,
    peers,
    process::{Done, Job},
};

/// What is installed: the package whose names they are, and the compiler that reads them.
const PACKAGES: &[(&str, &str)] = &[("wechaty", "1.20.2"), ("typescript", "5.9.3")];

/// The names, as the script printed them when they were last looked at.
const NAMES: &str = "docs/migration/typescript-names.txt";

/// The map.
const MAP: &str = "docs/migration/typescript.toml";

/// Errors that only say that something generic was named without its types.
const GENERIC: &[&str] = &["E0107", "E0282", "E0283", "E0284", "E0790"];

const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Names against the package, names against the map, paths against the build.
pub(crate) fn run(cx: &Context, report: &mut Report) -> Result<()> {
    let built = cx.built.get().context("nothing was built")?;
    let names = names(&read(&cx.root.join(NAMES))?);
    let map = Map::parse(&read(&cx.root.join(MAP))?)?;
    let package = || Ok(differ(&names, &names_of_package(cx)?, "typescript-names.txt", "the npm package"));
    let paths = || map.broken_paths(&cx.scratch("migration")?, &built.libraries);
    let row = checked(
        "migration",
        [
            ("the names are those of the npm package".to_owned(), package()),
            ("every name is in the map, and no other".to_owned(), Ok(map.faults(&names))),
            ("every path in the map exists and is public".to_owned(), paths()),
        ],
    );
    report.add(row.note(map.summary()));
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn names(text: &str) -> BTreeSet<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Asks the TypeScript compiler, after installing it and the package where they are not yet.
fn names_of_package(cx: &Context) -> Result<BTreeSet<String>> {
    let folder = peers::npm(cx, "migration", PACKAGES)?;
    let mut node = Command::new("node");
    node.arg(cx.root.join("xtask").join("scripts").join("typescript-names.mjs")).arg(&folder);
    Ok(names(&String::from_utf8_lossy(&peers::finished(node)?.stdout)))
}

/// What is in one set only.
fn differ(a: &BTreeSet<String>, b: &BTreeSet<String>, name_of_a: &str, name_of_b: &str) -> Vec<String> {
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>, here: &str, there: &str| -> Vec<String> {
        a.difference(b).map(|name| format!("`{name}` is in {here}, but not in {there}")).collect()
    };
    [only(a, b, name_of_a, name_of_b), only(b, a, name_of_b, name_of_a)].concat()
}

/// Where a name is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Paths(Vec<String>),
    Reason(String),
}

/// docs/migration/typescript.toml.
struct Map(BTreeMap<String, Place>);

impl Map {
    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().with_context(|| format!("{MAP} cannot be read"))?;
        let places = table.into_iter().map(|(name, value)| {
            let place = place(&value).with_context(|| format!("`{name}` has neither paths nor a reason"))?;
            Ok((name, place))
        });
        Ok(Self(places.collect::<Result<_>>()?))
    }

    fn summary(&self) -> String {
        let paths = self.0.values().filter(|place| matches!(place, Place::Paths(_))).count();
        format!("{paths} names have a path in Rust, {} a reason why not", self.0.len() - paths)
    }

    fn faults(&self, names: &BTreeSet<String>) -> Vec<String> {
        differ(names, &self.0.keys().cloned().collect(), "typescript-names.txt", "typescript.toml")
    }

    /// Each path once, with the names that lead there.
    fn paths(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, place) in &self.0 {
            let Place::Paths(found) = place else { continue };
            for path in found {
                paths.entry(path).or_default().push(name);
            }
        }
        paths
    }

    /// Writes a crate that links and uses every path, and has it read by rustdoc (what is not there) and by rustc (what
    /// is not public, which rustdoc does not see). The crates it depends on are those already built.
    fn broken_paths(&self, folder: &Path, libraries: &BTreeMap<String, PathBuf>) -> Result<Vec<String>> {
        let paths = self.paths();
        let fault = |path: &str, what: &str| format!("`{path}`, where {} should be, {what}", paths[path].join(", "));
        let source = folder.join("lib.rs");
        let links: Vec<String> = paths.keys().map(|path| format!("//! [`{path}`]\n")).collect();
        fs::write(&source, links.concat())?;
        let mut rustdoc = compiler("rustdoc", "RUSTDOC", folder, libraries)?;
        rustdoc.args(["--deny", "rustdoc::broken_intra_doc_links", "--out-dir"]).arg(folder.join("doc")).arg(&source);
        let wrong = errors(&Job::new(rustdoc, LIMIT).run()?)?;
        let path_at = |line: usize| paths.keys().nth(line - 1).copied();
        let missing: BTreeSet<&str> = wrong.keys().filter_map(|line| path_at(*line)).collect();
        ensure!(missing.len() == wrong.len(), "rustdoc complains about no path: {wrong:?}");
        let mut faults: Vec<String> = missing.iter().map(|path| fault(path, "does not exist")).collect();

        // Two lines for each: one works for a function, the other for a field.
        let members: Vec<&str> =
            paths.keys().copied().filter(|path| !missing.contains(path) && is_member(path)).collect();
        let uses = members.iter().enumerate().map(|(n, path)| {
            let (owner, name) = path.rsplit_once("::").unwrap_or_default();
            format!("pub fn a{n}() {{ let _ = {path}; }}\npub fn b{n}(it: {owner}) {{ let _ = &it.{name}; }}\n")
        });
        fs::write(&source, uses.collect::<String>())?;
        let mut rustc = compiler("rustc", "RUSTC", folder, libraries)?;
        rustc.args(["--emit", "metadata", "--cap-lints", "allow", "--out-dir"]).arg(folder.join("meta")).arg(&source);
        let wrong = errors(&Job::new(rustc, LIMIT).run()?)?;
        for (n, path) in members.iter().enumerate() {
            let works = |line: usize| wrong.get(&line).is_none_or(|codes| codes.iter().all(|code| is_generic(code)));
            if !works(2 * n + 1) && !works(2 * n + 2) {
                faults.push(fault(path, "is not public"));
            }
        }
        Ok(faults)
    }
}

fn place(value: &toml::Value) -> Option<Place> {
    let text = |value: &toml::Value| value.as_str().map(str::to_owned).filter(|text| !text.trim().is_empty());
    match value {
        toml::Value::String(_) => Some(Place::Paths(vec![text(value)?])),
        toml::Value::Array(paths) if !paths.is_empty() => {
            Some(Place::Paths(paths.iter().map(text).collect::<Option<_>>()?))
        }
        toml::Value::Table(table) if table.len() == 1 => Some(Place::Reason(text(table.get("reason")?)?)),
        _ => None,
    }
}

/// `a::Type::member`, by the case of the names; not a variant, nor a field of one.
fn is_member(path: &str) -> bool {
    let is_type = |part: Option<&str>| part.is_some_and(|part| part.starts_with(char::is_uppercase));
    let mut parts = path.rsplit("::");
    !is_type(parts.next()) && is_type(parts.next()) && !is_type(parts.next())
}

fn is_generic(code: &str) -> bool {
    GENERIC.contains(&code)
}

fn compiler(name: &str, variable: &str, folder: &Path, libraries: &BTreeMap<String, PathBuf>) -> Result<Command> {
    let mut command = Command::new(env::var_os(variable).unwrap_or_else(|| name.into()));
    command.args(["--edition", "2024", "--crate-type", "lib", "--crate-name", "migration", "--error-format", "json"]);
    let mut folders = BTreeSet::new();
    for (name, library) in libraries {
        command.arg("--extern").arg(format!("{name}={}", library.display()));
        let above = library.parent().with_context(|| format!("{} is in no folder", library.display()))?;
        folders.insert(if above.ends_with("deps") { above.to_owned() } else { above.join("deps") });
    }
    for folder in folders {
        command.arg("-L").arg(format!("dependency={}", folder.display()));
    }
    command.current_dir(folder);
    Ok(command)
}

/// The codes of the errors of a compiler, by line. Every error must be about a line.
fn errors(done: &Done) -> Result<BTreeMap<usize, Vec<String>>> {
    let mut errors: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let messages = String::from_utf8_lossy(&done.stderr).into_owned();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        // The last error only counts the others.
        if message["level"] != "error" || message["message"].as_str().is_some_and(|text| text.starts_with("aborting")) {
            continue;
        }
        let Some(line) = message["spans"][0]["line_start"].as_u64() else { bail!("{}", message["rendered"]) };
        errors
            .entry(usize::try_from(line)?)
            .or_default()
            .push(message["code"]["code"].as_str().unwrap_or("").to_owned());
    }
    ensure!(done.ok() || !errors.is_empty(), "{}", done.report());
    Ok(errors)
}

#[cfg(test)]
mod unit {
    use super::*;

    fn committed(path: &str) -> String {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
    }

    #[test]
    fn every_name_of_wechaty_is_in_the_map_and_no_other() {
        let names = names(&committed(NAMES));
        assert!(names.len() > 800, "{}", names.len());
        assert_eq!(Map::parse(&committed(MAP)).unwrap().faults(&names), Vec::<String>::new());
    }

    #[test]
    fn a_missing_name_and_one_too_many_are_found() {
        let map = Map::parse("\"A.b\" = \"a::B\"\n\"A.gone\" = { reason = \"no use\" }").unwrap();
        let faults = map.faults(&names("A.b\n\nA.c\n"));
        let expected = [
            "`A.c` is in typescript-names.txt, but not in typescript.toml",
            "`A.gone` is in typescript.toml, but not in typescript-names.txt",
        ];
        assert_eq!(faults, expected);
        assert_eq!(map.summary(), "1 names have a path in Rust, 1 a reason why not");
    }

    #[test]
    fn a_name_without_path_and_reason_is_refused() {
        for value in ["\"\"", "[]", "[\" \"]", "{}", "{ reason = \"\" }", "{ why = \"x\" }", "1"] {
            let error = Map::parse(&format!("\"A.b\" = {value}")).map(|map| map.0).unwrap_err();
            assert!(error.to_string().contains("`A.b`"), "{value}: {error}");
        }
    }

    #[test]
    fn members_are_told_from_other_paths() {
        for (path, expected) in [
            ("wechaty::user::Contact::alias", true),
            ("wechaty::user::Contact", false),
            ("wechaty::types", false),
            ("wechaty::puppet::from_env", false),
            ("wechaty::types::MessageType::Text", false),
            ("wechaty::types::PostContent::Server::id", false),
        ] {
            assert_eq!(is_member(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_does_not_exist_or_is_private_is_found() {
        let folder = env::temp_dir().join(format!("wechaty-migration-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let text = r#"
            "a" = ["std::vec::Vec::push", "std::option::Option::Some", "std::ops::Range::start", "std::iter::Iterator::map"]
            "b" = ["std::vec::Vec::psuh", "std::vec::Vec::buf", "std::string::String::vec"]
        "#;
        let faults = Map::parse(text).unwrap().broken_paths(&folder, &BTreeMap::new());
        fs::remove_dir_all(&folder).unwrap();
        let expected = [
            "`std::vec::Vec::psuh`, where b should be, does not exist",
            "`std::string::String::vec`, where b should be, is not public",
            "`std::vec::Vec::buf`, where b should be, is not public",
        ];
        assert_eq!(faults.unwrap(), expected);
    }
}
