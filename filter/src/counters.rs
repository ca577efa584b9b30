//! The filter's counters in Envoy's statistics. README.md lists them for operators.

use std::collections::BTreeMap;

use scopegate_core::{CacheUse, Facts, FetchReport, Policy, Reason};

use crate::host::{self, Counter, HostError, Level};

/// What every counter's name begins with, after Envoy's own `wasmcustom.`.
pub(crate) const PREFIX: &str = "scopegate";

/// All counters, defined when a policy is taken over, so that each is there as zero before its first event.
pub(crate) struct Counters {
    allowed: Defined,
    denied: ByReason,
    shadowed: ByReason,
    token_cache_hit: Defined,
    token_cache_miss: Defined,
    verified_by_host: Defined,
    verified_portably: Defined,
    key_fetch: BTreeMap<String, BTreeMap<&'static str, Defined>>,
    unknown_kid: BTreeMap<String, Defined>,
}

/// A counter, or nothing where the host could not define it: a gate without statistics still is a gate.
type Defined = Option<Counter>;

/// A counter for each reason, in the order of [`Reason::ALL`].
type ByReason = [Defined; Reason::ALL.len()];

impl Counters {
    /// Defines all counters of a policy. What cannot be defined is said in the log.
    pub(crate) fn define(policy: &Policy) -> Self {
        let mut failure = None;
        let mut define = |name: String| match host::define_counter(&format!("{PREFIX}.{name}")) {
            Ok(counter) => Some(counter),
            Err(error) => {
                failure = Some(error);
                None
            }
        };
        let denied = Reason::ALL.map(|reason| define(format!("denied.{}", reason.code())));
        let shadowed = Reason::ALL.map(|reason| define(format!("shadowed.{}", reason.code())));
        let mut key_fetch = BTreeMap::new();
        let mut unknown_kid = BTreeMap::new();
        for issuer in policy.issuer_names() {
            let mut outcomes = BTreeMap::new();
            for code in FetchReport::CODES {
                outcomes.insert(code, define(format!("key_fetch.{issuer}.{code}")));
            }
            key_fetch.insert(issuer.to_owned(), outcomes);
            let counter = define(format!("keys.{issuer}.unknown_kid"));
            unknown_kid.insert(issuer.to_owned(), counter);
        }
        let counters = Self {
            allowed: define("allowed".to_owned()),
            denied,
            shadowed,
            token_cache_hit: define("token_cache.hit".to_owned()),
            token_cache_miss: define("token_cache.miss".to_owned()),
            verified_by_host: define("verify.host".to_owned()),
            verified_portably: define("verify.portable".to_owned()),
            unknown_kid,
            key_fetch,
        };
        if let Some(error) = failure {
            warn(error);
        }
        counters
    }

    pub(crate) fn allowed(&self) {
        increment(self.allowed);
    }

    pub(crate) fn denied(&self, reason: Reason) {
        increment(of(reason, &self.denied));
    }

    pub(crate) fn shadowed(&self, reason: Reason) {
        increment(of(reason, &self.shadowed));
    }

    pub(crate) fn token_cache(&self, used: CacheUse) {
        match used {
            CacheUse::Unused => {}
            CacheUse::Hit => increment(self.token_cache_hit),
            CacheUse::Miss => increment(self.token_cache_miss),
        }
    }

    pub(crate) fn verified_by_host(&self) {
        increment(self.verified_by_host);
    }

    pub(crate) fn verified_portably(&self) {
        increment(self.verified_portably);
    }

    /// A request whose token names a key that the issuer's set does not have, when its answer is given.
    pub(crate) fn kid(&self, facts: &Facts<'_>) {
        if let (true, Some(issuer)) = (facts.unknown_kid, facts.issuer) {
            increment(self.unknown_kid.get(issuer).copied().flatten());
        }
    }

    pub(crate) fn key_fetch(&self, issuer: &str, report: FetchReport) {
        let of_issuer = self.key_fetch.get(issuer);
        let counter = of_issuer.and_then(|outcomes| outcomes.get(report.code()));
        increment(counter.copied().flatten());
    }
}

/// A reason's place is its number: the core's tests say that none is left out of the list.
fn of(reason: Reason, counters: &ByReason) -> Defined {
    counters.get(reason as usize).copied().flatten()
}

/// A count that is lost harms nobody, and a log line per request would.
fn increment(counter: Defined) {
    if let Some(counter) = counter {
        let _ = host::increment(counter);
    }
}

fn warn(error: HostError) {
    let line = format!("scopegate: not every counter could be defined: {error}");
    host::log(Level::Warn, &line);
}
