//! CONNECT: what somebody types so that a bot in their language comes to this gateway. The one place that tells a token,
//! on purpose: to whoever started the gateway.
//!
//! Lines are for a POSIX shell, but for Java, which reads no variables. Notes are keys of the catalogue.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use wechaty_grpc::token;

/// The name that a certificate is asked for where the token has none.
const NAMELESS: &str = "insecure";

/// How the gateway proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Without TLS.
    Off,
    /// By the authority of this host, whose certificate lies here.
    Authority(PathBuf),
    /// By the operator's own certificate.
    Own,
}

/// The language of a bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// `wechaty` on npm.
    TypeScript,
    /// `wechaty` on PyPI.
    Python,
    /// `go-wechaty`.
    Go,
    /// `java-wechaty`.
    Java,
    /// Ours.
    Rust,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TypeScript, Self::Python, Self::Go, Self::Java, Self::Rust];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TypeScript => "TypeScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::Rust => "Rust",
        }
    }

    /// Whether its SDK can speak TLS at all.
    const fn speaks_tls(self) -> bool {
        matches!(self, Self::TypeScript | Self::Rust)
    }

    /// Whether its SDK refuses a token that names no server.
    const fn wants_name(self) -> bool {
        matches!(self, Self::TypeScript | Self::Go | Self::Rust)
    }
}

/// Where a gateway is, and what it wants.
pub struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    /// The account's token.
    pub token: String,
    /// With TLS or without.
    pub encryption: Encryption,
    /// Whether who sends no token is let in.
    pub anonymous: bool,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("address", &self.address)
            .field("encryption", &self.encryption)
            .field("anonymous", &self.anonymous)
            .finish_non_exhaustive()
    }
}

/// What one language needs.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Which one.
    pub language: Language,
    /// To copy, the token in them. None: it cannot come, and the notes say why.
    pub lines: Vec<String>,
    /// What else there is to know: keys of the catalogue.
    pub notes: Vec<&'static str>,
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.len();
        f.debug_struct("Recipe")
            .field("language", &self.language)
            .field("lines", &lines)
            .field("notes", &self.notes)
            .finish()
    }
}

impl Door {
    /// For every language, in the order of [`Language::ALL`].
    pub fn recipes(&self) -> Vec<Recipe> {
        Language::ALL.map(|language| self.recipe(language)).into()
    }

    /// What all languages have to know: keys of the catalogue.
    pub fn notes(&self) -> Vec<&'static str> {
        let ip = self.address.ip().to_canonical();
        let mut notes = Vec::new();
        if self.encryption == Encryption::Off {
            notes.push("connect-in-the-clear");
        }
        if ip.is_loopback() {
            notes.push("connect-loopback");
        }
        if ip.is_unspecified() {
            notes.push("connect-other-machine");
        }
        notes
    }

    /// Where clients on this machine find it.
    pub fn endpoint(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port()).to_string()
    }

    fn recipe(&self, language: Language) -> Recipe {
        let mut recipe = Recipe { language, lines: Vec::new(), notes: Vec::new() };
        if self.encryption != Encryption::Off && !language.speaks_tls() {
            recipe.notes.push("connect-needs-no-tls");
        } else if language == Language::Java {
            recipe.lines = self.java();
        } else {
            recipe.lines = self.variables(language);
        }
        if language == Language::Java && !self.anonymous {
            recipe.notes.push("connect-needs-anonymous");
        }
        if self.encryption == Encryption::Own && language.speaks_tls() {
            recipe.notes.push("connect-own-certificate");
        }
        recipe
    }

    fn variables(&self, language: Language) -> Vec<String> {
        let set = |name: &str, value: &str| format!("export {name}={}", quoted(value));
        let puppet = match language {
            Language::TypeScript => Some("wechaty-puppet-service"),
            Language::Rust => Some("service"),
            _ => None,
        };
        let mut lines: Vec<String> = puppet.map(|puppet| set("WECHATY_PUPPET", puppet)).into_iter().collect();
        lines.push(set("WECHATY_PUPPET_SERVICE_TOKEN", &self.token));
        lines.push(set("WECHATY_PUPPET_SERVICE_ENDPOINT", &self.endpoint()));
        if language.wants_name() && token::server_name(&self.token).is_none() {
            lines.push(set("WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME", NAMELESS));
        }
        match &self.encryption {
            Encryption::Off if language.speaks_tls() => {
                lines.push(set("WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT", "true"));
            }
            Encryption::Authority(path) => {
                lines.push(format!("export WECHATY_PUPPET_SERVICE_TLS_CA_CERT=\"$(cat {})\"", quoted_path(path)));
            }
            Encryption::Off | Encryption::Own => {}
        }
        lines
    }

    /// It reads no variables, and sends no token.
    fn java(&self) -> Vec<String> {
        let lines = [
            "PuppetOptions puppetOptions = new PuppetOptions();".to_owned(),
            format!("puppetOptions.setEndPoint(\"{}\");", self.endpoint()),
            "WechatyOptions options = new WechatyOptions();".to_owned(),
            "options.setPuppetOptions(puppetOptions);".to_owned(),
            "Wechaty bot = Wechaty.instance(options);".to_owned(),
        ];
        lines.into()
    }
}

/// For a shell: as it is where that means itself, else in quotes.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@%+=,".contains(c);
    // An address of version 6 has brackets, which some shells take for a pattern.
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A name that begins with a dash is no option.
fn quoted_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    quoted(&if text.starts_with('-') { format!("./{text}") } else { text.into_owned() })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use wechaty_catalogue::{Args, Lang, lookup};

    use super::*;

    const TOKEN: &str = "insecure_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

    fn door(address: &str, encryption: Encryption) -> Door {
        Door { address: address.parse().unwrap(), token: TOKEN.into(), encryption, anonymous: false }
    }

    fn authority() -> Encryption {
        Encryption::Authority("/srv/a bot/it's/ca.pem".into())
    }

    fn of(door: &Door, language: Language) -> Recipe {
        door.recipes().into_iter().find(|recipe| recipe.language == language).unwrap()
    }

    #[test]
    fn typescript_is_told_the_authority_or_to_do_without_tls() {
        let shared = [
            "export WECHATY_PUPPET=wechaty-puppet-service",
            "export WECHATY_PUPPET_SERVICE_TOKEN=insecure_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
            "export WECHATY_PUPPET_SERVICE_ENDPOINT=127.0.0.1:8788",
        ];
        let with = of(&door("0.0.0.0:8788", authority()), Language::TypeScript);
        assert_eq!(with.lines[..3], shared);
        let last = r#"export WECHATY_PUPPET_SERVICE_TLS_CA_CERT="$(cat '/srv/a bot/it'\''s/ca.pem')""#;
        assert_eq!(with.lines[3..], [last]);
        let without = of(&door("127.0.0.1:8788", Encryption::Off), Language::TypeScript);
        assert_eq!(without.lines[..3], shared);
        assert_eq!(without.lines[3..], ["export WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT=true"]);
        assert!(of(&door("127.0.0.1:1", Encryption::Own), Language::Rust).notes.contains(&"connect-own-certificate"));
    }

    #[test]
    fn who_speaks_no_tls_is_told_what_the_gateway_needs() {
        for language in [Language::Python, Language::Go, Language::Java] {
            let recipe = of(&door("127.0.0.1:8788", authority()), language);
            assert!(recipe.lines.is_empty() && recipe.notes.contains(&"connect-needs-no-tls"), "{recipe:?}");
            assert!(!of(&door("127.0.0.1:8788", Encryption::Off), language).lines.is_empty());
        }
        let mut door = door("[::1]:8788", Encryption::Off);
        assert_eq!(of(&door, Language::Java).notes, ["connect-needs-anonymous"]);
        door.anonymous = true;
        let java = of(&door, Language::Java);
        assert!(java.notes.is_empty() && java.lines[1].contains("setEndPoint(\"[::1]:8788\")"));
        assert!(java.lines.iter().all(|line| !line.contains(TOKEN)), "it sends none");
        assert!(
            of(&door, Language::Go).lines.contains(&"export WECHATY_PUPPET_SERVICE_ENDPOINT='[::1]:8788'".to_owned())
        );
    }

    #[test]
    fn a_token_that_names_no_server_gets_a_name_where_that_is_needed() {
        let door = Door { token: "1b9d6bcd".into(), ..door("127.0.0.1:8788", Encryption::Off) };
        for (language, named) in [(Language::TypeScript, true), (Language::Go, true), (Language::Python, false)] {
            let name = "export WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME=insecure".to_owned();
            assert_eq!(of(&door, language).lines.contains(&name), named, "{language:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_takes_the_lines_as_they_are_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's a $HOME `ca`.pem");
        std::fs::write(&path, "the authority").unwrap();
        let door = Door { token: "a'b$c".into(), ..door("[::1]:8788", Encryption::Authority(path)) };
        let asked = "; printf '%s|' \"$WECHATY_PUPPET_SERVICE_TOKEN\" \"$WECHATY_PUPPET_SERVICE_ENDPOINT\" \
                     \"$WECHATY_PUPPET_SERVICE_TLS_CA_CERT\"";
        let script = of(&door, Language::Rust).lines.join("\n") + asked;
        let said = Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout), "a'b$c|[::1]:8788|the authority|");
    }

    #[test]
    fn notes_say_who_can_come_at_all_and_are_in_the_catalogue() {
        assert_eq!(door("127.0.0.1:1", Encryption::Off).notes(), ["connect-in-the-clear", "connect-loopback"]);
        assert_eq!(door("127.0.0.1:1", authority()).notes(), ["connect-loopback"]);
        assert_eq!(door("0.0.0.0:1", Encryption::Off).notes(), ["connect-in-the-clear", "connect-other-machine"]);
        assert_eq!(door("192.0.2.1:1", authority()).notes(), [""; 0]);
        for encryption in [Encryption::Off, Encryption::Own, authority()] {
            for address in ["127.0.0.1:1", "0.0.0.0:1"] {
                let door = door(address, encryption.clone());
                let notes = door.recipes().into_iter().flat_map(|recipe| recipe.notes).chain(door.notes());
                for (note, lang) in notes.flat_map(|note| Lang::ALL.map(|lang| (note, lang))) {
                    assert!(lookup(lang, note, &Args::new()).is_some(), "{note}");
                }
            }
        }
    }

    #[test]
    fn what_is_shown_for_debugging_holds_no_token() {
        let door = door("127.0.0.1:8788", Encryption::Off);
        assert!(!format!("{door:?} {:?}", door.recipes()).contains("1b9d6bcd"));
    }
}
