//! ADDRESS: where a webhook may be: https, or http where it stays inside; a name is checked when it is looked up, so that
//! what was checked is what is called.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
    time::Duration,
};

use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use url::Host;
use wechaty_file_box::is_public;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// Connections that are kept for the next event, and how long.
const IDLE: usize = 4;
const IDLE_FOR: Duration = Duration::from_secs(30);

/// Why an address is none for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookUrlError {
    /// It is no URL of a server.
    #[error("this is no http or https URL")]
    NoUrl,
    /// It has a user and a password in it.
    #[error("leave user and password out of the URL: the webhook knows us by the signature")]
    Credentials,
    /// It is not encrypted, and leaves this machine.
    #[error(
        "write https: what is said would be readable on the way (http is taken for loopback, and with `allow_private` inside of a private network)"
    )]
    Plain,
    /// It is inside of a network.
    #[error("this is a private address: write `allow_private = true` if it is meant")]
    Private,
}

/// Which addresses a name may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Any,
    Public,
    Loopback,
    Private,
}

impl Rule {
    fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::Any => true,
            Self::Public => is_public(address),
            Self::Loopback => address.is_loopback(),
            Self::Private => !is_public(address),
        }
    }
}

/// A URL that was looked at.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) url: Url,
    rule: Rule,
}

impl Address {
    /// Looks at the URL of a webhook.
    pub(super) fn new(url: &str, allow_private: bool) -> Result<Self, WebhookUrlError> {
        let url = Url::parse(url).map_err(|_| WebhookUrlError::NoUrl)?;
        let host = url.host().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or(WebhookUrlError::NoUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookUrlError::Credentials);
        }
        let literal = match host {
            Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(v6).to_canonical()),
            Host::Domain(_) => None,
        };
        let is_local = literal.map_or(host == Host::Domain("localhost"), |address| address.is_loopback());
        let rule = match (url.scheme(), allow_private) {
            ("http", _) if is_local => Rule::Loopback,
            ("http", true) => Rule::Private,
            ("http", false) => return Err(WebhookUrlError::Plain),
            (_, true) => Rule::Any,
            (_, false) => Rule::Public,
        };
        match literal {
            Some(address) if !rule.allows(address) && rule == Rule::Private => Err(WebhookUrlError::Plain),
            Some(address) if !rule.allows(address) => Err(WebhookUrlError::Private),
            None if is_local && rule == Rule::Public => Err(WebhookUrlError::Private),
            _ => Ok(Self { url, rule }),
        }
    }

    /// A client that goes nowhere else.
    pub(super) fn client(&self) -> Result<Client, reqwest::Error> {
        static PROVIDER: LazyLock<()> = LazyLock::new(|| {
            // Whoever was first stays; an error only says that somebody was.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        LazyLock::force(&PROVIDER);
        Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(IDLE)
            .pool_idle_timeout(IDLE_FOR)
            .no_proxy()
            .dns_resolver(Arc::new(Checked(self.rule)))
            .build()
    }
}

/// Looks names up, and leaves out what the rule does not allow.
struct Checked(Rule);

/// No address of the host is allowed.
#[derive(Debug, thiserror::Error)]
#[error(
    "no address of the host may be called: private ones are only with `allow_private = true`, public ones only over https"
)]
pub(super) struct NotAllowed;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| rule.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::new(NotAllowed) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_stays_inside_and_private_addresses_have_to_be_meant() {
        let of = |url: &str, private| Address::new(url, private).map(|address| address.rule);
        use WebhookUrlError::{Credentials, NoUrl, Plain, Private};
        for (url, strict, private) in [
            ("https://example.com/hook", Ok(Rule::Public), Ok(Rule::Any)),
            ("https://8.8.8.8/", Ok(Rule::Public), Ok(Rule::Any)),
            ("https://10.1.2.3/", Err(Private), Ok(Rule::Any)),
            ("https://[::1]/", Err(Private), Ok(Rule::Any)),
            ("https://[::ffff:192.168.0.1]/", Err(Private), Ok(Rule::Any)),
            ("https://169.254.169.254/", Err(Private), Ok(Rule::Any)),
            ("https://0x7f.1/", Err(Private), Ok(Rule::Any)),
            ("https://localhost/", Err(Private), Ok(Rule::Any)),
            ("http://127.0.0.1:9000/h", Ok(Rule::Loopback), Ok(Rule::Loopback)),
            ("http://localhost:9000/h", Ok(Rule::Loopback), Ok(Rule::Loopback)),
            ("http://app:8080/h", Err(Plain), Ok(Rule::Private)),
            ("http://10.1.2.3/", Err(Plain), Ok(Rule::Private)),
            ("http://8.8.8.8/", Err(Plain), Err(Plain)),
            ("ftp://example.com/", Err(NoUrl), Err(NoUrl)),
            ("example.com", Err(NoUrl), Err(NoUrl)),
            ("https://user:word@example.com/", Err(Credentials), Err(Credentials)),
        ] {
            assert_eq!((of(url, false), of(url, true)), (strict, private), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_is_not_called() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(Checked(Rule::Public).resolve(name()).await.is_err_and(|error| error.is::<NotAllowed>()));
        assert!(Checked(Rule::Loopback).resolve(name()).await.is_ok());
        assert!(Checked(Rule::Any).resolve(name()).await.is_ok());
    }
}
