//! Which language the user reads: `--lang`, else the environment.

use std::ffi::OsString;

use wechaty_catalogue::Lang;

/// Looked for before the command line is understood, so that what is wrong with it is told in that language.
pub(crate) fn early(args: &[OsString], env: impl Fn(&str) -> Option<String>) -> Lang {
    let mut found = None;
    let mut words = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default());
    while let Some(word) = words.next() {
        match word.strip_prefix("--lang") {
            Some("") => found = words.next().and_then(Lang::of_tag).or(found),
            Some(value) => found = value.strip_prefix('=').and_then(Lang::of_tag).or(found),
            None if word == "--" => break,
            None => {}
        }
    }
    found.unwrap_or_else(|| Lang::of_env(env))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_over_the_environment_wherever_it_stands() {
        let of = |line: &str| {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            early(&args, |name| (name == "LANG").then(|| "zh_CN.UTF-8".to_owned()))
        };
        assert_eq!(of("wechaty run"), Lang::Zh);
        assert_eq!(of("wechaty --lang en run"), Lang::En);
        assert_eq!(of("wechaty run --lang=en"), Lang::En);
        assert_eq!(of("wechaty run --lang"), Lang::Zh);
        assert_eq!(of("wechaty run -- --lang en"), Lang::Zh);
    }
}
