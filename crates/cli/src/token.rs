//! `wechaty token`: the tokens of the puppet service, `<server name>_<UUID v4>`.
//!
//! The server name is everything before the last `_`: clients check the gateway's certificate for it (TLS server name
//! indication), and refuse a token without one. A token is a secret: of the part that makes it one nothing is shown.

use std::{borrow::Cow, io::Read};

use uuid::{Uuid, Version};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_grpc::token;

use crate::{
    args::{TokenArgs, TokenCommand},
    discover,
    failure::Failure,
    output,
};

/// What clients take when nobody chose a name; it promises no check of the certificate.
const INSECURE: &str = "insecure";
/// The longest token that is read.
const LONGEST: u64 = 4096;

pub(crate) fn run(args: TokenArgs, lang: Lang) -> Result<(), Failure> {
    match args.what {
        TokenCommand::Generate { sni } => output::print(&(generate(&sni)? + "\n")),
        TokenCommand::Inspect { token } => output::print(&inspect(&read(&token)?, lang)?),
        TokenCommand::Discover(args) => discover::run(args, lang),
    }
}

/// The token, or for `-` the one on standard input; without what comes along when it is copied from a web page.
pub(crate) fn read(token: &str) -> Result<String, Failure> {
    let mut token = Cow::Borrowed(token);
    if token.trim() == "-" {
        let mut read = String::new();
        let input = std::io::stdin().lock().take(LONGEST).read_to_string(&mut read);
        input.map_err(|error| Failure::failed("W111").source(&error))?;
        token = Cow::Owned(read);
    }
    Ok(trimmed(&token).to_owned())
}

fn trimmed(token: &str) -> &str {
    token.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}'))
}

fn generate(name: &str) -> Result<String, Failure> {
    token::generate(name).ok_or_else(|| Failure::usage("W132").set("name", name.trim().to_lowercase()))
}

/// What each part of a token means.
fn inspect(token: &str, lang: Lang) -> Result<String, Failure> {
    let (name, secret) = split(token)?;
    let sni = name.to_lowercase();
    let say = |key: &str, args: Args| text(lang, key, &args) + "\n";
    let mut told = say("token-sni", Args::new().set("sni", &*sni));
    told += &*match sni.as_str() {
        INSECURE => say("token-insecure", Args::new()),
        "uuid" => say("token-uuid-name", Args::new()),
        _ => say("token-named", Args::new().set("sni", &*sni)),
    };
    if name != sni {
        told += &*say("token-lowercased", Args::new());
    }
    told += &*say("token-secret", Args::new());
    if secret.get_version() != Some(Version::Random) {
        told += &*say("token-guessable", Args::new());
    }
    told += &*say("token-keep", Args::new());
    Ok(told)
}

/// Server name and UUID, or what is wrong.
pub(crate) fn split(token: &str) -> Result<(&str, Uuid), Failure> {
    let malformed = |why: &'static str| Err(Failure::usage("W131").tell(why, Args::new()));
    let token = trimmed(token);
    if token.is_empty() {
        return malformed("token-is-empty");
    }
    if token.starts_with(['"', '\'', '“', '‘']) {
        return malformed("token-has-quotes");
    }
    if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return malformed("token-has-spaces");
    }
    if !token.is_ascii() {
        return malformed("token-is-not-ascii");
    }
    let (name, secret) = match token.rsplit_once('_') {
        Some(("", _)) | None if is_uuid(token.trim_start_matches('_')).is_some() => {
            return malformed("token-has-no-name");
        }
        Some(("", _)) | None => return malformed("token-has-no-underscore"),
        Some(parts) => parts,
    };
    match is_uuid(secret) {
        Some(uuid) => Ok((name, uuid)),
        None if secret.is_empty() => malformed("token-ends-early"),
        None => malformed("token-has-no-uuid"),
    }
}

/// With hyphens, as everybody writes them, or 32 digits, as some services do.
fn is_uuid(text: &str) -> Option<Uuid> {
    [32, 36].contains(&text.len()).then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

    fn wrong(token: &str) -> String {
        inspect(token, Lang::En).expect_err("malformed").render(Lang::En, false)
    }

    #[test]
    fn a_generated_token_is_understood() {
        let token = generate(" Puppet_School ").expect("a good name");
        let (name, secret) = split(&token).expect("a good token");
        assert_eq!((name, secret.get_version()), ("puppet_school", Some(Version::Random)));
        for name in ["", "a b", "学校", "_a", "a_", &"a".repeat(64)] {
            assert!(generate(name).is_err(), "{name}");
        }
    }

    #[test]
    fn each_part_is_explained_and_the_secret_not_shown() {
        let told = inspect(&format!("\u{feff}  Puppet_Padlocal_{UUID}\u{3000}\n"), Lang::En).expect("good");
        assert!(told.contains("puppet_padlocal"), "{told}");
        for part in UUID.as_bytes().windows(4) {
            assert!(!told.contains(&*String::from_utf8_lossy(part)), "{told}");
        }
        let told = inspect(&format!("insecure_{UUID}"), Lang::Zh).expect("good");
        assert!(told.contains("insecure") && told.contains("证书"), "{told}");
        assert!(inspect(&format!("a_{}", UUID.replace('-', "")), Lang::En).is_ok());
        let told = inspect("a_2d24f2c8-8f1a-11ee-b9d1-0242ac120002", Lang::En).expect("good");
        assert!(told.contains("guess"), "{told}");
    }

    #[test]
    fn what_is_wrong_is_said_plainly_and_without_the_token() {
        for (token, word) in [
            ("", "empty"),
            (UUID, "no server name"),
            (&format!("_{UUID}"), "no server name"),
            ("hello", "no `_`"),
            ("insecure_", "ends after"),
            ("insecure_123", "no UUID"),
            (&format!("\"insecure_{UUID}\""), "quotation marks"),
            ("insecure_1b9d6bcd bbfd", "space"),
            (&format!("insecure＿{UUID}"), "full-width"),
        ] {
            let told = wrong(token);
            assert!(told.contains("[W131]") && told.contains(word), "{token}: {told}");
            assert!(!told.contains("1b9d6bcd"), "{told}");
        }
    }
}
