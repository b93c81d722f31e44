//! SETTINGS: what can be set, under which names of the environment, and how it is read.

use std::{fmt, sync::Arc};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tonic::codegen::http::Uri;
use wechaty_grpc::token;
use wechaty_puppet::{Puppet, Setting, SettingKind, Settings, SettingsError, phrases};

use crate::{ServicePuppet, discover, verify};

/// The port of a gateway whose endpoint names none.
pub(crate) const PORT: u16 = 8788;

phrases! {
    /// The token, and nothing else, says whose certificate is expected.
    NO_SERVER_NAME = "service-no-server-name": "the token has no server name before its last `_`: use a token of the form NAME_UUID, or set `tls_server_name` (WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME)";
    /// Not shown: it is a secret.
    BAD_TOKEN = "service-bad-token": "a token has letters, digits, `-`, `_` and `.` only";
    /// A name no certificate can have.
    BAD_SERVER_NAME = "service-bad-server-name": "{name} is no name of a server";
    /// Neither host and port nor a host.
    BAD_ENDPOINT = "service-bad-endpoint": "expected host:port, found {found}";
    /// What the discovery service is called.
    BAD_AUTHORITY = "service-bad-authority": "expected the host of a discovery service, found {found}";
    /// The certificate's text, not a path.
    BAD_CA_CERT = "service-bad-ca-cert": "expected the text of a certificate in PEM, from -----BEGIN CERTIFICATE----- on; line breaks may be written as \\n";
}

/// A text that is never shown.
#[derive(Clone)]
pub(crate) struct Token(Arc<str>);

impl Token {
    /// To hand it to whom it belongs.
    pub(crate) fn tell(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Where a gateway listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Address {
    /// `host:port`, `host`, `[v6]:port`; what stands before `://` is not looked at.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']')?;
                (host, if behind.is_empty() { None } else { Some(behind.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map_or(Some(PORT), |port| port.parse().ok()).filter(|port| *port != 0)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        (!host.is_empty() && host.len() <= 253 && host.chars().all(fits)).then(|| Self { host: host.to_owned(), port })
    }
}

/// How a gateway is found and trusted. Made from settings by [`Options::read`].
#[derive(Clone)]
pub struct Options {
    pub(crate) token: Token,
    /// `None`: the discovery service knows it.
    pub(crate) endpoint: Option<Address>,
    pub(crate) discovery: discover::Discovery,
    /// `None`: plain HTTP/2.
    pub(crate) tls: Option<Tls>,
    /// Of every request: the token is its authority.
    pub(crate) origin: Uri,
}

/// How the gateway's certificate is checked.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) name: ServerName<'static>,
    pub(crate) config: Arc<rustls::ClientConfig>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("endpoint", &self.endpoint)
            .field("discovery", &self.discovery)
            .field("server_name", &self.tls.as_ref().map(|tls| &tls.name))
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
            "token",
            SettingKind::Secret,
            &["WECHATY_PUPPET_SERVICE_TOKEN", "WECHATY_PUPPET_HOSTIE_TOKEN"],
            "The gateway's token, NAME_UUID: the secret, and the name its certificate must have",
        )
    },
    setting(
        "endpoint",
        SettingKind::Text,
        &["WECHATY_PUPPET_SERVICE_ENDPOINT", "WECHATY_PUPPET_HOSTIE_ENDPOINT"],
        "host:port of the gateway; without it, the discovery service is asked, which gets the token",
    ),
    Setting {
        default: Some(discover::AUTHORITY),
        ..setting(
            "authority",
            SettingKind::Text,
            &["WECHATY_PUPPET_SERVICE_AUTHORITY", "WECHATY_SERVICE_DISCOVERY_ENDPOINT"],
            "The discovery service",
        )
    },
    Setting {
        default: Some("false"),
        ..setting(
            "no_tls_insecure_client",
            SettingKind::Bool,
            &["WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT"],
            "Whether to talk without TLS: everybody on the way reads along, and learns the token",
        )
    },
    setting(
        "tls_ca_cert",
        SettingKind::Text,
        &["WECHATY_PUPPET_SERVICE_TLS_CA_CERT"],
        "The root of the gateway's certificate in PEM, line breaks may be \\n; without it, those this machine trusts",
    ),
    setting(
        "tls_server_name",
        SettingKind::Text,
        &["WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME"],
        "The name the gateway's certificate must have; without it, that of the token",
    ),
];

fn invalid(key: &'static str, reason: impl Into<wechaty_puppet::Words>) -> SettingsError {
    SettingsError::Invalid { key, reason: reason.into() }
}

impl Options {
    /// From settings that are complete (`Settings::complete`). Connects to nothing.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let given = |key| settings.get(key).map(str::trim).filter(|value| !value.is_empty());
        let token = given("token").ok_or(SettingsError::Missing { key: "token" })?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if token.len() > 253 || !token.chars().all(fits) {
            return Err(invalid("token", BAD_TOKEN));
        }
        // Also without TLS, as everywhere in Wechaty: a token that works here works there.
        let name = match given("tls_server_name") {
            Some(name) => name.to_owned(),
            None => token::server_name(token).ok_or_else(|| invalid("token", NO_SERVER_NAME))?,
        };
        let wrong = || invalid("tls_server_name", BAD_SERVER_NAME.with("name", format!("{name:?}")));
        let server_name = ServerName::try_from(name.clone()).map_err(|_| wrong())?;
        let endpoint = match given("endpoint") {
            Some(text) => {
                let wrong = || invalid("endpoint", BAD_ENDPOINT.with("found", format!("{text:?}")));
                Some(Address::parse(text).ok_or_else(wrong)?)
            }
            None => None,
        };
        let authority = given("authority").unwrap_or(discover::AUTHORITY);
        let wrong = || invalid("authority", BAD_AUTHORITY.with("found", format!("{authority:?}")));
        let discovery = discover::Discovery::parse(authority).ok_or_else(wrong)?;
        // Exactly this word, as in Wechaty: a slip of the pen leaves TLS on.
        let plain = given("no_tls_insecure_client") == Some("true");
        let tls = if plain { None } else { Some(tls(server_name, given("tls_ca_cert"))?) };
        let scheme = if plain { "http" } else { "https" };
        let origin = format!("{scheme}://{token}").parse().map_err(|_| invalid("token", BAD_TOKEN))?;
        Ok(Self { token: Token(token.into()), endpoint, discovery, tls, origin })
    }
}

fn tls(name: ServerName<'static>, ca_cert: Option<&str>) -> Result<Tls, SettingsError> {
    let wrong = || invalid("tls_ca_cert", BAD_CA_CERT);
    let roots = match ca_cert {
        Some(text) => {
            let pem = text.replace("\\n", "\n");
            let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            Some(roots.ok().filter(|roots| !roots.is_empty()).ok_or_else(wrong)?)
        }
        None => None,
    };
    Ok(Tls { name, config: Arc::new(verify::config(roots).map_err(|_| wrong())?) })
}

pub(crate) fn build(settings: &Settings) -> Result<Arc<dyn Puppet>, SettingsError> {
    Ok(Arc::new(ServicePuppet::new(Options::read(settings)?)))
}
