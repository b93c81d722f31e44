//! Whether there is a BOT.toml here, and what is wrong with it.

use std::path::Path;

use wechaty_catalogue::Args;
use wechaty_config::{Config, Env};

use super::{Check, Found, State};

/// So many faults are shown; `wechaty config check` tells all.
const SHOWN: usize = 10;

pub(super) fn check(path: &Path, env: &Env) -> Vec<Check> {
    // A link that leads nowhere is a file that cannot be read.
    if std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return vec![Check::ok("config", Found::Text("doctor-config-none", Args::new()))];
    }
    let problems = Config::check(path, env);
    if problems.is_empty() {
        return vec![Check::ok("config", Found::Text("doctor-config-fine", Args::new()))];
    }
    let more = problems.len().saturating_sub(SHOWN);
    let told = problems.into_iter().take(SHOWN).map(|problem| {
        let code = problem.code.as_str();
        Check::fail("config", Found::Fault(Box::new(problem)), code)
    });
    let more = (more > 0).then(|| {
        let count = Args::new().set("count", more.to_string());
        Check {
            id: "config",
            state: State::Warn,
            found: Found::Text("doctor-config-more", count),
            code: None,
            values: None,
        }
    });
    told.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use wechaty_catalogue::Lang;

    use super::*;

    #[test]
    fn a_broken_file_is_told_with_its_line_and_without_what_it_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("BOT.toml");
        let checks = |text: &str| {
            std::fs::write(&path, text).expect("written");
            check(&path, &Env::of::<&str, &str>([]))
        };
        let broken = checks("version = 1\r\napp_secret = \"s3cret\r\n");
        let told = broken[0].found(Lang::En);
        assert!(broken[0].state == State::Fail && told.contains("BOT.toml:2:") && !told.contains("s3cret"), "{told}");
        let fine = checks("\u{feff}version = 1\r\n[[account]]\r\nid = \"a\"\r\npuppet = \"terminal\"\r\n");
        assert_eq!(fine.iter().map(|check| check.state).collect::<Vec<_>>(), [State::Ok]);
        let none = check(Path::new("no-such-folder/BOT.toml"), &Env::system());
        assert_eq!(none[0].state, State::Ok);
    }
}
