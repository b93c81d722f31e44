//! Points in time as the wire carries them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01 UTC.
///
/// On the wire some SDKs send seconds: numbers below 1e11 are read as seconds ([`Timestamp::from_wire`]), and times
/// before March 1973 are written so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

#[cfg(feature = "schema")]
crate::schema::of!(Timestamp, "number");

/// From here on a wire number is milliseconds.
const SECONDS_BELOW: u64 = 100_000_000_000;

impl Timestamp {
    /// From milliseconds since 1970.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }
    /// From a wire number: seconds below 1e11, milliseconds from there on.
    pub const fn from_wire(number: i64) -> Self {
        if number.unsigned_abs() < SECONDS_BELOW { Self(number * 1000) } else { Self(number) }
    }
    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    /// This point in time plus `duration`.
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
    /// The time from `earlier` to this, zero if it lies in the future.
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let seconds = number.abs() < SECONDS_BELOW as f64;
        Ok(Self(if seconds { (number * 1000.0).round() as i64 } else { number as i64 }))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ms if ms.unsigned_abs() >= SECONDS_BELOW => serializer.serialize_i64(ms),
            ms if ms % 1000 == 0 => serializer.serialize_i64(ms / 1000),
            ms => serializer.serialize_f64(ms as f64 / 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        assert_eq!(Timestamp::from_wire(1_600_000_001), Timestamp::from_millis(1_600_000_001_000));
        assert_eq!(Timestamp::from_wire(1_600_000_001_234).as_millis(), 1_600_000_001_234);
    }

    #[test]
    fn an_early_time_is_not_read_back_a_thousand_times_later() {
        for ms in [0, 1, 1000, -1500, 99_999_999_999, 100_000_000_000, 1_600_000_001_234] {
            let json = serde_json::to_string(&Timestamp(ms)).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), Timestamp(ms), "{json}");
        }
    }
}
