//! How long fetched keys are trusted, and when their issuer is asked again: the state machine, by two times alone.

use std::time::Duration;

use crate::policy::Freshness;
use crate::time::Timestamp;

/// However short an issuer's `max-age`, its keys are good for this long: an issuer that says 0 would
/// otherwise be asked for every request.
const SHORTEST_AGE: Duration = Duration::from_secs(60);

/// How far a clock may run back without having been set back.
pub(super) const CLOCK_SLEW: Duration = Duration::from_secs(1);

/// Keys are asked for again when this part of the age allowed is over, behind the requests that they still serve:
/// where there is traffic, nobody waits for a refresh, and one that hangs is known to have failed in time.
const DUE_AFTER: (u32, u32) = (4, 5);

/// How far an issuer's keys may be trusted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// There are none yet, or those there are have become too old while nobody asked for them: the next request that needs them waits
    /// for what the issuer says now, rather than trust what it said then.
    Awaited,
    /// Young enough.
    Fresh,
    /// Still serving, and old enough to be asked for again behind the requests.
    Refreshing,
    /// Too old, but the issuer cannot be reached: they go on serving, for `max_stale` at most.
    Stale,
    /// None that may be trusted, and the last time that the issuer was asked brought none: 503.
    Unavailable,
}

/// The two times that must not be one: when the keys were fetched (how far to trust them), and when they were last asked for (how
/// often to ask). With one, a failed refresh would make old keys young.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) fetched: Option<Fetched>,
    pub(super) attempt: Option<Attempt>,
}

/// The last time that the issuer gave keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetched {
    pub(super) at: Timestamp,
    /// Of when the answer is: when it was asked for, or, if a cache on the way had it, when that got it.
    pub(super) as_of: Timestamp,
    pub(super) age_allowed: Duration,
}

/// The last time that the issuer was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) at: Timestamp,
    pub(super) has_failed: bool,
}

impl KeyState {
    /// Whether keys in this state verify tokens.
    pub(super) fn is_trusted(self) -> bool {
        match self {
            Self::Fresh | Self::Refreshing | Self::Stale => true,
            Self::Awaited | Self::Unavailable => false,
        }
    }

    /// The word of logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Fresh => "fresh",
            Self::Refreshing => "refreshing",
            Self::Stale => "stale",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Times {
    /// The state of keys with these times.
    ///
    /// Keys of the future count as too old: a clock that was set back no longer tells how old they are.
    pub(super) fn state(&self, rules: Freshness, now: Timestamp) -> KeyState {
        let untrusted = match self.has_failed() {
            true => KeyState::Unavailable,
            false => KeyState::Awaited,
        };
        let Some(fetched) = self.fetched else {
            return untrusted;
        };
        let age = now.distance(fetched.at);
        let is_past = fetched.at <= now.after(CLOCK_SLEW);
        if is_past && age <= fetched.young() {
            KeyState::Fresh
        } else if is_past && age <= fetched.age_allowed {
            KeyState::Refreshing
        } else if self.has_failed() && age <= fetched.age_allowed.saturating_add(rules.max_stale) {
            KeyState::Stale
        } else {
            untrusted
        }
    }

    /// Whether keys should be asked for now without any request that needs them: those that somebody has needed before.
    pub(super) fn are_due(&self, rules: Freshness, now: Timestamp) -> bool {
        match self.state(rules, now) {
            KeyState::Fresh => false,
            KeyState::Awaited => self.attempt.is_some(),
            KeyState::Refreshing | KeyState::Stale | KeyState::Unavailable => {
                self.may_ask(rules, now)
            }
        }
    }

    /// Whether keys that are no longer young may be asked for: after a success at any time, after a failure once
    /// per cool-down.
    pub(super) fn may_ask(&self, rules: Freshness, now: Timestamp) -> bool {
        !self.has_failed() || self.cooldown_left(rules, now).is_zero()
    }

    /// Whether the last attempt brought no keys.
    pub(super) fn has_failed(&self) -> bool {
        self.attempt.is_some_and(|attempt| attempt.has_failed)
    }

    /// How long until the cool-down since the last attempt is over; zero when it is.
    pub(super) fn cooldown_left(&self, rules: Freshness, now: Timestamp) -> Duration {
        self.attempt.map_or(Duration::ZERO, |attempt| {
            rules.cooldown.saturating_sub(now.distance(attempt.at))
        })
    }
}

impl Fetched {
    /// The age at which keys are asked for again.
    fn young(self) -> Duration {
        let (part, whole) = DUE_AFTER;
        let young = self.age_allowed.saturating_mul(part).checked_div(whole);
        young.unwrap_or(self.age_allowed)
    }
}

impl Freshness {
    /// min(`ttl`, max(60 s, `max-age`)): the issuer may shorten what the policy allows, within reason.
    pub(super) fn age_allowed(self, max_age: Option<Duration>) -> Duration {
        max_age.map_or(self.ttl, |sent| self.ttl.min(sent.max(SHORTEST_AGE)))
    }
}
