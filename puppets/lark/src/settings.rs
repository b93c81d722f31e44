//! SETTINGS: what can be set, under which names of the environment, and how it is read.

use std::{sync::Arc, time::Duration};

use reqwest::Certificate;
use url::{Host, Url};
use wechaty_puppet::{Puppet, Secret, Setting, SettingKind, Settings, SettingsError, Words, phrases};

use crate::LarkPuppet;

phrases! {
    /// Neither a name nor a URL.
    BAD_DOMAIN = "lark-bad-domain": "expected feishu, lark or a URL, found {found}";
    /// What is asked there goes out in the open.
    BAD_URL = "lark-bad-url": "expected a URL that begins with https:// (http:// on this machine only), found {found}";
    /// The certificate's text, not a path.
    BAD_CA_CERT = "lark-bad-ca-cert": "expected the text of a certificate in PEM, from -----BEGIN CERTIFICATE----- on; line breaks may be written as \\n";
    /// Not shown: it may be a secret.
    BAD_NUMBER = "lark-bad-number": "expected a whole number above zero";
    /// Neither way of events.
    BAD_MODE = "lark-bad-mode": "expected websocket or webhook, found {found}";
    /// Anybody could post events.
    UNGUARDED = "lark-unguarded": "with mode webhook, set encrypt_key, verification_token or both: without them anybody could post events";
    /// They come together.
    ONE_OF_TWO = "lark-one-of-two": "app_id and app_secret come together: set both, or neither to register an app by QR code";
    /// Its ticket comes by no other way.
    TICKET_BY_WEBHOOK = "lark-ticket-by-webhook": "the ticket of a store app comes by webhook only: with tenant_key, set mode = \"webhook\"";
}

/// Who the app is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) app_id: String,
    pub(crate) secret: Secret,
}

/// Where the platform is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hosts {
    pub(crate) api: String,
    pub(crate) accounts: String,
}

/// How a Lark app is reached. Made from settings by [`Options::read`].
#[derive(Clone, Debug)]
pub struct Options {
    /// `None`: an app is registered by QR code.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) hosts: Hosts,
    pub(crate) ca: Vec<Certificate>,
    pub(crate) webhook: bool,
    pub(crate) encrypt_key: Option<Secret>,
    pub(crate) verification_token: Option<Secret>,
    /// Of a store app: whose bot this is.
    pub(crate) tenant_key: Option<String>,
    pub(crate) app_ticket: Option<Secret>,
    /// Largest file that is loaded.
    pub(crate) media_limit: u64,
    /// Oldest webhook request that is taken.
    pub(crate) replay_window: Duration,
}

const fn setting(key: &'static str, kind: SettingKind, env: &'static [&'static str], help: &'static str) -> Setting {
    Setting { key, kind, required: false, default: None, env, help }
}

pub(crate) const SETTINGS: &[Setting] = &[
    setting(
        "app_id",
        SettingKind::Text,
        &["WECHATY_PUPPET_LARK_APPID"],
        "App ID of the developer console (cli_…); without it, an app is registered by QR code and remembered",
    ),
    setting(
        "app_secret",
        SettingKind::Secret,
        &["WECHATY_PUPPET_LARK_APPSECRET"],
        "App Secret of the developer console",
    ),
    Setting {
        default: Some("feishu"),
        ..setting(
            "domain",
            SettingKind::Text,
            &["WECHATY_PUPPET_LARK_DOMAIN"],
            "feishu (China), lark (elsewhere) or the URL of another open platform",
        )
    },
    setting(
        "api_base",
        SettingKind::Url,
        &["WECHATY_PUPPET_LARK_API_BASE"],
        "URL of the open platform, in the place of the domain's",
    ),
    setting(
        "accounts_base",
        SettingKind::Url,
        &["WECHATY_PUPPET_LARK_ACCOUNTS_BASE"],
        "URL where apps are registered by QR code, in the place of the domain's",
    ),
    Setting {
        default: Some("websocket"),
        ..setting(
            "mode",
            SettingKind::Choice(&["websocket", "webhook"]),
            &["WECHATY_PUPPET_LARK_MODE"],
            "How events come: by a long connection, or posted to /webhooks/lark",
        )
    },
    setting(
        "encrypt_key",
        SettingKind::Secret,
        &["WECHATY_PUPPET_LARK_ENCRYPT_KEY"],
        "Encrypt Key of the event settings; with it, only encrypted and signed requests are taken",
    ),
    setting(
        "verification_token",
        SettingKind::Secret,
        &["WECHATY_PUPPET_LARK_TOKEN"],
        "Verification Token of the event settings",
    ),
    setting(
        "tenant_key",
        SettingKind::Text,
        &["WECHATY_PUPPET_LARK_TENANT_KEY"],
        "Of a store app: the company whose bot this is; its app_ticket comes by webhook",
    ),
    setting(
        "app_ticket",
        SettingKind::Secret,
        &["WECHATY_PUPPET_LARK_APP_TICKET"],
        "Of a store app: the app_ticket to begin with, until the platform posts the next",
    ),
    setting(
        "tls_ca_cert",
        SettingKind::Text,
        &["WECHATY_PUPPET_LARK_TLS_CA_CERT"],
        "A certificate in PEM to trust beside those of this machine, line breaks may be \\n",
    ),
    Setting {
        default: Some("104857600"),
        ..setting(
            "media_limit",
            SettingKind::Integer,
            &["WECHATY_PUPPET_LARK_MEDIA_LIMIT"],
            "Largest received file in bytes",
        )
    },
    Setting {
        default: Some("25560"),
        ..setting(
            "replay_window",
            SettingKind::Integer,
            &["WECHATY_PUPPET_LARK_REPLAY_WINDOW"],
            "Oldest webhook request that is taken, in seconds; Lark repeats one for 7.1 hours",
        )
    },
];

fn invalid(key: &'static str, reason: impl Into<Words>) -> SettingsError {
    SettingsError::Invalid { key, reason: reason.into() }
}

/// A URL of a host that may be talked to: TLS everywhere but on this machine.
fn base(key: &'static str, text: &str) -> Result<String, SettingsError> {
    let wrong = || invalid(key, BAD_URL.with("found", format!("{text:?}")));
    let url = Url::parse(text).map_err(|_| wrong())?;
    if is_fit(&url, "https", "http") { Ok(text.trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// Whether a URL has the scheme with TLS, or the one without and stays on this machine.
pub(crate) fn is_fit(url: &Url, secure: &str, plain: &str) -> bool {
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == secure || (url.scheme() == plain && local)
}

/// The hosts of a brand.
pub(crate) fn hosts(brand: &str) -> Option<Hosts> {
    let site = match brand {
        "feishu" => "feishu.cn",
        "lark" => "larksuite.com",
        _ => return None,
    };
    Some(Hosts { api: format!("https://open.{site}"), accounts: format!("https://accounts.{site}") })
}

impl Options {
    /// From settings that are complete (`Settings::complete`). Connects to nothing.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let given = |key| settings.get(key).map(str::trim).filter(|value| !value.is_empty());
        let secret = |key| given(key).map(Secret::new);
        let number = |key, other| match given(key) {
            Some(text) => text.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(|| invalid(key, BAD_NUMBER)),
            None => Ok(other),
        };
        let credentials = match (given("app_id"), secret("app_secret")) {
            (Some(app_id), Some(secret)) => Some(Credentials { app_id: app_id.to_owned(), secret }),
            (None, None) => None,
            (None, _) => return Err(invalid("app_id", ONE_OF_TWO)),
            (_, None) => return Err(invalid("app_secret", ONE_OF_TWO)),
        };
        let domain = given("domain").unwrap_or("feishu");
        let mut hosts = match hosts(domain) {
            Some(hosts) => hosts,
            None if domain.contains("://") => {
                let api = base("domain", domain)?;
                Hosts { accounts: api.clone(), api }
            }
            None => return Err(invalid("domain", BAD_DOMAIN.with("found", format!("{domain:?}")))),
        };
        if let Some(text) = given("api_base") {
            hosts.api = base("api_base", text)?;
        }
        if let Some(text) = given("accounts_base") {
            hosts.accounts = base("accounts_base", text)?;
        }
        let ca = match given("tls_ca_cert") {
            Some(text) => Certificate::from_pem_bundle(text.replace("\\n", "\n").as_bytes())
                .ok()
                .filter(|found| !found.is_empty())
                .ok_or_else(|| invalid("tls_ca_cert", BAD_CA_CERT))?,
            None => Vec::new(),
        };
        let webhook = match given("mode") {
            None | Some("websocket") => false,
            Some("webhook") => true,
            Some(other) => {
                return Err(invalid("mode", BAD_MODE.with("found", format!("{other:?}"))));
            }
        };
        let (encrypt_key, verification_token) = (secret("encrypt_key"), secret("verification_token"));
        if webhook && encrypt_key.is_none() && verification_token.is_none() {
            return Err(invalid("mode", UNGUARDED));
        }
        let tenant_key = given("tenant_key").map(str::to_owned);
        if tenant_key.is_some() && !webhook {
            return Err(invalid("mode", TICKET_BY_WEBHOOK));
        }
        Ok(Self {
            credentials,
            hosts,
            ca,
            webhook,
            encrypt_key,
            verification_token,
            tenant_key,
            app_ticket: secret("app_ticket"),
            media_limit: number("media_limit", 100 << 20)?,
            replay_window: Duration::from_secs(number("replay_window", 25_560)?),
        })
    }
}

pub(crate) fn build(settings: &Settings) -> Result<Arc<dyn Puppet>, SettingsError> {
    Ok(Arc::new(LarkPuppet::new(Options::read(settings)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Options, SettingsError> {
        Options::read(&pairs.iter().fold(Settings::new(), |settings, (key, value)| settings.set(*key, *value)))
    }

    #[test]
    fn each_domain_has_its_hosts_and_each_host_is_a_setting() {
        let hosts = |pairs: &[_]| read(pairs).unwrap().hosts;
        assert_eq!(hosts(&[]).api, "https://open.feishu.cn");
        assert_eq!(hosts(&[("domain", "lark")]).accounts, "https://accounts.larksuite.com");
        assert_eq!(hosts(&[("domain", "https://open.example.com/")]).api, "https://open.example.com");
        assert_eq!(hosts(&[("api_base", "http://127.0.0.1:9")]).api, "http://127.0.0.1:9");
        assert_eq!(hosts(&[("accounts_base", "http://[::1]:9")]).accounts, "http://[::1]:9");
    }

    #[test]
    fn what_would_go_out_in_the_open_is_refused() {
        for base in ["http://open.feishu.cn", "http://10.0.0.1", "ws://127.0.0.1", "feishu.cn", "ftp://localhost"] {
            assert!(read(&[("api_base", base)]).is_err(), "{base}");
        }
        assert!(read(&[("domain", "dingtalk")]).is_err());
    }

    #[test]
    fn a_webhook_that_nobody_guards_is_refused() {
        assert!(read(&[("mode", "webhook")]).is_err());
        assert!(read(&[("mode", "webhook"), ("verification_token", "v")]).unwrap().webhook);
        assert!(read(&[("mode", "smoke")]).is_err());
    }

    #[test]
    fn a_store_app_without_webhook_is_refused() {
        for mode in [&[][..], &[("mode", "websocket")]] {
            assert!(read(&[mode, &[("tenant_key", "t")]].concat()).is_err(), "{mode:?}");
        }
        let store = [("mode", "webhook"), ("encrypt_key", "k"), ("tenant_key", "t")];
        assert_eq!(read(&store).unwrap().tenant_key.as_deref(), Some("t"));
    }

    #[test]
    fn id_and_secret_come_together_and_no_secret_is_shown() {
        assert!(read(&[("app_id", "cli_1")]).is_err() && read(&[("app_secret", "s")]).is_err());
        let options = read(&[("app_id", "cli_1"), ("app_secret", "s3cret"), ("encrypt_key", "s3cret")]).unwrap();
        assert!(!format!("{options:?}").contains("s3cret"));
    }

    #[test]
    fn numbers_and_certificates_are_checked() {
        assert!(read(&[("media_limit", "0")]).is_err() && read(&[("replay_window", "soon")]).is_err());
        assert!(read(&[("tls_ca_cert", "/etc/ssl/cert.pem")]).is_err());
    }
}
