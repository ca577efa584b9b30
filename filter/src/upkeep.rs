//! What the root context does for all requests of its policy: it keeps keys at hand, and tells how they stand.

use scopegate_core::{
    ClockDrift, FetchFailure, FetchReport, IssuerId, KeyAnswer, KeyRequest, KeyState, Timestamp,
};

use crate::errand::Outcome;
use crate::gate::Gate;
use crate::host::{self, Level};
use crate::{key_call, resumption, sharing};

/// How often a worker looks whether another one has left keys, and whether it is time to ask for new ones. A key that was removed is
/// refused everywhere this soon.
const REST_MS: u32 = 100;

/// Does the root's work, answers those who are ready, and sees to it that it is called again in time.
pub(crate) fn attend(gate: &Gate, work: impl FnOnce(&Gate, Timestamp)) {
    let attended = host::now().and_then(|now| {
        work(gate, now);
        // Taken out first: what happens to one of them must not meet a borrowed queue.
        let ready = gate.waiting.borrow_mut().take_ready();
        for waiter in ready {
            resumption::decide_again(gate, waiter, now);
        }
        // That has moved the effective context from request to request.
        host::set_effective_context(gate.root)?;
        gate.publish_waiting();
        host::set_tick_period(period(gate, now))
    });
    if let Err(error) = attended {
        gate.waiting.borrow_mut().unwant_all();
        host::log(
            Level::Error,
            &format!("scopegate: keys are not attended to: {error}"),
        );
    }
}

/// The work of a tick.
pub(crate) fn tick(gate: &Gate, now: Timestamp) {
    restore(gate, now);
    let wanted: Vec<_> = gate.waiting.borrow_mut().take_wanted().collect();
    let due = gate.due(now).into_iter();
    let due = due.filter(|due| wanted.iter().all(|wanted| wanted.issuer != due.issuer));
    for request in wanted.iter().cloned().chain(due) {
        if !gate.waiting.borrow().is_under_way(request.issuer) {
            take_turn(gate, request, now);
        }
    }
    for request in under_way(gate) {
        let renewed = sharing::renew(gate, request.issuer, request.timeout, now);
        if renewed == Some(Outcome::News) {
            gate.waiting.borrow_mut().release(request.issuer);
        }
    }
    let overdue = gate.waiting.borrow_mut().take_overdue_fetches(now);
    for fetch in overdue {
        conclude(gate, &fetch.request, Err(FetchFailure::Timeout), now);
    }
    gate.waiting.borrow_mut().release_overdue(now);
    report(gate, now);
}

/// What Envoy is fetching for this worker. Taken out first: what is done about it borrows the queue.
fn under_way(gate: &Gate) -> Vec<KeyRequest> {
    gate.waiting.borrow().under_way().cloned().collect()
}

/// Takes in what other workers have left; whoever waits for it can be answered.
pub(crate) fn restore(gate: &Gate, now: Timestamp) {
    for issuer in gate.sharing.issuers() {
        if sharing::look(gate, issuer, now) {
            gate.waiting.borrow_mut().release(issuer);
        }
    }
}

/// Tells how the keys of each issuer stand, in gauges and, once for all workers, in the log.
pub(crate) fn report(gate: &Gate, now: Timestamp) {
    for issuer in gate.policy.issuer_ids() {
        let Some(status) = gate.status(issuer, now) else {
            continue;
        };
        gate.gauges.keys(issuer, status);
        let Some(before) = sharing::note_state(gate, issuer, status.state) else {
            continue;
        };
        let level = match status.state {
            KeyState::Awaited | KeyState::Fresh | KeyState::Refreshing => Level::Info,
            KeyState::Stale | KeyState::Unavailable => Level::Warn,
        };
        let age = status
            .age
            .map_or(String::new(), |age| format!(", {} s old", age.as_secs()));
        let line = format!(
            "scopegate: keys of `{}`: {} after {}: {} keys{age}",
            gate.issuer_name(issuer),
            status.state.code(),
            before.code(),
            status.keys,
        );
        host::log(level, &line);
    }
}

/// The policy is no more: nobody waits, and what it has begun will not end.
pub(crate) fn end(gate: &Gate) {
    gate.gauges.clear();
    if let Ok(now) = host::now() {
        for request in under_way(gate) {
            sharing::give_up(gate, request.issuer, now);
        }
    }
    // Envoy would go on to call a context that is gone, and do nothing, for as long as the VM lives.
    let _ = host::set_tick_period(0);
}

/// In how many milliseconds the root is to be called again; zero for never.
fn period(gate: &Gate, now: Timestamp) -> u32 {
    // Where keys are never fetched, the gauges of another policy that has ended still want to be set right.
    let rest = gate.policy.issuer_ids().next().map(|_| REST_MS);
    let next = gate.waiting.borrow().next_tick(now);
    next.into_iter().chain(rest).min().unwrap_or(0)
}

/// Fetches, unless another worker does or has.
fn take_turn(gate: &Gate, request: KeyRequest, now: Timestamp) {
    match sharing::begin(gate, request.issuer, request.timeout, now) {
        Outcome::Fetch | Outcome::Alone => fetch(gate, request, now),
        Outcome::News => gate.waiting.borrow_mut().release(request.issuer),
        Outcome::Wait | Outcome::Quiet => gate.waiting.borrow_mut().hold_back(request),
    }
}

/// Begins a fetch.
fn fetch(gate: &Gate, request: KeyRequest, now: Timestamp) {
    match key_call::dispatch(gate, &request) {
        Ok(token) => gate.waiting.borrow_mut().began(request, token, now),
        Err(error) => {
            let name = gate.issuer_name(request.issuer);
            let line = format!(
                "scopegate: keys of `{name}`: the fetch did not begin: {error} \
                 (2: Envoy has no such cluster; 10: the cluster has no host)"
            );
            host::log(Level::Warn, &line);
            conclude(gate, &request, Err(FetchFailure::Unreachable), now);
        }
    }
}

/// Hands the outcome of a fetch to the core; everyone who waited for it can be answered, in all workers.
pub(crate) fn conclude(
    gate: &Gate,
    request: &KeyRequest,
    outcome: Result<KeyAnswer, FetchFailure>,
    now: Timestamp,
) {
    let result = gate.install(request, outcome, now);
    let name = gate.issuer_name(request.issuer);
    gate.counters.key_fetch(name, result);
    let next = gate.under_way(request.issuer, now);
    let level = match result {
        FetchReport::Discovered | FetchReport::Installed { .. } => Level::Info,
        // An issuer may have its metadata at the second place alone.
        FetchReport::Failed(_) if next.is_some() => Level::Info,
        FetchReport::Failed(_) => Level::Warn,
    };
    let line = format!(
        "scopegate: keys of `{name}`: {}: {result}",
        request.location
    );
    host::log(level, &line);
    if let FetchReport::Installed {
        clock: Some(drift), ..
    } = result
    {
        compare_clocks(gate, request.issuer, drift);
    }
    if let Some(next) = next {
        // Metadata was a step on the way: those who wait go on to wait for the keys, and this worker keeps its turn.
        gate.waiting.borrow_mut().want(next);
        return;
    }
    sharing::leave(gate, request.issuer, now);
    gate.waiting.borrow_mut().release(request.issuer);
    report(gate, now);
}

fn compare_clocks(gate: &Gate, issuer: IssuerId, drift: ClockDrift) {
    gate.gauges.clock(issuer, drift);
    if sharing::note_clock(gate, issuer, drift.is_alarming()) {
        let level = if drift.is_alarming() {
            Level::Warn
        } else {
            Level::Info
        };
        let name = gate.issuer_name(issuer);
        host::log(level, &format!("scopegate: keys of `{name}`: {drift}"));
    }
}
