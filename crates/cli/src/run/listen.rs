//! Tells where the bot listens, for people: addresses for this machine and for phones, and on a terminal a QR code.

use std::{
    io::IsTerminal,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use wechaty::http::{HostError, Listening};
use wechaty_catalogue::{Args, Lang, text};

use crate::{failure::Failure, output};

/// What somebody needs to get in.
pub(super) enum Door {
    /// Nothing.
    Open,
    /// A token that was made for this run: it may be shown to who started it.
    Made(String),
    /// A token that somebody set: it is never shown.
    Set,
}

impl Door {
    /// A token for this run, if there is a terminal to show it on.
    pub(super) fn made() -> Option<Self> {
        std::io::stderr().is_terminal().then(|| Self::Made(uuid::Uuid::new_v4().simple().to_string()))
    }
}

/// Tells that it is another port than the wanted one.
pub(super) fn tell_moved(listening: &Listening, lang: Lang) {
    if listening.moved() {
        let port = listening.address().port().to_string();
        output::tell(&text(lang, "listen-moved", &Args::new().set("port", port)));
    }
}

/// Tells where the chat is.
pub(super) fn tell(listening: &Listening, door: &Door, lang: Lang) {
    let address = listening.address();
    let on_terminal = std::io::stderr().is_terminal();
    let key = match door {
        Door::Made(token) if on_terminal => format!("/#token={token}"),
        _ => String::new(),
    };
    let mut urls = urls(address, own_addresses());
    urls.iter_mut().for_each(|url| url.push_str(&key));
    let Some((first, network)) = urls.split_first() else { return };
    output::tell(&text(lang, "listen", &Args::new().set("url", &**first)));
    for url in network {
        output::tell(&text(lang, "listen-network", &Args::new().set("url", &**url)));
    }
    if matches!(door, Door::Set) {
        output::tell(&text(lang, "listen-token", &Args::new()));
    }
    if !on_terminal {
        return;
    }
    // A phone cannot open the address of this machine alone: then it is told how it could.
    let shown = if address.ip().is_loopback() { None } else { network.first().or(Some(first)) };
    let Some(shown) = shown else {
        return output::tell(&text(lang, "listen-phone", &Args::new()));
    };
    if let Ok(code) = QrCode::with_error_correction_level(shown, EcLevel::L) {
        output::tell(&code.render::<Dense1x2>().quiet_zone(true).build());
    }
}

/// For this machine first, then for others.
fn urls(address: SocketAddr, own: Vec<IpAddr>) -> Vec<String> {
    let url = |ip: IpAddr| format!("http://{}", SocketAddr::new(ip, address.port()));
    let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
    match address.ip() {
        // Where the system says so, the other family too; that of the address in any case.
        IpAddr::V4(ip) if ip.is_unspecified() => {
            [v4].into_iter().chain(own.into_iter().filter(IpAddr::is_ipv4)).map(url).collect()
        }
        IpAddr::V6(ip) if ip.is_unspecified() => [v6].into_iter().chain(own).map(url).collect(),
        ip => vec![url(ip)],
    }
}

/// The addresses from which this machine would reach others. Nothing is sent: a connected datagram socket only asks the
/// system for its route.
fn own_addresses() -> Vec<IpAddr> {
    // The world, then the usual private networks.
    const OTHERS: [(&str, &str); 5] = [
        ("0.0.0.0:0", "192.0.2.1:9"),
        ("0.0.0.0:0", "192.168.255.254:9"),
        ("0.0.0.0:0", "10.255.255.254:9"),
        ("0.0.0.0:0", "172.31.255.254:9"),
        ("[::]:0", "[2001:db8::1]:9"),
    ];
    let mut own = Vec::new();
    for (from, to) in OTHERS {
        let route = UdpSocket::bind(from).and_then(|socket| socket.connect(to).and_then(|()| socket.local_addr()));
        if let Ok(address) = route
            && !address.ip().is_loopback()
            && !address.ip().is_unspecified()
            && !own.contains(&address.ip())
        {
            own.push(address.ip());
        }
    }
    own
}

/// Why the bot cannot listen.
pub(super) fn failure(error: &HostError, lang: Lang) -> Failure {
    match error {
        HostError::Taken { address } => Failure::failed("W160").set("address", address.to_string()),
        HostError::Open { account, puppet, address } => {
            let door = Args::new().set("account", account.to_string()).set("puppet", puppet.as_str());
            Failure::usage("W161").set("address", &**address).set("door", text(lang, "door", &door))
        }
        HostError::Bind { address, source } => {
            Failure::failed("W162").set("address", address.to_string()).source(source)
        }
        HostError::Twice { page, first, second } => {
            Failure::usage("W163").set("page", *page).set("first", first.to_string()).set("second", second.to_string())
        }
        other => Failure::failed("W109").source(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_that_listens_everywhere_is_found_by_phones() {
        let own = || vec!["192.168.1.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        let of = |address: &str| urls(address.parse().unwrap(), own());
        assert_eq!(of("127.0.0.1:8080"), ["http://127.0.0.1:8080"]);
        assert_eq!(of("192.168.1.9:80"), ["http://192.168.1.9:80"]);
        assert_eq!(of("0.0.0.0:8080"), ["http://127.0.0.1:8080", "http://192.168.1.7:8080"]);
        assert_eq!(of("[::]:81"), ["http://[::1]:81", "http://192.168.1.7:81", "http://[2001:db8::7]:81"]);
    }

    #[test]
    fn no_address_of_this_machine_alone_is_offered_to_phones() {
        assert!(own_addresses().iter().all(|ip| !ip.is_loopback() && !ip.is_unspecified()));
    }
}
