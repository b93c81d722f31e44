//! The time zones of IANA: their data is part of the program, not the machine's. Unpacked when somebody asks, which is rare.

use jiff::tz::TimeZone;

/// The time zone of this name.
#[doc(hidden)]
pub fn time_zone(name: &str) -> Option<TimeZone> {
    let index = index();
    let (name, from, to) = entries(&index).find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
    let data = wechaty_embed::unpack(include_bytes!(concat!(env!("OUT_DIR"), "/zones.tzif")));
    TimeZone::tzif(name, data.get(from..to)?).ok()
}

/// The names of all time zones.
#[doc(hidden)]
pub fn time_zones() -> Vec<String> {
    entries(&index()).map(|(name, ..)| name.to_owned()).collect()
}

/// A line for each: its name, and where its data begins and ends.
fn index() -> String {
    wechaty_embed::text(include_bytes!(concat!(env!("OUT_DIR"), "/zones.txt")))
}

fn entries(index: &str) -> impl Iterator<Item = (&str, usize, usize)> {
    index.lines().filter_map(|line| {
        let mut parts = line.split(' ');
        Some((parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_there_is_can_be_read() {
        let names = time_zones();
        assert!(names.len() > 500, "{} zones", names.len());
        for name in &names {
            assert_eq!(time_zone(name).expect(name).iana_name(), Some(&**name));
        }
        assert_eq!(time_zone("asia/shanghai").expect("a zone").iana_name(), Some("Asia/Shanghai"));
        assert!(time_zone("Asia/Beijing").is_none() && time_zone("").is_none());
    }
}
