//! The names of a project, from the name of its folder.

use std::path::Path;

/// The longest name that is kept whole.
const LONGEST: usize = 64;

/// Names that Cargo or Rust refuse, or that belong to what the project depends on.
const TAKEN: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "where",
    "while",
    "abstract",
    "become",
    "box",
    "do",
    "final",
    "gen",
    "macro",
    "override",
    "priv",
    "try",
    "typeof",
    "unsized",
    "virtual",
    "yield",
    "test",
    "core",
    "std",
    "alloc",
    "proc-macro",
    "build",
    "deps",
    "examples",
    "incremental",
    "con",
    "prn",
    "aux",
    "nul",
    "serde",
    "serde-json",
    "tokio",
    "parking-lot",
    "wechaty",
    "wechaty-puppet",
    "wechaty-puppet-testkit",
];

/// Every name a template needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Of the package: `my-bot`.
    pub(super) package: String,
    /// Of the library: `my_bot`.
    pub(super) library: String,
    /// Of a type: `MyBot`.
    pub(super) type_name: String,
}

impl Name {
    /// From the last part of a path; `.` is the current folder. `None`: nothing of it can be a name.
    pub(super) fn of_folder(folder: &Path) -> Option<Self> {
        let resolved = match folder.file_name() {
            Some(_) => folder.to_owned(),
            None => std::fs::canonicalize(folder).ok()?,
        };
        Self::of(&resolved.file_name()?.to_string_lossy())
    }

    fn of(text: &str) -> Option<Self> {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
        let text: String = text.chars().take(LONGEST).map(plain).collect();
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let first = words.first()?;
        if first.starts_with(|c: char| c.is_ascii_digit()) {
            words.insert(0, "bot");
        }
        if TAKEN.contains(&words.join("-").as_str()) {
            words.insert(0, "my");
        }
        let type_name = words.iter().map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        Some(Self { package: words.join("-"), library: words.join("_"), type_name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_what_cargo_takes() {
        let of = |text| Name::of(text).map(|name| name.package);
        assert_eq!(of("Front Desk_2").as_deref(), Some("front-desk-2"));
        assert_eq!(of("3rd-try").as_deref(), Some("bot-3rd-try"));
        assert_eq!(of("wechaty").as_deref(), Some("my-wechaty"));
        assert_eq!(of("async").as_deref(), Some("my-async"));
        assert_eq!(of("客服 desk!").as_deref(), Some("desk"));
        assert_eq!(of("客服"), None);
        assert_eq!(of("\"; rm -rf ~"), Some("rm-rf".to_owned()));
        let name = Name::of("school-desk").expect("a name");
        assert_eq!((name.library.as_str(), name.type_name.as_str()), ("school_desk", "SchoolDesk"));
        assert_eq!(Name::of(&"é1".repeat(99)).map(|name| name.package.len() < 80), Some(true));
    }
}
