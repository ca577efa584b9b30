//! Bringing keys: from the store that instances share, or else from the issuer, or from a file.

use std::rc::Rc;

use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use scopegate_core::{FetchFailure, KeyAnswer, KeyLocation, KeyRequest, MAX_KEY_SET_BYTES};
use spin_sdk::http::EmptyBody;
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::gate::Gate;
use crate::host;
#[cfg(not(feature = "middleware"))]
use crate::store;

/// What a fetch brought.
type Fetched = Result<KeyAnswer, FetchFailure>;

/// Brings what a decision needs: what another instance left, if that is news, else what the issuer says.
pub(crate) async fn bring(gate: &Rc<Gate>, wanted: &KeyRequest) {
    #[cfg(not(feature = "middleware"))]
    if store::restore(gate, wanted.issuer).await == Some(true) {
        return;
    }
    let end = host::elapsed().saturating_add(wanted.timeout);
    let mut next = Some(wanted.clone());
    while let Some(step) = next {
        let limit = step.share_of(end.saturating_sub(host::elapsed()));
        let fetched = host::within(limit, fetch(&step)).await;
        next = install(gate, &step, fetched.unwrap_or(Err(FetchFailure::Timeout)));
    }
    #[cfg(not(feature = "middleware"))]
    host::spawn(store::leave(Rc::clone(gate), wanted.issuer));
}

/// Hands the outcome to the core, which says what comes next.
fn install(gate: &Gate, step: &KeyRequest, outcome: Fetched) -> Option<KeyRequest> {
    let (mut keys, mut tokens) = (gate.keys.borrow_mut(), gate.tokens.borrow_mut());
    let report = keys.install(&mut tokens, step, outcome, host::now());
    let name = gate.policy.issuer_name(step.issuer);
    host::log(&format!("keys of `{name}`: {}: {report:#}", step.location));
    keys.under_way(step.issuer, host::now())
}

async fn fetch(step: &KeyRequest) -> Fetched {
    let url = match &step.location {
        KeyLocation::Url(url) => url,
        KeyLocation::File(path) => return host::file(path).ok_or(FetchFailure::Unreachable),
    };
    let request = http::Request::get(url)
        .header("accept", "application/json")
        .extension(host::connect_timeout(step.timeout))
        .body(EmptyBody::new())
        .map_err(|_| FetchFailure::Unreachable)?;
    let answer = host::send(request).await;
    let answer = answer.map_err(|code| failure(Some(&code), FetchFailure::Unreachable))?;
    let (head, body) = answer.into_parts();
    // What else an answer says than its status is of no use without keys in it.
    let body = match head.status.as_u16() {
        200 => Limited::new(body, MAX_KEY_SET_BYTES).collect().await,
        _ => Ok(Collected::default()),
    };
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => FetchFailure::TooLarge,
        false => failure(error.downcast_ref(), FetchFailure::Truncated),
    })?;
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let status = head.status.as_u16();
    Ok(KeyAnswer::new(status, fields, body.to_bytes().into()))
}

/// A timeout, if that is what the host says, or else the other.
fn failure(code: Option<&ErrorCode>, other: FetchFailure) -> FetchFailure {
    match code {
        Some(code) if host::is_timeout(code) => FetchFailure::Timeout,
        _ => other,
    }
}
