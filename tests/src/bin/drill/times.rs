//! The times of the drill's policy, and what may be expected of them on a machine that has other things to do.

use std::time::{Duration, Instant};

/// A moment, as the time since the drill began.
pub(crate) type Moment = Duration;

/// How long keys live. All of it is the policy's, but for `spread`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// How long keys are fresh.
    pub(crate) ttl: Duration,
    /// How much longer they serve while they cannot be had.
    pub(crate) max_stale: Duration,
    /// How long nobody asks again, after a failure or for an unknown `kid`.
    pub(crate) cooldown: Duration,
    /// How long a fetch may take.
    pub(crate) timeout: Duration,
    /// How long it may take until every worker knows what one of them fetched. The gate's own time for that is a tenth of
    /// a second; the rest is for a machine that is busy.
    pub(crate) spread: Duration,
}

/// Short, so that keys live and die within a minute.
pub(crate) const TIMES: Times = Times {
    ttl: Duration::from_secs(6),
    max_stale: Duration::from_secs(8),
    cooldown: Duration::from_secs(2),
    timeout: Duration::from_secs(1),
    spread: Duration::from_secs(1),
};

impl Times {
    /// How long an issuer's last answer is good for at most.
    pub(crate) fn trust(&self) -> Duration {
        self.ttl + self.max_stale
    }

    /// From when on keys are asked for again that are still fresh: four fifths of their age.
    pub(crate) fn refresh(&self) -> Duration {
        self.ttl * 4 / 5
    }

    /// How long after a change at the issuer the next request must meet it: one cool-down that had just begun, and the time
    /// that the fetch takes to reach everybody.
    pub(crate) fn recovery(&self) -> Duration {
        self.cooldown + self.spread
    }

    /// The policy of the drill. Both issuers have the same times; each has a cluster of its own name.
    pub(crate) fn policy(&self, realm: &str) -> String {
        let Self {
            ttl,
            max_stale,
            cooldown,
            timeout,
            spread: _,
        } = self;
        let seconds = Duration::as_secs;
        let keys = format!(
            "{{ ttl: {}s, max_stale: {}s, cooldown: {}s, timeout: {}s }}",
            seconds(ttl),
            seconds(max_stale),
            seconds(cooldown),
            seconds(timeout)
        );
        format!(
            "\
version: 1
realm: {realm}
issuers:
  tenant:
    issuer: https://tenant.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: http://127.0.0.1/keys
    keys: {keys}
  partner:
    issuer: https://partner.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: http://127.0.0.1/keys
    keys: {keys}
routes:
  - {{ path: /timesheets, authenticated: true }}
  - {{ path: /healthz, public: true }}
envoy:
  clusters: {{ tenant: tenant, partner: partner }}
"
        )
    }
}

/// Tells the time since the drill began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// The drill begins.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Moment {
        self.0.elapsed()
    }
}
