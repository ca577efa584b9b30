//! The filter's gauges in Envoy's statistics: how the keys of each issuer stand. README.md lists them for operators.

use std::cell::Cell;
use std::collections::BTreeMap;

use scopegate_core::{ClockDrift, IssuerId, KeyStatus, Policy};

use crate::counters::PREFIX;
use crate::host::{self, Gauge, HostError, Level};
use crate::sharing;

/// The gauges of all issuers of a policy.
pub(crate) struct Gauges(BTreeMap<IssuerId, OfIssuer>);

struct OfIssuer {
    state: Defined,
    age_seconds: Defined,
    count: Defined,
    clock_ahead_seconds: Defined,
    clock_behind_seconds: Defined,
    waiting: Defined,
    /// What this worker has added to the number of all workers.
    waiting_here: Cell<usize>,
}

/// A gauge, or nothing where the host could not define it.
type Defined = Option<Gauge>;

impl Gauges {
    /// Defines the gauges of a policy. What cannot be defined is said in the log.
    pub(crate) fn define(policy: &Policy) -> Self {
        let mut failure = None;
        let mut define = |issuer: &str, name: &str| {
            let defined = host::define_gauge(&format!("{PREFIX}.keys.{issuer}.{name}"));
            defined.map_err(|error| failure = Some(error)).ok()
        };
        let of_issuer = |id: IssuerId| {
            let name = policy.issuer_name(id);
            let gauges = OfIssuer {
                state: define(name, "state"),
                age_seconds: define(name, "age_seconds"),
                count: define(name, "count"),
                clock_ahead_seconds: define(name, "clock_ahead_seconds"),
                clock_behind_seconds: define(name, "clock_behind_seconds"),
                waiting: define(name, "waiting"),
                waiting_here: Cell::new(0),
            };
            (id, gauges)
        };
        let mut gauges = Self(BTreeMap::new());
        gauges.0.extend(policy.issuer_ids().map(of_issuer));
        if let Some(error) = failure {
            warn(error);
        }
        gauges
    }

    /// How the keys of an issuer stand. Every worker says so on every tick: what another policy said of an issuer of that name, or
    /// one that is no more, does not last.
    pub(crate) fn keys(&self, issuer: IssuerId, status: KeyStatus) {
        let Some(gauges) = self.0.get(&issuer) else {
            return;
        };
        record(gauges.state, sharing::number(status.state).into());
        record(
            gauges.age_seconds,
            status.age.map_or(0, |age| age.as_secs()),
        );
        record(gauges.count, u64::try_from(status.keys).unwrap_or(u64::MAX));
    }

    /// How far the issuer's clock is from ours.
    pub(crate) fn clock(&self, issuer: IssuerId, drift: ClockDrift) {
        let Some(gauges) = self.0.get(&issuer) else {
            return;
        };
        let (ahead, behind) = match drift {
            ClockDrift::Ahead(apart) => (apart.as_secs(), 0),
            ClockDrift::Behind(apart) => (0, apart.as_secs()),
        };
        record(gauges.clock_ahead_seconds, ahead);
        record(gauges.clock_behind_seconds, behind);
    }

    /// How many requests wait for each issuer's keys in this worker.
    pub(crate) fn waiting(&self, count: impl Fn(IssuerId) -> usize) {
        for (issuer, gauges) in &self.0 {
            let here = count(*issuer);
            let before = gauges.waiting_here.replace(here);
            let change = i64::try_from(here)
                .ok()
                .zip(i64::try_from(before).ok())
                .and_then(|(here, before)| here.checked_sub(before));
            if let (Some(gauge), Some(change)) =
                (gauges.waiting, change.filter(|change| *change != 0))
            {
                // A number that is lost harms nobody.
                let _ = host::add(gauge, change);
            }
        }
    }

    /// Takes back what was said: the policy is no more. Others that name these issuers say it again on their next tick, and how far a clock
    /// is off at their next fetch.
    pub(crate) fn clear(&self) {
        self.waiting(|_| 0);
        for gauges in self.0.values() {
            for gauge in [
                gauges.state,
                gauges.age_seconds,
                gauges.count,
                gauges.clock_ahead_seconds,
                gauges.clock_behind_seconds,
            ] {
                record(gauge, 0);
            }
        }
    }
}

fn record(gauge: Defined, value: u64) {
    if let Some(gauge) = gauge {
        let _ = host::record(gauge, value);
    }
}

fn warn(error: HostError) {
    let line = format!("scopegate: not every gauge could be defined: {error}");
    host::log(Level::Warn, &line);
}
