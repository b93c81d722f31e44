//! DISCOVERY: where the gateway of a token is, as a third party tells, which learns the token by being asked.

use std::{error::Error, fmt, io, time::Duration};

use futures_util::StreamExt;
use reqwest::{StatusCode, redirect};
use rustls::crypto::ring;
use serde_json::Value;
use wechaty_puppet::{BoxError, Clock, PuppetError, Result};

use crate::options::{Address, PORT, Token};

/// Who is asked without another word.
pub(crate) const AUTHORITY: &str = "api.chatie.io";

const CONTEXT: &str = "asking where the gateway is";
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(10);
/// An address is a few words.
const LARGEST: usize = 64 << 10;

/// A discovery service. Whoever is asked learns the token.
#[derive(Clone)]
pub struct Discovery {
    /// Always `https`, but on this machine.
    scheme: &'static str,
    authority: String,
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

/// Where a gateway is, as a discovery service tells. One of `host` and `ip` is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its name.
    pub host: Option<String>,
    /// Its address.
    pub ip: Option<String>,
    /// Its port.
    pub port: u16,
}

/// Why a discovery service gave no address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// It has been asked, and no gateway has told it that token.
    #[error("{authority} knows no gateway of this token: check the token, or set WECHATY_PUPPET_SERVICE_ENDPOINT")]
    Unknown {
        /// Who was asked.
        authority: String,
    },
    /// It is not who it should be, or speaks no TLS.
    #[error("the discovery service could not prove who it is: {0}")]
    Tls(#[source] BoxError),
    /// It takes too long.
    #[error("the discovery service did not answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// It cannot be reached, or has its own troubles.
    #[error("the discovery service cannot be asked: {0}")]
    Down(#[source] BoxError),
    /// It says something else.
    #[error("the discovery service gave an answer that is none: {0}")]
    Answer(&'static str),
}

impl DiscoveryError {
    fn of(error: reqwest::Error) -> Self {
        // The URL holds the token.
        let error = error.without_url();
        if error.is_timeout() {
            return Self::Timeout;
        }
        let (mut root, mut is_tls): (&(dyn Error + 'static), bool) = (&error, false);
        while let Some(next) = cause(root) {
            is_tls |= next.is::<rustls::Error>();
            root = next;
        }
        let source = root.to_string().into();
        if is_tls { Self::Tls(source) } else { Self::Down(source) }
    }
}

/// Errors of I/O do not tell the one in them as their source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

impl Discovery {
    /// A host, with or without a port. A scheme and slashes at the end, as older settings have them, are cut off; `http` is
    /// kept for this machine alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let authority = rest.trim_end_matches('/');
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
        if authority.is_empty() || authority.len() > 253 || !authority.chars().all(fits) {
            return None;
        }
        let own = ["127.0.0.1", "[::1]", "localhost"];
        let host = authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        let host = host.map_or(authority, |(host, _)| host);
        let scheme = if scheme.eq_ignore_ascii_case("http") && own.contains(&host) { "http" } else { "https" };
        Some(Self { scheme, authority: authority.to_owned() })
    }

    /// Whom it asks.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Where the gateway of this token is. Tried three times, but for a token that does not exist.
    pub(crate) async fn find(&self, token: &Token, clock: &Clock) -> Result<Address> {
        tracing::warn!(
            authority = self.authority,
            "no endpoint is given, so this discovery service is asked for it and gets the token, which is a secret; \
             set WECHATY_PUPPET_SERVICE_ENDPOINT and nobody is asked"
        );
        let mut tried = 0;
        loop {
            let error = match self.ask(token.tell()).await.and_then(|found| address(&found)) {
                Ok(address) => return Ok(address),
                Err(error) => error,
            };
            tried += 1;
            if tried == TRIES || matches!(error, DiscoveryError::Unknown { .. }) {
                return Err(PuppetError::Unreachable { context: CONTEXT, source: Box::new(error) });
            }
            clock.sleep(PAUSE.saturating_mul(1 << tried).mul_f64(0.5 + jitter() / 2.0)).await;
        }
    }

    /// Asks once where the gateway of this token is, and thereby sends the token.
    ///
    /// # Errors
    /// [`DiscoveryError`], never with the token in it.
    pub async fn ask(&self, token: &str) -> Result<Found, DiscoveryError> {
        // Whoever was first, there is one.
        let _ = ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(TIMEOUT).build();
        let url = format!("{}://{}/v0/hosties/{token}", self.scheme, self.authority);
        let answer = client.map_err(DiscoveryError::of)?.get(url).send().await.map_err(DiscoveryError::of)?;
        match answer.status() {
            status if status.is_client_error() => return Err(self.unknown()),
            status if status.is_success() => {}
            status => return Err(DiscoveryError::Down(Box::new(Answer(status)))),
        }
        let mut body = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            body.extend_from_slice(&chunk.map_err(DiscoveryError::of)?);
            if body.len() > LARGEST {
                return Err(DiscoveryError::Answer("it is too long to be an address"));
            }
        }
        match read(&body) {
            Read::Found(found) => Ok(found),
            Read::Nowhere => Err(self.unknown()),
            Read::Nonsense => Err(DiscoveryError::Answer("it has no host and port")),
        }
    }

    fn unknown(&self) -> DiscoveryError {
        DiscoveryError::Unknown { authority: self.authority.clone() }
    }
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    Found(Found),
    /// No gateway has come yet: `0.0.0.0` or port 0.
    Nowhere,
    Nonsense,
}

/// `host` and `ip`, or one of them, and `port`; numbers may be texts.
fn read(body: &[u8]) -> Read {
    const NOWHERE: &str = "0.0.0.0";
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return Read::Nonsense };
    let port = match &json["port"] {
        Value::Number(number) => number.as_u64().and_then(|port| u16::try_from(port).ok()),
        Value::String(text) => text.parse().ok(),
        Value::Null => Some(PORT),
        _ => None,
    };
    let text = |key: &str| json[key].as_str().filter(|text| !text.is_empty());
    let told = text("host").or_else(|| text("ip"));
    let [host, ip] = ["host", "ip"].map(|key| text(key).filter(|text| *text != NOWHERE).map(str::to_owned));
    match (port, told) {
        (Some(0), Some(_)) => Read::Nowhere,
        (Some(_), Some(_)) if host.is_none() && ip.is_none() => Read::Nowhere,
        (Some(port), Some(_)) => Read::Found(Found { host, ip, port }),
        _ => Read::Nonsense,
    }
}

fn address(found: &Found) -> Result<Address, DiscoveryError> {
    let host = found.host.as_deref().or(found.ip.as_deref()).unwrap_or_default();
    let address =
        if host.contains(':') { format!("[{host}]:{}", found.port) } else { format!("{host}:{}", found.port) };
    Address::parse(&address).ok_or(DiscoveryError::Answer("its host is no host"))
}

/// From 0 to 1.
fn jitter() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the pause is the shortest.
    let _ = ring::default_provider().secure_random.fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

#[derive(Debug, thiserror::Error)]
#[error("it answered {0}")]
struct Answer(StatusCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_every_generation() {
        let found = |host: &str, port| Ok(Address { host: host.to_owned(), port });
        for (json, wanted) in [
            (r#"{"host":"gw.invalid","port":8788,"ip":"192.0.2.1"}"#, found("gw.invalid", 8788)),
            (r#"{"ip":"192.0.2.1","port":"99"}"#, found("192.0.2.1", 99)),
            (r#"{"host":"2001:db8::1","port":1}"#, found("2001:db8::1", 1)),
            (r#"{"host":"gw.invalid","ip":"0.0.0.0","port":1}"#, found("gw.invalid", 1)),
            (r#"{"host":"","ip":"0.0.0.0","port":1}"#, Err("nowhere")),
            (r#"{"host":"0.0.0.0","ip":"0.0.0.0","port":0}"#, Err("nowhere")),
            (r#"{"host":"a","port":0}"#, Err("nowhere")),
            (r#"{"host":"a","port":70000}"#, Err("nonsense")),
            (r#"{"host":"a","port":{}}"#, Err("nonsense")),
            (r#"{"host":"a/b","port":1}"#, Err("nonsense")),
            (r#"{"port":1}"#, Err("nonsense")),
            ("[]", Err("nonsense")),
            ("", Err("nonsense")),
        ] {
            let read = match read(json.as_bytes()) {
                Read::Found(found) => address(&found).map_err(|_| "nonsense"),
                Read::Nowhere => Err("nowhere"),
                Read::Nonsense => Err("nonsense"),
            };
            assert_eq!(read, wanted, "{json}");
        }
    }

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for (text, scheme) in [
            ("api.chatie.io", Some("https")),
            ("http://api.chatie.io//", Some("https")),
            ("http://127.0.0.1:1234", Some("http")),
            ("http://127.0.0.1.invalid:1234", Some("https")),
            ("127.0.0.1:1234", Some("https")),
            ("http://", None),
            ("a@b", None),
            ("a/b", None),
        ] {
            assert_eq!(Discovery::parse(text).map(|service| service.scheme), scheme, "{text}");
        }
    }
}
