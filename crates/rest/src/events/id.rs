//! ID: the number of an event in the log, as a text that sorts as it does.

use std::fmt;

use wechaty_types::Timestamp;

/// Names an event of the log: 16 hexadecimal digits that sort in the order of the log, also across restarts. To others it is
/// opaque.
///
/// It is the microsecond in which the event was logged, or one more than the last where that is not later: so it goes on
/// behind everything an earlier life has told, and where nothing is kept, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventId(pub(crate) u64);

impl EventId {
    /// The next one at this time.
    pub(super) fn next(self, now: Timestamp) -> Self {
        Self(self.0.saturating_add(1).max(Self::at(now).0))
    }

    /// The first that may be given at this time.
    pub(super) fn at(now: Timestamp) -> Self {
        Self(u64::try_from(now.as_millis()).unwrap_or_default().saturating_mul(1_000))
    }

    /// What somebody was told as an id. `None`: that was none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        u64::from_str_radix(text, 16).ok().filter(|_| is_one).map(Self)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_whatever_the_clock_does() {
        let first = EventId::default().next(Timestamp::from_millis(1_700_000_000_000));
        let second = first.next(Timestamp::from_millis(1_600_000_000_000));
        let third = second.next(Timestamp::from_millis(1_700_000_000_001));
        assert!(first < second && second < third);
        assert!(first.to_string() < second.to_string() && second.to_string() < third.to_string());
        assert_eq!(EventId::parse(&third.to_string()), Some(third));
        for bad in ["", "12", "00060a24181e4000 ", "00060A24181E4000", "+0060a24181e4000", "zz060a24181e4000"] {
            assert_eq!(EventId::parse(bad), None, "{bad}");
        }
    }
}
