//! Times in the zone of the bot that is looked at.

use jiff::{Timestamp as Instant, tz::TimeZone};
use wechaty::{Clock, time_zone};
use wechaty_types::Timestamp;

use crate::control::Place;

/// The bot's zone, if it has one.
pub(super) fn named(place: &Place) -> Option<TimeZone> {
    time_zone(place.zone.as_deref()?)
}

/// The bot's zone, or that of this machine.
pub(super) fn zone(place: &Place) -> TimeZone {
    named(place).unwrap_or_else(here)
}

/// The zone of this machine, also where it is only named and the machine has no data of zones.
pub(super) fn here() -> TimeZone {
    let named = || std::env::var("TZ").ok().and_then(|name| time_zone(&name));
    TimeZone::try_system().ok().or_else(named).unwrap_or_else(TimeZone::system)
}

/// What a zone is called; one without a name (`TZ=CST-8`) by its offset now.
pub(super) fn zone_name(zone: &TimeZone) -> String {
    let now = Instant::from_millisecond(Clock::system().wall().as_millis()).unwrap_or_default();
    let offset = || now.to_zoned_datetime(zone.clone()).strftime("UTC%:z").to_string();
    zone.iana_name().map_or_else(offset, str::to_owned)
}

/// A time to the second: the offset stands with it.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    told(at, zone, "%Y-%m-%d %H:%M:%S %:z")
}

/// A time to the millisecond.
pub(super) fn exact(at: Timestamp, zone: &TimeZone) -> String {
    told(at, zone, "%Y-%m-%d %H:%M:%S%.3f %:z")
}

fn told(at: Timestamp, zone: &TimeZone, how: &str) -> String {
    match Instant::from_millisecond(at.as_millis()) {
        Ok(instant) => instant.to_zoned_datetime(zone.clone()).strftime(how).to_string(),
        Err(_) => at.as_millis().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_bots_zone() {
        let zone = |name| time_zone(name).expect("a zone");
        let at = Timestamp::from_millis(1_795_911_610_631);
        assert_eq!(exact(at, &zone("Asia/Shanghai")), "2026-11-29 08:20:10.631 +08:00");
        assert_eq!(exact(at, &zone("America/New_York")), "2026-11-28 19:20:10.631 -05:00");
    }

    #[test]
    fn a_zone_without_a_name_is_called_by_its_offset() {
        assert_eq!(zone_name(&time_zone("Asia/Shanghai").expect("a zone")), "Asia/Shanghai");
        assert_eq!(zone_name(&TimeZone::posix("CST-8").expect("a zone")), "UTC+08:00");
        assert_eq!(zone_name(&TimeZone::posix("<-0330>3:30").expect("a zone")), "UTC-03:30");
    }
}
