//! CERTIFICATES as far as those of version 1 need it: no library that we have reads them.
//!
//! Only what is checked is read, nothing is copied, and nothing panics: what is cut off or nested wrongly is `None`.

/// A certificate of X.509, in parts.
#[derive(Debug)]
pub(crate) struct Certificate<'a> {
    /// 1, 2 or 3.
    pub(crate) version: u8,
    /// What is signed: all of its DER.
    pub(crate) signed: &'a [u8],
    /// How it is signed: what is inside of the `AlgorithmIdentifier`.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    /// Seconds since 1970.
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    /// The `SubjectPublicKeyInfo`: all of its DER.
    pub(crate) key_info: &'a [u8],
    pub(crate) key_algorithm: &'a [u8],
    pub(crate) key: &'a [u8],
    /// What `basicConstraints` says; `None`: there are none.
    pub(crate) is_authority: Option<bool>,
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// UTF8String, PrintableString, TeletexString, IA5String.
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

impl<'a> Certificate<'a> {
    /// `None`: it is none.
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(der);
        let mut all = Reader(outer.value(SEQUENCE)?);
        if !outer.0.is_empty() {
            return None;
        }
        let (signed, tbs) = all.element(SEQUENCE)?;
        let algorithm = all.value(SEQUENCE)?;
        let signature = bits(all.value(BITS)?)?;
        let mut tbs = Reader(tbs);
        let version = match tbs.optional(VERSION) {
            Some(version) => match Reader(version).value(INTEGER)? {
                [number @ 0..=2] => number + 1,
                _ => return None,
            },
            None => 1,
        };
        tbs.value(INTEGER)?;
        // Both say how it is signed, and must agree.
        if tbs.value(SEQUENCE)? != algorithm {
            return None;
        }
        let issuer = tbs.value(SEQUENCE)?;
        let mut validity = Reader(tbs.value(SEQUENCE)?);
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        let subject = tbs.value(SEQUENCE)?;
        let (key_info, info) = tbs.element(SEQUENCE)?;
        let mut info = Reader(info);
        let (key_algorithm, key) = (info.value(SEQUENCE)?, bits(info.value(BITS)?)?);
        Some(Self {
            version,
            signed,
            algorithm,
            signature,
            issuer,
            subject,
            not_before,
            not_after,
            key_info,
            key_algorithm,
            key,
            is_authority: authority(tbs)?,
        })
    }

    /// The common name of the subject; `None`: there is none, or more than one.
    pub(crate) fn common_name(&self) -> Option<&'a str> {
        let mut names = Reader(self.subject);
        let mut found = None;
        while !names.0.is_empty() {
            let mut set = Reader(names.value(SET)?);
            while !set.0.is_empty() {
                let mut pair = Reader(set.value(SEQUENCE)?);
                if pair.value(OID)? == COMMON_NAME {
                    let (tag, value) = pair.any()?;
                    let text = TEXTS.contains(&tag).then(|| std::str::from_utf8(value).ok()).flatten()?;
                    if found.replace(text).is_some() {
                        return None;
                    }
                }
            }
        }
        found
    }
}

/// What the rest of a certificate says about signing others. `None`: it cannot be read.
fn authority(mut rest: Reader<'_>) -> Option<Option<bool>> {
    while !rest.0.is_empty() {
        let (tag, value) = rest.any()?;
        if tag != EXTENSIONS {
            continue;
        }
        let mut extensions = Reader(Reader(value).value(SEQUENCE)?);
        while !extensions.0.is_empty() {
            let mut extension = Reader(extensions.value(SEQUENCE)?);
            let id = extension.value(OID)?;
            extension.optional(BOOLEAN);
            let value = extension.value(OCTETS)?;
            if id == BASIC_CONSTRAINTS {
                let mut constraints = Reader(Reader(value).value(SEQUENCE)?);
                return Some(Some(constraints.optional(BOOLEAN).is_some_and(|value| value == [0xff])));
            }
        }
    }
    Some(None)
}

/// Bits that are whole bytes.
fn bits(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(&[0])
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next element: its tag, all of it, and its value.
    fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                // The shortest form is the only one.
                (if length < 0x80 || bytes[0] == 0 { return None } else { length }, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some((tag, whole, value))
    }

    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        self.next().map(|(tag, _, value)| (tag, value))
    }

    fn element(&mut self, wanted: u8) -> Option<(&'a [u8], &'a [u8])> {
        self.next().filter(|(tag, ..)| *tag == wanted).map(|(_, whole, value)| (whole, value))
    }

    fn value(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.element(wanted).map(|(_, value)| value)
    }

    /// The next one, if it has this tag.
    fn optional(&mut self, wanted: u8) -> Option<&'a [u8]> {
        if self.0.first() == Some(&wanted) { self.value(wanted) } else { None }
    }

    /// Seconds since 1970.
    fn time(&mut self) -> Option<u64> {
        let (tag, value) = self.any()?;
        let digits = value.strip_suffix(b"Z")?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = |part: &[u8]| part.iter().fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0'));
        let (year, rest) = match (tag, digits.len()) {
            (UTC_TIME, 12) => {
                let year = number(&digits[..2]);
                (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
            }
            (TIME, 14) => (number(&digits[..4]), &digits[4..]),
            _ => return None,
        };
        let part = |at: usize| number(&rest[at..at + 2]);
        let (month, day) = (part(0), part(2));
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
            return None;
        }
        Some(days(year, month, day) * 86_400 + part(4) * 3_600 + part(6) * 60 + part(8))
    }
}

/// Days from 1970 to a day of the Gregorian calendar, in years that begin with March.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(2031, 8, 22), 22_513);
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        for der in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0, 0, 0, 1, 0], &[0x30, 3, 0x30, 9, 0], &[0xff; 64]]
        {
            assert!(Certificate::read(der).is_none(), "{der:?}");
        }
    }
}
