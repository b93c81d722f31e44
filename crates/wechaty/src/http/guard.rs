//! GUARD: which requests the host listens to at all. A page of a stranger, or a name that somebody points at loopback,
//! must not reach the doors through a visitor's browser.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::Response,
};

use super::refusal::{Caller, Refusal};

/// Knows the names of the host.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Names>);

#[derive(Debug)]
struct Names {
    /// In lower case, without port.
    names: Vec<String>,
    /// Listening on every address, the host does not know which are its own. No page can point a number elsewhere.
    any_ip: bool,
}

impl Guard {
    /// For a host that listens here and is reached under these names too.
    pub fn new(address: SocketAddr, names: &[String]) -> Self {
        let mut names: Vec<String> = names.iter().map(|name| bare(name).to_ascii_lowercase()).collect();
        let ip = address.ip();
        names.push(if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
        if ip.is_loopback() || ip.is_unspecified() {
            names.extend(LOOPBACK.map(str::to_owned));
        }
        if ip.is_unspecified() {
            names.extend(own_names());
        }
        Self(Arc::new(Names { names, any_ip: ip.is_unspecified() }))
    }

    fn knows(&self, authority: &str) -> bool {
        let host = bare(authority);
        (self.0.any_ip && is_ip(host)) || self.0.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    /// Why a request is refused; `None`: it is not.
    pub(super) fn refuses(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Refusal> {
        // Webhooks come from outside, through tunnels and proxies; their signatures are checked by the puppets.
        if uri.path().starts_with("/webhooks/") {
            return None;
        }
        let text = |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap_or("\u{0}"));
        if headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Some(Refusal::TwoHosts);
        }
        let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(header::HOST));
        let Some(host) = host else { return Some(Refusal::NoHost) };
        if !self.knows(host) {
            return Some(Refusal::UnknownName);
        }
        let origin = text(header::ORIGIN)?;
        let foreign = match origin.split_once("://") {
            Some((_, authority)) => !authority.eq_ignore_ascii_case(host),
            // `null`: a sandboxed page or a file; it may look, but not act.
            None => true,
        };
        let looks = matches!(*method, Method::GET | Method::HEAD);
        (foreign && !looks).then_some(Refusal::ForeignPage)
    }
}

/// Names of this machine that only this machine gives a meaning.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The first of these names that is not of this machine alone: whoever is told it reaches the host, however it listens.
pub(super) fn public_name(names: &[String]) -> Option<&str> {
    let public = |name: &&str| !name.is_empty() && !is_loopback(bare(name));
    names.iter().map(|name| name.trim()).find(public)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || ip(host).is_some_and(|ip| ip.is_loopback())
}

fn is_ip(host: &str) -> bool {
    ip(host).is_some()
}

/// `127.0.0.1`, `[::1]`.
fn ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// What this machine calls itself, and what its neighbours call it.
fn own_names() -> Vec<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default().to_ascii_lowercase();
    let first = name.split('.').next().unwrap_or_default();
    if first.is_empty() {
        return Vec::new();
    }
    vec![first.to_owned(), format!("{first}.local"), name]
}

/// A host without its port.
fn bare(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => authority,
    }
}

pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.refuses(request.method(), request.uri(), request.headers()) {
        None => next.run(request).await,
        Some(why) => why.response(Caller::of(request.uri(), request.headers())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(listen: &str, names: &[&str], method: Method, path: &str, headers: &[(&str, &str)]) -> bool {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        Guard::new(listen.parse().unwrap(), &names).refuses(&method, &path.parse().unwrap(), &map).is_some()
    }

    #[test]
    fn a_name_pointed_at_loopback_is_refused() {
        let host = |name| [("host", name)];
        for good in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.0.0.1"] {
            assert!(!refused("127.0.0.1:8080", &[], Method::GET, "/", &host(good)), "{good}");
        }
        for bad in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil", "", ":", "[::1"] {
            assert!(refused("127.0.0.1:8080", &[], Method::GET, "/", &host(bad)), "{bad}");
        }
        assert!(refused("127.0.0.1:8080", &[], Method::GET, "/", &[]));
        assert!(!refused("127.0.0.1:8080", &["bot.example"], Method::GET, "/", &host("bot.example")));
    }

    #[test]
    fn a_name_pointed_at_a_host_that_listens_everywhere_is_refused_too() {
        let host = |name| [("host", name)];
        for everywhere in ["0.0.0.0:8080", "[::]:8080"] {
            for good in ["192.168.1.7:8080", "localhost:8080", "127.0.0.1", "[2001:db8::7]:8080", "[::1]"] {
                assert!(!refused(everywhere, &[], Method::GET, "/", &host(good)), "{good}");
            }
            for own in own_names() {
                assert!(!refused(everywhere, &[], Method::GET, "/", &[("host", own.as_str())]), "{own}");
            }
            for bad in
                ["evil.example", "evil.example:8080", "1.2.3.4.evil.example", "2001:db8::7", "[evil]", "", "[::1"]
            {
                assert!(refused(everywhere, &[], Method::GET, "/", &host(bad)), "{bad}");
            }
            assert!(!refused(everywhere, &["bot.example"], Method::GET, "/", &host("bot.example:443")));
        }
    }

    #[test]
    fn names_of_loopback_open_nothing() {
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            public_name(&names).map(str::to_owned)
        };
        assert_eq!(of(&["localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8080", "[::1]", ""]), None);
        for name in ["bot.example", "192.168.1.7", "[2001:db8::7]", "localhost.example"] {
            assert_eq!(of(&["localhost", name]).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_page_of_another_origin_may_look_but_not_act() {
        let from = |origin| [("host", "localhost:8080"), ("origin", origin)];
        let listen = "127.0.0.1:8080";
        assert!(!refused(listen, &[], Method::POST, "/chat/api/say", &from("http://localhost:8080")));
        for bad in ["http://evil.example", "http://localhost:9090", "null", "http://localhost:8080.evil"] {
            assert!(refused(listen, &[], Method::POST, "/chat/api/say", &from(bad)), "{bad}");
            assert!(!refused(listen, &[], Method::GET, "/", &from(bad)), "{bad}");
        }
    }

    #[test]
    fn webhooks_come_through_tunnels() {
        let tunnel = [("host", "abc.tunnel.example"), ("origin", "https://elsewhere.example")];
        assert!(!refused("127.0.0.1:8080", &[], Method::POST, "/webhooks/lark/", &tunnel));
    }
}
