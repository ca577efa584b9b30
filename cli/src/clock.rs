//! The time at which a command decides: that of the machine, or what the user says.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use scopegate_core::Timestamp;

/// The clock of this machine. There is no other place that asks it.
#[expect(
    clippy::disallowed_methods,
    reason = "a command has to begin with some time; everything below takes it as an argument"
)]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

/// A moment from which to measure how long something takes.
#[expect(
    clippy::disallowed_methods,
    reason = "patience is measured, and nothing is decided by it"
)]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// The time of this machine, as the core counts it.
pub fn now() -> Timestamp {
    let since_epoch = wall().duration_since(UNIX_EPOCH);
    let millis = since_epoch.map_or(0, |since| since.as_millis());
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// A time as a user writes it: RFC 3339, or seconds since the Unix epoch, as `exp` has them.
///
/// # Errors
/// It is neither.
pub fn parse(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Ok(Timestamp::from_secs(seconds));
    }
    let millis = text
        .parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_millisecond);
    match millis.map(u64::try_from) {
        Ok(Ok(millis)) => Ok(Timestamp::from_millis(millis)),
        _ => bail!(
            "`{text}` is no time; write it as `2027-01-15T08:00:00Z` or in seconds since 1970"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, millis) in [
            ("1800000000", Some(1_800_000_000_000)),
            ("2027-01-15T08:00:00Z", Some(1_800_000_000_000)),
            ("2027-01-15T09:00:00.5+01:00", Some(1_800_000_000_500)),
            ("0", Some(0)),
            ("1960-01-01T00:00:00Z", None),
            ("2027-01-15", None),
            ("tomorrow", None),
            ("-5", None),
            ("", None),
        ] {
            let seen = parse(text).ok().map(Timestamp::millis);
            assert_eq!(seen, millis, "{text}");
        }
    }
}
