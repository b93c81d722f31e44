//! GUARD: which requests the host listens to at all. A page of a stranger, or a name that somebody points at loopback,
//! must not reach the doors through a visitor's browser.

use std::{net::SocketAddr, sync::Arc};

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
    /// Listening on every address, the host does not know its names; doors demand a token there.
    any: bool,
}

impl Guard {
    /// For a host that listens here and is reached under these names too.
    pub fn new(address: SocketAddr, names: &[String]) -> Self {
        let mut names: Vec<String> = names.iter().map(|name| bare(name).to_ascii_lowercase()).collect();
        let ip = address.ip();
        names.push(if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
        if ip.is_loopback() {
            names.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Self(Arc::new(Names { names, any: ip.is_unspecified() }))
    }

    fn knows(&self, authority: &str) -> bool {
        self.0.any || self.0.names.iter().any(|name| name.eq_ignore_ascii_case(bare(authority)))
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
        Some(why) => why.response(Caller::of(request.headers())),
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
        assert!(!refused("0.0.0.0:8080", &[], Method::GET, "/", &host("192.168.1.7:8080")));
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
