//! The README's BOT.toml is a good one.

use std::{fs, path::Path};

use wechaty_config::{Config, Env};

#[test]
fn the_readmes_bots_are_fine() {
    for file in ["README.md", "README.zh.md"] {
        let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).expect(file);
        let block = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a BOT.toml");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(Config::FILE);
        fs::write(&path, block).expect("written");
        let problems = Config::check(&path, &Env::of::<&str, &str>([]));
        assert!(problems.is_empty(), "{file}: {problems}");
    }
}
