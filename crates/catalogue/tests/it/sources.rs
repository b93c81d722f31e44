//! The Rust sources of the workspace, where codes and keys are used; the catalogue's own are left out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// Paths and texts of every Rust file below `crates` and `puppets` that is part of a program.
pub(crate) fn all() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for part in ["crates", "puppets"] {
        for package in fs::read_dir(root.join(part)).expect("the folder of packages") {
            let package = package.expect("an entry").path();
            if package.file_name().is_some_and(|name| name != "catalogue") {
                walk(&package.join("src"), &mut found);
            }
        }
    }
    assert!(found.len() > 50, "only {} sources were found", found.len());
    found
}

fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            found.push((path, text));
        }
    }
}

/// Codes, and a file that uses each. What stands in tests does not count as use.
pub(crate) fn codes() -> BTreeMap<String, PathBuf> {
    let code = Regex::new(r#""([WC]\d{3})""#).expect("a good expression");
    let mut found = BTreeMap::new();
    for (path, text) in all() {
        let program = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for hit in code.captures_iter(program) {
            found.insert(hit[1].to_owned(), path.clone());
        }
    }
    found
}
