//! From when until when a certificate is good: the little that must be read of one by ourselves.

use wechaty_puppet::Timestamp;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The span of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// The day of `until`, as in `2046-11-24`.
    pub(super) last_day: String,
}

/// Reads it out of a certificate in DER; `None`: it is none.
pub(super) fn of(certificate: &[u8]) -> Option<Validity> {
    let (certificate, rest) = value(certificate, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let (body, _) = value(certificate, SEQUENCE)?;
    let body = value(body, VERSION).map_or(body, |(_, rest)| rest);
    let (_serial, body) = value(body, INTEGER)?;
    let (_algorithm, body) = value(body, SEQUENCE)?;
    let (_issuer, body) = value(body, SEQUENCE)?;
    let (span, _) = value(body, SEQUENCE)?;
    let (from, span) = date(span)?;
    let (until, _) = date(span)?;
    Some(Validity { from: from.0, until: until.0, last_day: until.1 })
}

/// The content of the first element, which has this tag, and what stands behind it.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, der) = der.split_first()?;
    let (&first, der) = der.split_first()?;
    let (length, der) = if first < 0x80 {
        (usize::from(first), der)
    } else {
        let (bytes, der) =
            der.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| (1..=4).contains(&bytes.len()))?;
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), der)
    };
    if found != tag {
        return None;
    }
    der.split_at_checked(length)
}

type Dated = (Timestamp, String);

fn date(der: &[u8]) -> Option<(Dated, &[u8])> {
    let ((text, rest), digits) = match *der.first()? {
        UTC_TIME => (value(der, UTC_TIME)?, 2),
        _ => (value(der, GENERALIZED_TIME)?, 4),
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if text.len() != digits + 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, length: usize| text[from..from + length].parse::<i64>().ok();
    let year = match (number(0, digits)?, digits) {
        (short, 2) if short < 50 => 2000 + short,
        (short, 2) => 1900 + short,
        (year, _) => year,
    };
    let [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map(|at| number(digits + at, 2));
    let (month, day) = (month?, day?);
    let seconds = days(year, month, day) * 86_400 + hour? * 3600 + minute? * 60 + second?;
    Some(((Timestamp::from_millis(seconds * 1000), format!("{year:04}-{month:02}-{day:02}")), rest))
}

/// Days since 1970-01-01 in the Gregorian calendar, with years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(tag: u8, text: &str) -> Option<i64> {
        let der = [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        date(&der).map(|(dated, _)| dated.0.as_millis() / 1000)
    }

    #[test]
    fn dates_of_both_forms_are_read() {
        assert_eq!(dated(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(dated(UTC_TIME, "310822123456Z"), Some(1_945_168_496));
        assert_eq!(dated(UTC_TIME, "000229000000Z"), Some(951_782_400));
        assert_eq!(dated(GENERALIZED_TIME, "20500301000000Z"), Some(2_529_705_600));
        for bad in ["", "Z", "310822123456", "31082212345xZ", "20500301000000Z"] {
            assert_eq!(dated(UTC_TIME, bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_span() {
        for bad in
            [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 2, 0x30, 0], &[0x02, 1, 1]]
        {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }
}
