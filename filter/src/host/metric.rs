//! Counters and gauges in Envoy's statistics. Envoy has one set for all workers: what each of them adds is summed up, and what
//! one of them records replaces what another did.

use super::{HostError, abi, done};

/// A number of events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter(u32);

/// A number that goes up and down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauge(u32);

/// The counter of that name; the same one when it was defined before.
pub(crate) fn define_counter(name: &str) -> Result<Counter, HostError> {
    const COUNTER: u32 = 0;
    define(COUNTER, name).map(Counter)
}

/// The gauge of that name; the same one when it was defined before.
pub(crate) fn define_gauge(name: &str) -> Result<Gauge, HostError> {
    const GAUGE: u32 = 1;
    define(GAUGE, name).map(Gauge)
}

fn define(kind: u32, name: &str) -> Result<u32, HostError> {
    let mut id = 0;
    // SAFETY: the host reads one live string, and writes one u32 to a live variable.
    let status = unsafe { abi::proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    done("define_metric", status)?;
    Ok(id)
}

/// Adds one to a counter.
pub(crate) fn increment(counter: Counter) -> Result<(), HostError> {
    // SAFETY: numbers are passed, no memory.
    let status = unsafe { abi::proxy_increment_metric(counter.0, 1) };
    done("increment_metric", status)
}

/// Changes a gauge by that much, up or down.
pub(crate) fn add(gauge: Gauge, change: i64) -> Result<(), HostError> {
    // SAFETY: numbers are passed, no memory.
    let status = unsafe { abi::proxy_increment_metric(gauge.0, change) };
    done("increment_metric", status)
}

/// Sets a gauge.
pub(crate) fn record(gauge: Gauge, value: u64) -> Result<(), HostError> {
    // SAFETY: numbers are passed, no memory.
    let status = unsafe { abi::proxy_record_metric(gauge.0, value) };
    done("record_metric", status)
}
