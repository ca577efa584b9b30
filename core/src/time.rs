//! Time as the core sees it: an argument, never a clock.

use std::time::Duration;

/// A point in time: milliseconds since the Unix epoch.
///
/// RFC 7519 section 2 (`NumericDate`) counts seconds and allows fractions; a millisecond is finer than any issuer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    millis: u64,
}

impl Timestamp {
    /// A point in time, in milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// A point in time, in whole seconds since the Unix epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self {
            millis: secs.saturating_mul(1000),
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> u64 {
        self.millis
    }

    /// The distance between two points, whichever came first.
    ///
    /// A clock that was set back makes the past look like the future, and a difference that stops at zero would keep
    /// it young for as long. Where that matters, the order is looked at as well.
    pub(crate) fn distance(self, other: Self) -> Duration {
        Duration::from_millis(self.millis.abs_diff(other.millis))
    }

    /// This point, earlier by `by`; the beginning of time when there is none.
    pub(crate) fn before(self, by: Duration) -> Self {
        Self::from_millis(self.millis.saturating_sub(millis_of(by)))
    }

    /// This point, later by `by`; the end of time when it would overflow.
    pub(crate) fn after(self, by: Duration) -> Self {
        Self::from_millis(self.millis.saturating_add(millis_of(by)))
    }
}

/// The milliseconds of a duration, as far as they can be counted; in 64 bits, which a host of 32 can multiply.
fn millis_of(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1000);
    seconds.saturating_add(u64::from(duration.subsec_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_count_to_the_millisecond_and_end_where_time_does() {
        let at = Timestamp::from_millis(2_000);
        let by = Duration::from_millis(1_234);
        assert_eq!(at.after(by).millis(), 3_234);
        assert_eq!(at.before(by).millis(), 766);
        assert_eq!(at.after(Duration::MAX).millis(), u64::MAX);
        assert_eq!(at.before(Duration::MAX).millis(), 0);
    }

    #[test]
    fn distance_is_the_same_both_ways() {
        let early = Timestamp::from_secs(10);
        let late = Timestamp::from_secs(70);
        assert_eq!(early.distance(late), Duration::from_secs(60));
        assert_eq!(late.distance(early), Duration::from_secs(60));
    }

    #[test]
    fn the_end_of_time_does_not_wrap() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.after(Duration::from_secs(1)), end);
    }
}
