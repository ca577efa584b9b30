//! Carrying out a decision on the effective context: header changes, refusals, counters, access-log fields.

use scopegate_core::{Allow, Deny, Facts, Reason, Request, Response};

use crate::gate::Gate;
use crate::host::{self, HeaderMap, HostError, Level};

/// Changes an allowed request, and counts it. The caller lets it go on.
///
/// An error means that the request may still hold what had to be taken away: it must not pass.
pub(crate) fn allow(gate: &Gate, allow: &Allow<'_, '_>) -> Result<(), HostError> {
    for name in &allow.strip {
        host::remove_field(HeaderMap::Request, name)?;
    }
    for (name, value) in allow.set.iter() {
        host::set_field(HeaderMap::Request, name, value)?;
    }
    gate.counters.token_cache(allow.facts.token_cache);
    gate.counters.kid(&allow.facts);
    match allow.shadowed {
        None => {
            gate.counters.allowed();
            note("allow", None, &allow.facts);
        }
        Some(reason) => {
            gate.counters.shadowed(reason);
            note("shadow", Some(reason), &allow.facts);
            explain("would be refused", reason, &allow.facts);
        }
    }
    Ok(())
}

/// Refuses a request. It is the last that happens to its context.
pub(crate) fn deny(gate: &Gate, request: &Request<'_>, deny: &Deny<'_>) {
    gate.counters.token_cache(deny.facts.token_cache);
    gate.counters.kid(&deny.facts);
    let response = deny.response(&gate.policy, request);
    refuse(gate, deny.reason, &deny.facts, &response);
}

/// Refuses a request that a failed host call left undecided, or in a state that must not reach the upstream.
pub(crate) fn deny_broken(gate: &Gate, error: HostError) {
    host::log(
        Level::Error,
        &format!("scopegate: request refused: {error}"),
    );
    let (reason, facts) = (Reason::HostFailure, Facts::default());
    refuse(gate, reason, &facts, &Response::host_failure());
}

fn refuse(gate: &Gate, reason: Reason, facts: &Facts<'_>, response: &Response<'_>) {
    gate.counters.denied(reason);
    note("deny", Some(reason), facts);
    explain("refused", reason, facts);
    send(reason, response);
}

/// Refuses a request that came before there was a policy.
pub(crate) fn deny_unconfigured() {
    send(Reason::HostFailure, &Response::host_failure());
}

fn send(reason: Reason, response: &Response<'_>) {
    let details = ["scopegate_", reason.code()].concat();
    let sent = host::send_local_response(
        response.status,
        &details,
        &response.headers,
        response.body,
        response.grpc_status,
    );
    if let Err(error) = sent {
        // The request stays where it is: paused, until Envoy's own timeout ends it.
        host::log(
            Level::Error,
            &format!("scopegate: a refusal could not be sent: {error}"),
        );
    }
}

/// Leaves decision, reason, route and issuer for the access log, and the subject where the policy allows it.
fn note(decision: &str, reason: Option<Reason>, facts: &Facts<'_>) {
    let fields = [
        ("scopegate_decision", Some(decision)),
        ("scopegate_reason", reason.map(Reason::code)),
        ("scopegate_route", facts.route),
        ("scopegate_issuer", facts.issuer),
        ("scopegate_subject", facts.subject.as_deref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            // A missing access-log field harms nobody, and a log line per request would.
            let _ = host::set_property(name, value);
        }
    }
}

/// One line for whoever looks for the rule or the key behind a refusal.
fn explain(verdict: &str, reason: Reason, facts: &Facts<'_>) {
    if host::logs(Level::Debug) {
        let line = facts.explain(verdict, Some(reason.code()));
        host::log(Level::Debug, &format!("scopegate: {line}"));
    }
}
