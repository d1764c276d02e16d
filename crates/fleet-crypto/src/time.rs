//! Instants. The crate reads no clock; every instant is an argument.
use serde::{Deserialize, Serialize};
use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z, negative before it.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

impl UnixSeconds {
    /// This instant moved by `seconds`, saturating at the ends of the range.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this instant, saturating.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The calendar form in UTC: year, month, day, hour, minute, second (proleptic Gregorian).
    #[must_use]
    pub(crate) fn civil(self) -> Civil {
        let days = self.0.div_euclid(86_400);
        let rest = self.0.rem_euclid(86_400);
        // Days since 0000-03-01, then the usual era arithmetic.
        let z = days.saturating_add(719_468);
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe
            .saturating_add(era.saturating_mul(400))
            .saturating_add(i64::from(month <= 2));
        Civil {
            year,
            month,
            day: doy - (153 * mp + 2) / 5 + 1,
            hour: rest / 3_600,
            minute: rest % 3_600 / 60,
            second: rest % 60,
        }
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A calendar instant in UTC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Civil {
    /// The instant, or nothing when a field is out of its range.
    pub(crate) fn to_unix(self) -> Option<UnixSeconds> {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + i64::from(leap),
            1..=12 => 31,
            _ => return None,
        };
        let fits = (0..=9_999).contains(&year)
            && (1..=length).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        if !fits {
            return None;
        }
        let y = year - i64::from(month <= 2);
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        let days = era * 146_097 + doe - 719_468;
        Some(UnixSeconds(
            days * 86_400 + hour * 3_600 + minute * 60 + second,
        ))
    }

    /// Two decimal digits at `at`, or nothing.
    fn two(text: &[u8], at: usize) -> Option<i64> {
        let digit = |i: usize| {
            text.get(i)
                .filter(|b| b.is_ascii_digit())
                .map(|b| i64::from(b - b'0'))
        };
        Some(digit(at)? * 10 + digit(at.checked_add(1)?)?)
    }

    /// Parses `YYYYMMDDHHMMSSZ`, and with separators `YYYY-MM-DDTHH:MM:SSZ` or `YYYYMMDDTHHMMSSZ`.
    pub(crate) fn parse(text: &[u8], form: CivilForm) -> Option<UnixSeconds> {
        let (template, at): (&[u8], [usize; 7]) = match form {
            CivilForm::Asn1 => (b"..............Z", [0, 2, 4, 6, 8, 10, 12]),
            CivilForm::Basic => (b"........T......Z", [0, 2, 4, 6, 9, 11, 13]),
            CivilForm::Extended => (b"....-..-..T..:..:..Z", [0, 2, 5, 8, 11, 14, 17]),
        };
        let shaped = text.len() == template.len()
            && text
                .iter()
                .zip(template)
                .all(|(byte, want)| *want == b'.' || byte == want);
        if !shaped {
            return None;
        }
        let [y1, y2, mo, d, h, mi, s] = at.map(|i| Self::two(text, i));
        Self {
            year: y1? * 100 + y2?,
            month: mo?,
            day: d?,
            hour: h?,
            minute: mi?,
            second: s?,
        }
        .to_unix()
    }

    /// Writes the instant in `form`.
    pub(crate) fn print(self, form: CivilForm) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        match form {
            CivilForm::Asn1 => {
                format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
            }
            CivilForm::Basic => {
                format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
            }
            CivilForm::Extended => {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
            }
        }
    }
}

/// How an instant is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CivilForm {
    /// `YYYYMMDDHHMMSSZ`
    Asn1,
    /// `YYYYMMDDTHHMMSSZ`
    Basic,
    /// `YYYY-MM-DDTHH:MM:SSZ`
    Extended,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_instants() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-05-28T20:26:40Z", 1_780_000_000),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2049-12-31T23:59:59Z", 2_524_607_999),
        ] {
            assert_eq!(
                Civil::parse(text.as_bytes(), CivilForm::Extended),
                Some(UnixSeconds(unix)),
                "{text}"
            );
            assert_eq!(UnixSeconds(unix).civil().print(CivilForm::Extended), text);
        }
        for bad in [
            "2026-02-30T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-1-01T00:00:00Z",
            "",
        ] {
            assert_eq!(
                Civil::parse(bad.as_bytes(), CivilForm::Extended),
                None,
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn civil_round_trips(unix in -62_000_000_000i64..253_402_300_799) {
            prop_assert_eq!(UnixSeconds(unix).civil().to_unix(), Some(UnixSeconds(unix)));
        }
    }
}
