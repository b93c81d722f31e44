//! Whether there is a BOT.toml here, and whether it is TOML.

use std::{fs::File, io::ErrorKind, io::Read, path::Path};

use wechaty_catalogue::Args;

use super::{Check, Found};

/// A larger file is no configuration.
const LONGEST: u64 = 1 << 20;

pub(super) fn check(path: &Path) -> Check {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text)) {
        Ok(_) => parsed(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Check::ok("config", Found::Text("doctor-config-none", Args::new()))
        }
        Err(error) => Check::fail("config", Found::Plain(error.to_string()), "W152"),
    }
}

fn parsed(text: &str) -> Check {
    let text = text.trim_start_matches('\u{feff}');
    match text.parse::<toml::Table>() {
        Ok(_) => Check::ok("config", Found::Text("doctor-config-parses", Args::new())),
        Err(error) => {
            // The message only: the line that toml shows with it may hold a secret.
            let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            let args = Args::new().set("line", line.to_string()).set("why", error.message().replace('\n', ", "));
            Check::fail("config", Found::Text("doctor-config-broken", args), "W152")
        }
    }
}

#[cfg(test)]
mod tests {
    use wechaty_catalogue::Lang;

    use super::{super::State, *};

    #[test]
    fn a_broken_file_is_told_with_its_line_and_without_what_it_holds() {
        let check = parsed("version = 1\r\napp_secret = \"s3cret\r\n");
        let told = check.found(Lang::En);
        assert!(check.state == State::Fail && told.contains('2') && !told.contains("s3cret"), "{told}");
        assert_eq!(parsed("\u{feff}version = 1\r\n").state, State::Ok);
        assert_eq!(super::check(Path::new("no-such-folder/BOT.toml")).state, State::Ok);
    }
}
