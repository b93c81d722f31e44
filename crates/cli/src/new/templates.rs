//! The files of each template, embedded. A name that ends with `.in` loses that: tools would take the files for their own.

use crate::args::Template;

macro_rules! template {
    ($folder:literal: $($file:literal $(as $name:literal)?),* $(,)?) => {
        &[$((template!(@name $file $($name)?), include_str!(concat!("../../templates/", $folder, "/", $file)))),*]
    };
    (@name $file:literal) => { $file };
    (@name $file:literal $name:literal) => { $name };
}

/// Paths below the project's folder, and contents with placeholders.
pub(super) const fn files(template: Template) -> &'static [(&'static str, &'static str)] {
    match template {
        Template::Config => CONFIG,
        Template::Rust => RUST,
        Template::Plugin => PLUGIN,
        Template::Puppet => PUPPET,
    }
}

const CONFIG: &[(&str, &str)] = template! {
    "config":
    "BOT.toml.in" as "BOT.toml",
    "README.md.in" as "README.md",
    "gitignore.in" as ".gitignore",
    "world.json",
    "expected.jsonl",
};

const RUST: &[(&str, &str)] = template! {
    "rust":
    "Cargo.toml.in" as "Cargo.toml",
    "README.md.in" as "README.md",
    "gitignore.in" as ".gitignore",
    "src/main.rs",
};

const PLUGIN: &[(&str, &str)] = template! {
    "plugin":
    "Cargo.toml.in" as "Cargo.toml",
    "README.md.in" as "README.md",
    "gitignore.in" as ".gitignore",
    "src/lib.rs.in" as "src/lib.rs",
    "tests/it/main.rs.in" as "tests/it/main.rs",
    "examples/try.rs.in" as "examples/try.rs",
};

const PUPPET: &[(&str, &str)] = template! {
    "puppet":
    "Cargo.toml.in" as "Cargo.toml",
    "README.md.in" as "README.md",
    "gitignore.in" as ".gitignore",
    "src/lib.rs.in" as "src/lib.rs",
    "src/messenger.rs",
    "tests/it/main.rs.in" as "tests/it/main.rs",
};
