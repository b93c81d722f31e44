//! ROOM: how many connections there may be: all together, as far as the system's limit of open files goes, and from one
//! address, so that nobody takes the places of all others.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// Open files that are not connections: stores, logs, puppets.
const RESERVED: u64 = 128;
/// The share of one address: one in so many.
const SHARE: usize = 4;

/// So many connections as were asked for, or as the system allows.
pub(super) fn allowed(asked: usize) -> usize {
    let allowed = capped(asked, limit());
    if allowed < asked {
        tracing::warn!(asked, allowed, "the limit of open files leaves room for fewer connections");
    }
    allowed
}

fn capped(asked: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return asked };
    let free = limit.saturating_sub(RESERVED).max(limit / 2).max(1);
    asked.min(usize::try_from(free).unwrap_or(usize::MAX))
}

/// How many files may be open; `None`: nobody counts.
fn limit() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

/// Connections by address.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
}

/// One connection of an address; given back on drop.
#[derive(Debug)]
pub(super) struct Share(Shares, IpAddr);

impl Shares {
    pub(super) fn of(connections: usize) -> Self {
        Self { open: Arc::default(), most: (connections / SHARE).max(1) }
    }

    /// `None`: the address has its share already. Programs of this machine, such as a proxy, have no bound of their own.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Option<Share>> {
        if peer.is_loopback() {
            return Some(None);
        }
        let whose = whose(peer);
        let mut open = self.open.lock();
        let count = open.entry(whose).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Some(Share(self.clone(), whose)))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.0.open.lock();
        if let Some(count) = open.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.1);
            }
        }
    }
}

/// Of version 6 everybody has a whole network of addresses.
fn whose(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_connections_than_files_may_be_open() {
        assert_eq!(capped(4096, Some(1024)), 896);
        assert_eq!((capped(4096, Some(20_000)), capped(4096, None), capped(4096, Some(0))), (4096, 4096, 1));
        assert_eq!(capped(4096, Some(100)), 50);
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let shares = Shares::of(8);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let one = (shares.take(ip("192.0.2.1")), shares.take(ip("192.0.2.1")));
        assert!(one.0.is_some() && one.1.is_some() && shares.take(ip("192.0.2.1")).is_none());
        assert!(shares.take(ip("192.0.2.2")).is_some(), "another one");
        drop(one);
        assert!(shares.take(ip("192.0.2.1")).is_some() && shares.open.lock().is_empty());
        let six = (shares.take(ip("2001:db8::1")), shares.take(ip("2001:db8::2")));
        assert!(six.1.is_some() && shares.take(ip("2001:db8::3")).is_none(), "one network");
        let proxy: Vec<_> = (0..20).map(|_| shares.take(ip("127.0.0.1"))).collect();
        assert!(proxy.iter().all(Option::is_some));
    }
}
