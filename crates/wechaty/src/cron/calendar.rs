//! CRON: when a job is due, by the calendar of a time zone. Pure: it is told what time it is.

use std::{cmp::Ordering, str::FromStr};

use croner::{
    errors::CronError,
    time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday},
};
use jiff::{
    SignedDuration, ZonedDateTime,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};
use wechaty_types::Timestamp;

use super::CronFault;

/// A cron expression in a time zone.
#[derive(Debug)]
pub(super) struct Calendar {
    expression: String,
    cron: croner::Cron,
    zone: TimeZone,
}

impl Calendar {
    /// `now`: it must be due some time behind it.
    pub(super) fn new(expression: &str, zone: TimeZone, now: Timestamp) -> Result<Self, CronFault> {
        let cron = croner::Cron::from_str(expression).map_err(|_| CronFault::find(expression))?;
        let calendar = Self { expression: expression.to_owned(), cron, zone };
        match calendar.next(now) {
            Some(_) => Ok(calendar),
            None => Err(CronFault::NeverDue),
        }
    }

    /// Sets apart times of one expression in one zone from all others.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.zone.iana_name().unwrap_or_default(), self.expression)
    }

    /// The first time it is due behind this one; `None`: never again.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&self.local(after)?, false).ok()?;
        Some(found.timestamp()).filter(|due| *due > after)
    }

    /// The last time it was due until this one, this one included.
    pub(super) fn last(&self, until: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&self.local(until)?, true).ok()?;
        Some(found.timestamp()).filter(|due| *due <= until)
    }

    /// To the second.
    fn local(&self, at: Timestamp) -> Option<Local> {
        let at = jiff::Timestamp::from_second(at.as_millis().div_euclid(1_000)).ok()?;
        Some(Local(at.to_zoned_datetime(self.zone.clone())))
    }
}

/// A time in a zone, as croner walks along it. (Its own support of jiff is that of an earlier jiff.)
#[derive(Clone, Debug)]
struct Local(ZonedDateTime);

impl Local {
    fn timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.0.timestamp().as_millisecond())
    }
}

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        let at = self.0.datetime();
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(
                at.year().into(),
                at.month().unsigned_abs().into(),
                at.day().unsigned_abs().into(),
            ),
            CivilTime::from_parts_unchecked(
                at.hour().unsigned_abs().into(),
                at.minute().unsigned_abs().into(),
                at.second().unsigned_abs().into(),
            ),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(self.0.weekday().to_sunday_zero_offset().unsigned_abs().into())
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let wrong = |_| CronError::InvalidDate;
        let part = |n: u32| i8::try_from(n).map_err(|_| CronError::InvalidTime);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let (month, day) = (part(civil.month())?, part(civil.day())?);
        let (hour, minute, second) = (part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
        let at = DateTime::new(year, month, day, hour, minute, second, 0).map_err(wrong)?;
        let found = self.0.time_zone().to_ambiguous_zoned_datetime(at);
        Ok(match found.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(Self(found.unambiguous().map_err(wrong)?)),
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
            AmbiguousOffset::Fold { .. } => Resolution::Ambiguous(
                Self(found.clone().earlier().map_err(wrong)?),
                Self(found.later().map_err(wrong)?),
            ),
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn calendar(expression: &str, name: &str) -> Calendar {
        Calendar::new(expression, crate::time_zone(name).expect("a zone"), EARLY).expect("an expression")
    }

    /// `2026-11-29T23:00[Europe/London]`.
    fn at(time: &str) -> Timestamp {
        let (time, zone) = time.trim_end_matches(']').split_once('[').expect("a zone");
        let time: jiff::civil::DateTime = time.parse().expect("a time");
        let time = time.to_zoned_datetime(crate::time_zone(zone).expect("a zone")).expect("a time");
        Timestamp::from_millis(time.timestamp().as_millisecond())
    }

    /// When it is due in these days, as clocks in New York show it.
    fn due(expression: &str, from: &str, until: &str) -> Vec<String> {
        let calendar = calendar(expression, "America/New_York");
        let (mut now, until) = (at(&format!("{from}[America/New_York]")), at(&format!("{until}[America/New_York]")));
        let mut found = Vec::new();
        while let Some(next) = calendar.next(now).filter(|next| *next < until) {
            assert_eq!(calendar.last(next), Some(next), "both ways meet");
            assert_eq!(calendar.last(next.plus(std::time::Duration::from_millis(1_500))), Some(next));
            assert!(next > now);
            found.push(calendar.local(next).expect("a time").0.strftime("%d %H:%M %Z").to_string());
            now = next;
        }
        found
    }

    #[test]
    fn when_clocks_go_forward_nothing_runs_twice_or_not_at_all() {
        // 2026-03-08: 02:00 is 03:00.
        let days = |expression| due(expression, "2026-03-07T12:00", "2026-03-10T00:00");
        assert_eq!(days("30 2 * * *"), ["08 03:00 EDT", "09 02:30 EDT"]);
        assert_eq!(days("0 9 * * *"), ["08 09:00 EDT", "09 09:00 EDT"]);
        let night = due("*/30 * * * *", "2026-03-08T01:00", "2026-03-08T04:00");
        assert_eq!(night, ["08 01:30 EST", "08 03:00 EDT", "08 03:30 EDT"]);
    }

    #[test]
    fn when_clocks_go_back_nothing_runs_twice_or_not_at_all() {
        // 2026-11-01: 02:00 is 01:00 again.
        let days = |expression| due(expression, "2026-10-31T12:00", "2026-11-03T00:00");
        assert_eq!(days("30 1 * * *"), ["01 01:30 EDT", "02 01:30 EST"]);
        assert_eq!(days("0 9 * * *"), ["01 09:00 EST", "02 09:00 EST"]);
        let night = due("*/30 * * * *", "2026-11-01T00:30", "2026-11-01T02:30");
        let expected = ["01 01:00 EDT", "01 01:30 EDT", "01 01:00 EST", "01 01:30 EST", "01 02:00 EST"];
        assert_eq!(night, expected);
    }

    #[test]
    fn a_bad_expression_says_what_it_must_be() {
        let fault =
            |expression| Calendar::new(expression, TimeZone::UTC, EARLY).expect_err("no expression").told(expression);
        assert!(fault("0 9 * *").contains("it has 4 fields"), "{}", fault("0 9 * *"));
        assert!(fault("99 9 * * *").contains("`99 9 * * *` is no cron expression"));
        assert_eq!(fault("0 0 30 2 *"), "`0 0 30 2 *` is never due");
        assert!(crate::time_zone("Asia/Shangai").is_none());
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let shanghai = calendar("0 9 * * MON-FRI", "Asia/Shanghai");
        // Sunday evening in London is Monday morning there.
        let next = shanghai.next(at("2026-11-29T23:00[Europe/London]")).expect("due");
        assert_eq!(next, at("2026-11-30T09:00[Asia/Shanghai]"));
    }
}
