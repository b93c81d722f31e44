//! Times in the zone of the bot that is looked at.

use jiff::{
    Timestamp as Instant,
    tz::{TimeZone, TimeZoneDatabase},
};
use wechaty_types::Timestamp;

use crate::control::Place;

/// The bot's zone, or that of this machine.
pub(super) fn zone(place: &Place) -> TimeZone {
    let named = place.zone.as_deref().and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
    named.unwrap_or_else(TimeZone::system)
}

/// A time to the second: the offset stands with it.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    match Instant::from_millisecond(at.as_millis()) {
        Ok(instant) => instant.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        Err(_) => at.as_millis().to_string(),
    }
}
