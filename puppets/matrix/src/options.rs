//! SETTINGS: what can be set, under which names of the environment, and how it is read.

use std::{fmt, path::PathBuf, sync::Arc};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use url::Url;
use wechaty_puppet::{Puppet, Secret, Setting, SettingKind, Settings, SettingsError, Words, phrases};

use crate::MatrixPuppet;

phrases! {
    /// Neither http nor https.
    BAD_HOMESERVER = "matrix-bad-homeserver": "expected the address of a homeserver like https://matrix.org, found {found}";
    /// Everybody on the way would learn the token.
    PLAIN_HOMESERVER = "matrix-plain-homeserver": "plain http is for loopback alone: everybody on the way to {found} would learn the token; use https";
    /// Something else is there.
    NO_HOMESERVER = "matrix-no-homeserver": "what answers at {address} is no homeserver ({how}): give the address of its client API, which {file} may name";
    /// There are three ways to log in, and one is needed.
    NO_LOGIN = "matrix-no-login": "give an access_token (WECHATY_PUPPET_MATRIX_TOKEN, WECHATY_PUPPET_GITTER_TOKEN), or user and password, or a login_token";
    /// A password belongs to somebody.
    NO_USER = "matrix-no-user": "whose password is it? Set user (WECHATY_PUPPET_MATRIX_USER)";
    /// The certificate's text, not a path.
    BAD_CA_CERT = "matrix-bad-ca-cert": "expected the text of a certificate in PEM, from -----BEGIN CERTIFICATE----- on; line breaks may be written as \\n";
    /// Not in this build.
    NO_E2EE = "matrix-no-e2ee": "this build has no encryption: cargo build --release -p wechaty-cli --features full";
    /// Keys that are gone with the process are keys lost.
    NO_STORE = "matrix-no-store": "encryption needs a folder for its keys: set store (WECHATY_PUPPET_MATRIX_STORE)";
    /// There are keys only with encryption.
    NO_KEYS = "matrix-no-keys": "there are no keys without encryption: set e2ee = true, or leave it out";
    /// No alias of a room.
    BAD_ROOM = "matrix-bad-room": "{found} is no room: expected an alias like #nodejs_node:gitter.im, or an id like !id:server";
    /// A whole number within bounds.
    BAD_NUMBER = "matrix-bad-number": "expected a whole number from {least} to {most}, found {found}";
}

/// How to log in where there is no session yet.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    /// A token that somebody has already.
    Token(Secret),
    /// A name and its password.
    Password { user: String, password: Secret },
    /// What single sign-on gives, once.
    Once(Secret),
}

/// Which homeserver, as whom, and how. Made from settings by [`Options::read`].
#[derive(Clone)]
pub struct Options {
    pub(crate) homeserver: Url,
    pub(crate) login: Login,
    pub(crate) device_name: String,
    /// In DER.
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) e2ee: bool,
    #[cfg_attr(not(feature = "e2ee"), expect(dead_code, reason = "for keys alone"))]
    pub(crate) store: Option<PathBuf>,
    /// Opens the backup of keys at the homeserver.
    #[cfg_attr(not(feature = "e2ee"), expect(dead_code, reason = "for keys alone"))]
    pub(crate) recovery_key: Option<Secret>,
    /// Whether to make that backup, where there is none.
    #[cfg_attr(not(feature = "e2ee"), expect(dead_code, reason = "for keys alone"))]
    pub(crate) key_backup: bool,
    pub(crate) rooms: Vec<String>,
    pub(crate) direct_invites: bool,
    pub(crate) file_limit: u64,
    pub(crate) backfill: usize,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("homeserver", &self.homeserver.as_str())
            .field("e2ee", &self.e2ee)
            .finish_non_exhaustive()
    }
}

const fn setting(key: &'static str, kind: SettingKind, env: &'static [&'static str], help: &'static str) -> Setting {
    Setting { key, kind, required: false, default: None, env, help }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        required: true,
        ..setting(
            "homeserver",
            SettingKind::Url,
            &["WECHATY_PUPPET_MATRIX_HOMESERVER"],
            "The homeserver's address, like https://matrix.org; plain http on loopback alone",
        )
    },
    setting(
        "access_token",
        SettingKind::Secret,
        &["WECHATY_PUPPET_MATRIX_TOKEN", "WECHATY_PUPPET_GITTER_TOKEN"],
        "The access token of a session of the bot's own",
    ),
    setting("user", SettingKind::Text, &["WECHATY_PUPPET_MATRIX_USER"], "Who logs in, @user:server or only user"),
    setting(
        "password",
        SettingKind::Secret,
        &["WECHATY_PUPPET_MATRIX_PASSWORD"],
        "The user's password; used once, then the session is kept",
    ),
    setting(
        "login_token",
        SettingKind::Secret,
        &["WECHATY_PUPPET_MATRIX_LOGIN_TOKEN"],
        "What single sign-on gave; good for one login, then the session is kept",
    ),
    Setting {
        default: Some("wechaty"),
        ..setting(
            "device_name",
            SettingKind::Text,
            &["WECHATY_PUPPET_MATRIX_DEVICE_NAME"],
            "What a new session is called in the account's list of devices",
        )
    },
    setting(
        "tls_ca_cert",
        SettingKind::Text,
        &["WECHATY_PUPPET_MATRIX_TLS_CA_CERT"],
        "A certificate in PEM to trust beside those this machine trusts, line breaks may be \\n",
    ),
    Setting {
        default: Some("false"),
        ..setting(
            "e2ee",
            SettingKind::Bool,
            &["WECHATY_PUPPET_MATRIX_E2EE"],
            "Whether to read and write encrypted rooms; needs store",
        )
    },
    setting(
        "store",
        SettingKind::Path,
        &["WECHATY_PUPPET_MATRIX_STORE"],
        "The folder for the keys of encrypted rooms; who has it can read them",
    ),
    setting(
        "recovery_key",
        SettingKind::Secret,
        &["WECHATY_PUPPET_MATRIX_RECOVERY_KEY"],
        "The recovery key or passphrase of the account's key backup; what was said before the bot's device is read by it",
    ),
    Setting {
        default: Some("false"),
        ..setting(
            "key_backup",
            SettingKind::Bool,
            &["WECHATY_PUPPET_MATRIX_KEY_BACKUP"],
            "Whether to make a key backup at the homeserver where there is none; its recovery key lies in store, or is recovery_key",
        )
    },
    setting(
        "rooms",
        SettingKind::Text,
        &["WECHATY_PUPPET_MATRIX_ROOMS"],
        "Rooms to join, separated by commas, like #nodejs_node:gitter.im",
    ),
    Setting {
        default: Some("true"),
        ..setting(
            "direct_invites",
            SettingKind::Bool,
            &["WECHATY_PUPPET_MATRIX_DIRECT_INVITES"],
            "Whether anybody may open a one-to-one conversation; without it, that is a room invitation",
        )
    },
    Setting {
        default: Some("104857600"),
        ..setting(
            "file_limit",
            SettingKind::Integer,
            &["WECHATY_PUPPET_MATRIX_FILE_LIMIT"],
            "Largest file in bytes, either way; the homeserver's own limit counts, too",
        )
    },
    Setting {
        default: Some("2000"),
        ..setting(
            "backfill",
            SettingKind::Integer,
            &["WECHATY_PUPPET_MATRIX_BACKFILL"],
            "Most messages of a room that are fetched of what was said while the bot was away, 0 to 100000",
        )
    },
];

fn invalid(key: &'static str, reason: impl Into<Words>) -> SettingsError {
    SettingsError::Invalid { key, reason: reason.into() }
}

fn number(settings: &Settings, key: &'static str, least: u64, most: u64, default: u64) -> Result<u64, SettingsError> {
    let Some(text) = settings.get(key).map(str::trim).filter(|text| !text.is_empty()) else { return Ok(default) };
    text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        invalid(
            key,
            BAD_NUMBER
                .with("least", least.to_string())
                .with("most", most.to_string())
                .with("found", format!("{text:?}")),
        )
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Options {
    /// From settings that are complete (`Settings::complete`). Connects to nothing.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let given = |key| settings.get(key).map(str::trim).filter(|value| !value.is_empty());
        let homeserver = given("homeserver").ok_or(SettingsError::Missing { key: "homeserver" })?;
        let wrong =
            |reason: wechaty_puppet::Phrase| invalid("homeserver", reason.with("found", format!("{homeserver:?}")));
        let url = Url::parse(homeserver).map_err(|_| wrong(BAD_HOMESERVER))?;
        // A name in the address would be a secret where nobody expects one.
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
            return Err(wrong(BAD_HOMESERVER));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(wrong(PLAIN_HOMESERVER));
        }
        let login = match (given("access_token"), given("password"), given("login_token")) {
            (Some(token), ..) => Login::Token(Secret::new(token)),
            (None, Some(password), _) => {
                let user = given("user").ok_or_else(|| invalid("user", NO_USER))?;
                Login::Password { user: user.to_owned(), password: Secret::new(password) }
            }
            (None, None, Some(token)) => Login::Once(Secret::new(token)),
            (None, None, None) => return Err(invalid("access_token", NO_LOGIN)),
        };
        let roots = match given("tls_ca_cert") {
            Some(text) => {
                let pem = text.replace("\\n", "\n");
                let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
                let roots = roots.ok().filter(|roots| !roots.is_empty());
                roots.ok_or_else(|| invalid("tls_ca_cert", BAD_CA_CERT))?.iter().map(|root| root.to_vec()).collect()
            }
            None => Vec::new(),
        };
        let e2ee = given("e2ee") == Some("true");
        let store = given("store").map(PathBuf::from);
        if e2ee && !cfg!(feature = "e2ee") {
            return Err(invalid("e2ee", NO_E2EE));
        }
        if e2ee && store.is_none() {
            return Err(invalid("store", NO_STORE));
        }
        let recovery_key = given("recovery_key").map(Secret::new);
        let key_backup = given("key_backup") == Some("true");
        if let (false, Some(key)) =
            (e2ee, recovery_key.is_some().then_some("recovery_key").or(key_backup.then_some("key_backup")))
        {
            return Err(invalid(key, NO_KEYS));
        }
        let mut rooms = Vec::new();
        for room in given("rooms").unwrap_or_default().split(',').map(str::trim).filter(|room| !room.is_empty()) {
            if !room.starts_with(['#', '!']) || room.len() > 255 || room.contains(char::is_whitespace) {
                return Err(invalid("rooms", BAD_ROOM.with("found", format!("{room:?}"))));
            }
            rooms.push(room.to_owned());
        }
        Ok(Self {
            homeserver: url,
            login,
            device_name: given("device_name").unwrap_or("wechaty").to_owned(),
            roots,
            e2ee,
            store,
            recovery_key,
            key_backup,
            rooms,
            direct_invites: given("direct_invites") != Some("false"),
            file_limit: number(settings, "file_limit", 1, 1 << 40, 100 << 20)?,
            backfill: usize::try_from(number(settings, "backfill", 0, 100_000, 2000)?).unwrap_or(2000),
        })
    }
}

pub(crate) fn build(settings: &Settings) -> Result<Arc<dyn Puppet>, SettingsError> {
    Ok(Arc::new(MatrixPuppet::new(Options::read(settings)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Options, SettingsError> {
        let settings = pairs.iter().fold(Settings::new(), |settings, (key, value)| settings.set(*key, *value));
        Options::read(&settings.complete(SETTINGS, |_| None))
    }

    fn refused(pairs: &[(&str, &str)]) -> &'static str {
        match read(pairs).expect_err("refused") {
            SettingsError::Missing { key } | SettingsError::Invalid { key, .. } => key,
            other => panic!("{other}"),
        }
    }

    const HOME: (&str, &str) = ("homeserver", "https://matrix.example");

    #[test]
    fn plain_http_stays_on_this_machine() {
        for home in ["http://127.0.0.1:8008", "http://localhost:8008", "http://[::1]:8008", "https://matrix.org"] {
            read(&[("homeserver", home), ("access_token", "t")]).expect(home);
        }
        for home in ["http://matrix.org", "http://10.0.0.1", "ftp://matrix.org", "matrix.org", "https://a:b@matrix.org"]
        {
            assert_eq!(refused(&[("homeserver", home), ("access_token", "t")]), "homeserver", "{home}");
        }
    }

    #[test]
    fn one_way_to_log_in_is_needed_and_a_password_has_a_user() {
        assert_eq!(refused(&[HOME]), "access_token");
        assert_eq!(refused(&[HOME, ("password", "p")]), "user");
        assert!(matches!(read(&[HOME, ("login_token", "once")]).expect("read").login, Login::Once(_)));
        let both = read(&[HOME, ("user", "bot"), ("password", "p"), ("access_token", "t")]).expect("read");
        assert!(matches!(both.login, Login::Token(_)));
    }

    #[test]
    fn rooms_are_aliases_or_ids() {
        let options = read(&[HOME, ("access_token", "t"), ("rooms", "#nodejs_node:gitter.im, !abc ,")]).expect("read");
        assert_eq!(options.rooms, ["#nodejs_node:gitter.im", "!abc"]);
        assert_eq!(refused(&[HOME, ("access_token", "t"), ("rooms", "nodejs")]), "rooms");
    }

    #[test]
    fn a_backup_of_keys_needs_keys() {
        let login = ("access_token", "t");
        assert_eq!(refused(&[HOME, login, ("key_backup", "true")]), "key_backup");
        assert_eq!(refused(&[HOME, login, ("recovery_key", "open sesame")]), "recovery_key");
        #[cfg(feature = "e2ee")]
        {
            let keys = [HOME, login, ("e2ee", "true"), ("store", "keys"), ("recovery_key", "open sesame")];
            let options = read(&keys).expect("read");
            assert!(options.recovery_key.is_some() && !options.key_backup);
            assert!(!format!("{options:?}").contains("sesame"));
        }
    }

    #[test]
    fn numbers_have_bounds() {
        for (key, value) in [("file_limit", "0"), ("backfill", "-1"), ("backfill", "many")] {
            assert_eq!(refused(&[HOME, ("access_token", "t"), (key, value)]), key);
        }
    }

    #[test]
    fn wechatys_name_of_the_token_is_understood() {
        let env = |name: &str| (name == "WECHATY_PUPPET_GITTER_TOKEN").then(|| "s3cret".to_owned());
        let settings = Settings::new().set("homeserver", "https://gitter.im").complete(SETTINGS, env);
        let options = Options::read(&settings).expect("read");
        assert!(matches!(&options.login, Login::Token(token) if token.tell() == "s3cret"));
        assert!(!format!("{options:?} {:?}", options.login).contains("s3cret"));
    }
}
