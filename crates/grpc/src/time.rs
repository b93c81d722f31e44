//! TIMES of both generations: always milliseconds when written, and repaired when they were read as something else.

use wechaty_types::Timestamp;

/// Both fields of a time: `receive_time`, and the number of milliseconds that came before it.
///
/// Both are always there: without the new one Go takes the old one for seconds, or crashes.
pub fn write(time: Timestamp) -> (Option<prost_types::Timestamp>, u64) {
    let ms = time.as_millis();
    // Below a second, so it fits.
    let nanos = i32::try_from(ms.rem_euclid(1000) * 1_000_000).unwrap_or_default();
    let new = prost_types::Timestamp { seconds: ms.div_euclid(1000), nanos };
    (Some(new), u64::try_from(ms).unwrap_or_default())
}

/// The new field, else the old one.
///
/// Some puppets give seconds, and their server writes those as if they were milliseconds: times that would lie before
/// March 1973 are taken for seconds, as everywhere in Wechaty ([`Timestamp::from_wire`]).
pub fn read(new: Option<prost_types::Timestamp>, old: u64) -> Timestamp {
    let ms = new.map_or(0, |new| new.seconds.saturating_mul(1000).saturating_add(i64::from(new.nanos) / 1_000_000));
    let old = || i64::try_from(old).unwrap_or(i64::MAX);
    Timestamp::from_wire(if ms == 0 { old() } else { ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fields_hold_milliseconds() {
        let (new, old) = write(Timestamp::from_millis(1_600_000_001_234));
        assert_eq!(new, Some(prost_types::Timestamp { seconds: 1_600_000_001, nanos: 234_000_000 }));
        assert_eq!(old, 1_600_000_001_234);
        assert_eq!(write(Timestamp::default()), (Some(prost_types::Timestamp::default()), 0));
        assert_eq!(write(Timestamp::from_millis(-1)).0.map(|t| (t.seconds, t.nanos)), Some((-1, 999_000_000)));
    }

    #[test]
    fn seconds_taken_for_milliseconds_are_repaired() {
        // 1,600,000,001 s, written as that many milliseconds.
        let wrong = prost_types::Timestamp { seconds: 1_600_000, nanos: 1_000_000 };
        let right = Timestamp::from_millis(1_600_000_001_000);
        assert_eq!(read(Some(wrong), 1_600_000_001), right);
        assert_eq!(read(None, 1_600_000_001), right);
        assert_eq!(read(None, 1_600_000_001_000), right);
        assert_eq!(read(Some(prost_types::Timestamp::default()), 1_600_000_001_000), right);
    }

    #[test]
    fn no_number_is_too_large() {
        let most = prost_types::Timestamp { seconds: i64::MAX, nanos: i32::MAX };
        assert_eq!(read(Some(most), 0).as_millis(), i64::MAX);
        let least = prost_types::Timestamp { seconds: i64::MIN, nanos: i32::MIN };
        assert_eq!(read(Some(least), u64::MAX).as_millis(), i64::MIN);
        assert_eq!(read(None, u64::MAX).as_millis(), i64::MAX);
        write(Timestamp::from_millis(i64::MIN));
        write(Timestamp::from_millis(i64::MAX));
    }
}
