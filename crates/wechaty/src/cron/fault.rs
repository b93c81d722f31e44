//! CRON: what is wrong with an expression, by its field: in words of our own, which can be translated.

use std::{fmt, str::FromStr};

/// A field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CronField {
    /// 0 to 59.
    Second,
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31, `L`.
    Day,
    /// 1 to 12, or `JAN` to `DEC`.
    Month,
    /// 0 to 7, or `SUN` to `SAT`.
    Weekday,
}

impl CronField {
    const ALL: [Self; 6] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month, Self::Weekday];

    /// Stable, for catalogues.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of the month",
            Self::Month => "month",
            Self::Weekday => "day of the week",
        }
    }
    /// The plain values it takes, beside `*`, `a-b`, `*/n` and lists with commas.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => "0-59",
            Self::Hour => "0-23",
            Self::Day => "1-31, L",
            Self::Month => "1-12, JAN-DEC",
            Self::Weekday => "0-7, SUN-SAT",
        }
    }
}

/// Why a text is no time of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CronFault {
    /// It has so many fields.
    Fields(usize),
    /// A field has a value that it cannot have.
    Field {
        /// Which.
        field: CronField,
        /// What stands in it.
        value: String,
    },
    /// Its fields make no sense together.
    Unreadable,
    /// It is none of `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    Nickname,
    /// There is no such day.
    NeverDue,
}

impl fmt::Display for CronFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(count) => {
                write!(f, "it has {count} fields, and five are needed, or six that begin with seconds")
            }
            Self::Field { field, value } => {
                let (name, allowed) = (field.as_str(), field.allowed());
                write!(f, "the {name} cannot be `{value}`; it takes {allowed}, `*`, ranges, steps and lists of them")
            }
            Self::Unreadable => f.write_str("its fields make no sense together"),
            Self::Nickname => f.write_str("it takes `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`"),
            Self::NeverDue => f.write_str("it is never due"),
        }
    }
}

impl CronFault {
    /// Of an expression that could not be read.
    pub(super) fn find(expression: &str) -> Self {
        let values: Vec<&str> = expression.split_whitespace().collect();
        if let [name] = values[..]
            && name.starts_with('@')
        {
            return Self::Nickname;
        }
        let fields = match values.len() {
            5 => &CronField::ALL[1..],
            6 => &CronField::ALL[..],
            count => return Self::Fields(count),
        };
        let is_wrong = |at: &usize| {
            let mut alone = vec!["*"; values.len()];
            alone[*at] = values[*at];
            croner::Cron::from_str(&alone.join(" ")).is_err()
        };
        match (0..values.len()).find(is_wrong) {
            Some(at) => Self::Field { field: fields[at], value: values[at].to_owned() },
            None => Self::Unreadable,
        }
    }

    /// With the expression, and how one is written.
    pub(super) fn told(&self, expression: &str) -> String {
        match self {
            Self::NeverDue => format!("`{expression}` is never due"),
            _ => format!(
                "`{expression}` is no cron expression ({self}): it has five fields, minute, hour, day of the month, \
                 month and day of the week, like `0 9 * * MON-FRI`"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_is_wrong_is_named_with_its_value_and_what_it_takes() {
        use CronField::{Day, Hour, Minute, Month, Second, Weekday};
        for (expression, field, value) in [
            ("60 9 * * *", Minute, "60"),
            ("0 25 * * *", Hour, "25"),
            ("0 9 32 * *", Day, "32"),
            ("0 9 * 13 *", Month, "13"),
            ("0 9 * * MON-FRY", Weekday, "MON-FRY"),
            ("61 0 9 * * *", Second, "61"),
            ("0 9-x * * *", Hour, "9-x"),
        ] {
            let fault = CronFault::Field { field, value: value.to_owned() };
            assert_eq!(CronFault::find(expression), fault, "{expression}");
            assert!(fault.to_string().contains(field.allowed()), "{fault}");
        }
        assert_eq!(CronFault::find("9 o'clock"), CronFault::Fields(2));
        assert_eq!(CronFault::find(""), CronFault::Fields(0));
        assert_eq!(CronFault::find("@dayly"), CronFault::Nickname);
    }
}
