//! EMBED: files that are compiled in: texts, pages, templates, documents. They are packed, for a program should not be
//! larger than what it does; whoever needs one unpacks it.
//!
//! A build script names them, and the crate includes what comes of it:
//!
//! ```ignore
//! wechaty_embed::folder("FILES", "assets"); // build.rs
//! include!(concat!(env!("OUT_DIR"), "/FILES.rs")); // src: const FILES: &[(&str, &[u8])]
//! let page = wechaty_embed::unpack(FILES[0].1);
//! ```

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// The level of miniz that packs best; it takes a moment when something is built.
const BEST: u8 = 10;

/// For a build script: packs every file of a folder and of those in it. `TABLE.rs` in `OUT_DIR` then has a constant of that
/// name: their paths below the folder and their packed bytes, in the order of the paths.
///
/// # Panics
/// Where a file cannot be read or written: a build ends there.
pub fn folder(table: &str, folder: &str) {
    let folder = package().join(folder);
    let mut code = format!("const {table}: &[(&str, &[u8])] = &[\n");
    for file in files(&folder) {
        let name =
            file.strip_prefix(&folder).expect("it is below").to_str().expect("a name in UTF-8").replace('\\', "/");
        let packed = bytes(&format!("{table}/{name}"), &read(&file));
        writeln!(code, "    ({name:?}, include_bytes!({packed:?})),").expect("a string takes everything");
    }
    code.push_str("];\n");
    fs::write(out().join(format!("{table}.rs")), code).expect("the output folder is writable");
}

/// For a build script: packs a file; it is in `OUT_DIR` under its name.
///
/// # Panics
/// As [`folder`].
pub fn file(path: &str) {
    let path = package().join(path);
    let name = path.file_name().expect("a file has a name").to_str().expect("a name in UTF-8");
    bytes(name, &read(&path));
}

/// For a build script: packs what it has made; it is in `OUT_DIR` under this name.
///
/// # Panics
/// As [`folder`].
pub fn bytes(name: &str, bytes: &[u8]) -> PathBuf {
    let packed = out().join(name);
    fs::create_dir_all(packed.parent().expect("it is in a folder")).expect("the output folder is writable");
    fs::write(&packed, miniz_oxide::deflate::compress_to_vec(bytes, BEST)).expect("the output folder is writable");
    packed
}

/// What was packed, as it was.
///
/// # Panics
/// If a build script did not pack it.
pub fn unpack(packed: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec(packed).expect("a build script packed it")
}

/// A text that was packed.
///
/// # Panics
/// As [`unpack`], and if it is not UTF-8.
pub fn text(packed: &[u8]) -> String {
    String::from_utf8(unpack(packed)).expect("a text in UTF-8")
}

fn read(file: &Path) -> Vec<u8> {
    println!("cargo::rerun-if-changed={}", file.display());
    fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Every file below the folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry of a folder").path()) {
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn package() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it").into()
}

fn out() -> PathBuf {
    env::var_os("OUT_DIR").expect("cargo sets it").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_as_it_was_and_is_smaller() {
        let texts = ["", "課程表", &"a page, a page\n".repeat(9_000)];
        for text in texts {
            let packed = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), BEST);
            assert_eq!(super::text(&packed), text);
            assert!(packed.len() <= text.len() + 8);
        }
    }
}
