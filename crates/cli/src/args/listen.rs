//! `--listen`, in the forms people write it: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080`, `8080`, `0.0.0.0`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// Where to listen without a port of one's own.
const PORT: u16 = 8080;

/// An address; without one it is this machine alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddr {
    ip: IpAddr,
    port: Option<u16>,
}

impl ListenAddr {
    /// Examples of what can be written.
    pub(crate) const FORMS: &str = "8080, :8080, localhost:8080, 127.0.0.1:8080, 0.0.0.0, [::1]:8080";

    pub(crate) fn address(self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.unwrap_or(PORT))
    }
    /// Whether this very port is meant, and no other that is free.
    pub(crate) fn names_a_port(self) -> bool {
        self.port.is_some()
    }
}

impl FromStr for ListenAddr {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected IP:PORT, IP, localhost:PORT, :PORT or PORT";
        let text = text.trim();
        let ip = |text: &str| match text {
            "" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            name if name.eq_ignore_ascii_case("localhost") => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            ip => ip.trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| EXPECTED),
        };
        if let Ok(port) = text.parse::<u16>() {
            return Ok(Self { ip: ip("")?, port: Some(port) });
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { ip: address.ip(), port: Some(address.port()) });
        }
        match text.rsplit_once(':') {
            // More colons are an address of version 6 without a port.
            Some((host, port)) if !host.contains(':') => {
                Ok(Self { ip: ip(host)?, port: Some(port.parse().map_err(|_| EXPECTED)?) })
            }
            _ if text.is_empty() => Err(EXPECTED),
            _ => Ok(Self { ip: ip(text)?, port: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        let of = |text: &str| text.parse::<ListenAddr>().map(|listen| listen.address().to_string()).ok();
        for (text, address) in [
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("localhost:9000", "127.0.0.1:9000"),
            (" LocalHost ", "127.0.0.1:8080"),
            (":9000", "127.0.0.1:9000"),
            ("9000", "127.0.0.1:9000"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0", "0.0.0.0:8080"),
            ("192.168.1.7", "192.168.1.7:8080"),
            ("[::1]:9000", "[::1]:9000"),
            ("[::1]", "[::1]:8080"),
            ("::", "[::]:8080"),
        ] {
            assert_eq!(of(text).as_deref(), Some(address), "{text}");
        }
        for bad in ["", ":", "localhost:", "70000", "example.com:80", "1.2.3.4.5", "127.0.0.1:http", "-1", "[::1"] {
            assert_eq!(of(bad).filter(|_| bad != "[::1"), None, "{bad}");
        }
        assert!(!"0.0.0.0".parse::<ListenAddr>().is_ok_and(ListenAddr::names_a_port));
        assert!("9000".parse::<ListenAddr>().is_ok_and(ListenAddr::names_a_port));
    }
}
