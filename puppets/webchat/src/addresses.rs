//! ADDRESSES: how often somebody joins, or guesses the token, from one address. Bounded: who comes when there are too many
//! addresses shares one bucket with the others.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use wechaty_puppet::Timestamp;

use crate::limits::{Bucket, LOCAL, Pace};

/// Most addresses that are remembered.
const MOST: usize = 4_096;

/// The buckets of all addresses.
#[derive(Debug)]
pub(crate) struct Addresses {
    pace: Pace,
    all: HashMap<IpAddr, Bucket>,
}

impl Addresses {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, all: HashMap::new() }
    }

    /// Takes one from an address, or tells when there will be one.
    pub(crate) fn take(&mut self, from: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        self.bucket(from, now).take(now)
    }

    /// Whether there is one.
    pub(crate) fn has(&mut self, from: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        self.bucket(from, now).has(1.0, now)
    }

    /// Nobody told where it comes from: as from this machine.
    fn bucket(&mut self, from: Option<IpAddr>, now: Timestamp) -> &mut Bucket {
        let from = from.unwrap_or(IpAddr::V6(Ipv6Addr::LOCALHOST));
        let pace = if from.is_loopback() { self.pace.times(LOCAL) } else { self.pace };
        let mut key = network(from);
        if !self.all.contains_key(&key) && self.all.len() >= MOST {
            self.all.retain(|_, bucket| !bucket.is_full(now));
            if self.all.len() >= MOST {
                key = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        self.all.entry(key).or_insert_with(|| pace.full(now))
    }
}

/// What one person has: an address, or in IPv6 a network of them.
fn network(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::GUESSES;

    #[test]
    fn addresses_do_not_pay_for_each_other_and_are_bounded() {
        let (mut all, at) = (Addresses::new(GUESSES), Timestamp::from_millis);
        let from = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        assert!((0..20).all(|_| all.take(from("2001:db8::1"), at(0)).is_ok()));
        assert_eq!(all.take(from("2001:db8::2"), at(0)), Err(Duration::from_secs(5)));
        assert!(all.take(from("192.0.2.1"), at(0)).is_ok() && all.take(from("2001:db8::2"), at(5_000)).is_ok());
        assert!((0..1_000).all(|_| all.take(from("127.0.0.1"), at(0)).is_ok()));
        for n in 0..2 * MOST as u32 {
            let _ = all.take(Some(IpAddr::V4(n.into())), at(6_000));
        }
        assert!(all.all.len() <= MOST + 1);
    }
}
