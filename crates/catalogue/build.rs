//! Embeds every `locales/<language>/*.ftl`: a new file needs no line of code.

use std::{env, fmt::Write as _, fs, path::PathBuf};

fn main() {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut code = String::new();
    for (name, language) in [("EN", "en"), ("ZH", "zh")] {
        let folder = package.join("locales").join(language);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("the folder of a language")
            .map(|entry| entry.expect("an entry of the folder").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ftl"))
            .collect();
        files.sort();
        writeln!(code, "const {name}: &[(&str, &str)] = &[").expect("a string takes everything");
        for file in files {
            println!("cargo::rerun-if-changed={}", file.display());
            let stem = file.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
            writeln!(code, "    ({stem:?}, include_str!({:?})),", file.display().to_string())
                .expect("a string takes everything");
        }
        code.push_str("];\n");
    }
    fs::write(out.join("files.rs"), code).expect("the output folder is writable");
}
