//! Bringing keys: from the store that instances share, or else from the issuer.

use std::rc::Rc;

use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
#[cfg(not(feature = "middleware"))]
use scopegate_core::FetchReport;
use scopegate_core::{FetchFailure, KeyAnswer, KeyRequest, MAX_KEY_SET_BYTES};
use spin_sdk::http::EmptyBody;
#[cfg(not(feature = "middleware"))]
use spin_sdk::key_value::Error as StoreError;
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::gate::Gate;
use crate::host;

/// How long the store may take. It saves a fetch, which is no use if it takes as long as one.
#[cfg(not(feature = "middleware"))]
const STORE_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(500);

/// An issuer's answer.
struct Fetched {
    status: u16,
    cache_control: Option<String>,
    body: Vec<u8>,
}

/// Brings what a decision needs: what another instance left, if that is news, else what the issuer says.
pub(crate) async fn bring(gate: &Rc<Gate>, wanted: &KeyRequest) {
    #[cfg(not(feature = "middleware"))]
    if restore(gate, wanted).await == Some(true) {
        return;
    }
    let fetched = host::within(wanted.timeout, fetch(wanted)).await;
    let fetched = fetched.unwrap_or(Err(FetchFailure::Timeout));
    let outcome = fetched.as_ref().map_err(|failure| *failure);
    let outcome = outcome.map(|fetched| KeyAnswer {
        status: fetched.status,
        cache_control: fetched.cache_control.as_deref(),
        body: &fetched.body,
    });
    let (mut keys, mut tokens) = (gate.keys.borrow_mut(), gate.tokens.borrow_mut());
    let report = keys.install(&mut tokens, wanted.issuer, outcome, host::now());
    let name = gate.policy.issuer_name(wanted.issuer);
    host::log(&format!("keys of `{name}`: {}: {report}", wanted.url));
    #[cfg(not(feature = "middleware"))]
    host::spawn(leave(Rc::clone(gate), wanted.clone(), report));
}

/// Takes from the store what this instance does not know yet, and says whether there was any. Nothing for a store that cannot be read.
#[cfg(not(feature = "middleware"))]
async fn restore(gate: &Gate, wanted: &KeyRequest) -> Option<bool> {
    let name = gate.keys.borrow().record_name(wanted.issuer);
    let read = async { host::store().await?.get(name).await };
    let record = in_store("read", read).await?.unwrap_or_default();
    let (mut keys, mut tokens) = (gate.keys.borrow_mut(), gate.tokens.borrow_mut());
    Some(keys.restore(&mut tokens, wanted.issuer, &record, host::now()))
}

/// Leaves what is known now for other instances, behind the requests that wait. What these have left since is taken in first: a failure
/// must not take the place of keys.
#[cfg(not(feature = "middleware"))]
async fn leave(gate: Rc<Gate>, wanted: KeyRequest, report: FetchReport) {
    if restore(&gate, &wanted).await.is_none() && matches!(report, FetchReport::Failed(_)) {
        return;
    }
    let name = gate.keys.borrow().record_name(wanted.issuer);
    let record = gate.keys.borrow().record(wanted.issuer);
    if let Some(record) = record {
        let write = async { host::store().await?.set(name, record).await };
        in_store("written", write).await.unwrap_or_default();
    }
}

/// What the store says in time. What it does not say is worth a line in the log, and no more.
#[cfg(not(feature = "middleware"))]
async fn in_store<T>(done: &str, work: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    let problem = match host::within(STORE_TIMEOUT, work).await {
        Some(Ok(said)) => return Some(said),
        Some(Err(error)) => error.to_string(),
        None => "no answer in time".to_owned(),
    };
    host::log(&format!("the key-value store cannot be {done}: {problem}"));
    None
}

async fn fetch(wanted: &KeyRequest) -> Result<Fetched, FetchFailure> {
    let request = http::Request::get(&wanted.url)
        .header("accept", "application/json")
        .extension(host::connect_timeout(wanted.timeout))
        .body(EmptyBody::new())
        .map_err(|_| FetchFailure::Unreachable)?;
    let answer = host::send(request).await;
    let answer = answer.map_err(|code| failure(Some(&code), FetchFailure::Unreachable))?;
    let (head, body) = answer.into_parts();
    let values = head.headers.get_all("cache-control").iter();
    let values: Result<Vec<_>, _> = values.map(http::HeaderValue::to_str).collect();
    // What else an answer says than its status is of no use without keys in it.
    let body = match head.status.as_u16() {
        200 => Limited::new(body, MAX_KEY_SET_BYTES).collect().await,
        _ => Ok(Collected::default()),
    };
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => FetchFailure::TooLarge,
        false => failure(error.downcast_ref(), FetchFailure::Truncated),
    })?;
    Ok(Fetched {
        status: head.status.as_u16(),
        cache_control: values.ok().map(|values| values.join(",")),
        body: body.to_bytes().into(),
    })
}

/// A timeout, if that is what the host says, or else the other.
fn failure(code: Option<&ErrorCode>, other: FetchFailure) -> FetchFailure {
    match code {
        Some(code) if host::is_timeout(code) => FetchFailure::Timeout,
        _ => other,
    }
}
