//! How far an issuer's clock is from ours. Tokens turn on both: a clock that is off makes good ones expired, or not yet valid.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::time::Timestamp;

/// Beyond this a clock needs repair. Less may be the way of an answer, or a second that was cut off.
const ALARMING: Duration = Duration::from_secs(10);

/// The distance between an issuer's clock and ours, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockDrift {
    /// The issuer's clock shows a later time than ours, or the same.
    Ahead(Duration),
    /// The issuer's clock shows an earlier time than ours.
    Behind(Duration),
}

impl fmt::Display for ClockDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (apart, direction) = match self {
            Self::Ahead(apart) => (apart, "ahead of"),
            Self::Behind(apart) => (apart, "behind"),
        };
        let seconds = apart.as_secs();
        write!(f, "the issuer's clock is {seconds} s {direction} ours")
    }
}

impl ClockDrift {
    /// From the fields of an answer that has just come: a `Date`, and the `Age` that a cache on the way gave it (RFC 9111 section 5.1).
    pub(crate) fn between(date: &str, age: Option<&str>, now: Timestamp) -> Option<Self> {
        let written = httpdate::parse_http_date(date.trim()).ok()?;
        let written = written.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let age = age.map_or(Some(Duration::ZERO), seconds)?;
        let theirs = written.as_secs().saturating_add(age.as_secs());
        let ours = now.millis() / 1000;
        let apart = Duration::from_secs(theirs.abs_diff(ours));
        Some(match theirs >= ours {
            true => Self::Ahead(apart),
            false => Self::Behind(apart),
        })
    }

    /// Whether the two clocks are so far apart that somebody should look: more than 10 s.
    pub fn is_alarming(self) -> bool {
        let (Self::Ahead(apart) | Self::Behind(apart)) = self;
        apart > ALARMING
    }
}

/// A number of seconds, as in `Age` (RFC 9111 section 1.2.2).
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9110 section 5.6.7.
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AT: u64 = 784_111_777;

    fn check(date: &str, age: Option<&str>, now: u64, expected: Option<ClockDrift>) {
        let drift = ClockDrift::between(date, age, Timestamp::from_secs(now));
        assert_eq!(drift, expected, "{date} {age:?} at {now}");
    }

    #[test]
    fn clocks_are_compared() {
        let seconds = Duration::from_secs;
        check(DATE, None, AT, Some(ClockDrift::Ahead(seconds(0))));
        check(DATE, None, AT + 7, Some(ClockDrift::Behind(seconds(7))));
        check(DATE, None, AT - 40, Some(ClockDrift::Ahead(seconds(40))));
        // A cache on the way kept the answer for an hour.
        check(
            DATE,
            Some("3600"),
            AT + 3_601,
            Some(ClockDrift::Behind(seconds(1))),
        );
        check(
            "Sunday, 06-Nov-94 08:49:37 GMT",
            None,
            AT,
            Some(ClockDrift::Ahead(seconds(0))),
        );
    }

    #[test]
    fn what_is_no_time_tells_nothing() {
        for date in [
            "",
            "now",
            "1994-11-06T08:49:37Z",
            "Sun, 06 Nov 1994 08:49:37 +0200",
        ] {
            check(date, None, AT, None);
        }
        check(DATE, Some("-1"), AT, None);
        check(DATE, Some("1.5"), AT, None);
        check(DATE, Some("99999999999999999999"), AT, None);
    }

    #[test]
    fn ten_seconds_are_no_alarm() {
        assert!(!ClockDrift::Ahead(Duration::from_secs(10)).is_alarming());
        assert!(ClockDrift::Ahead(Duration::from_secs(11)).is_alarming());
        assert!(ClockDrift::Behind(Duration::from_secs(11)).is_alarming());
    }
}
