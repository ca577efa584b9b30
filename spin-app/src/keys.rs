//! Bringing keys: from the store that instances share, or else from the issuer, or from a file.

use std::rc::Rc;

use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use scopegate_core::{
    FetchFailure, FetchReport, KeyAnswer, KeyLocation, KeyRequest, MAX_KEY_SET_BYTES,
};
use spin_sdk::http::EmptyBody;
#[cfg(not(feature = "middleware"))]
use spin_sdk::key_value::Error as StoreError;
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::gate::Gate;
use crate::host;

/// How long the store may take. It saves a fetch, which is no use if it takes as long as one.
#[cfg(not(feature = "middleware"))]
const STORE_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(500);

/// Brings what a decision needs: what another instance left, if that is news, else what the issuer says.
pub(crate) async fn bring(gate: &Rc<Gate>, wanted: &KeyRequest) {
    #[cfg(not(feature = "middleware"))]
    if restore(gate, wanted).await == Some(true) {
        return;
    }
    let report = ask_issuer(gate, wanted).await;
    share(gate, wanted, report);
}

/// Tells other instances, where there is a store.
#[cfg(not(feature = "middleware"))]
fn share(gate: &Rc<Gate>, wanted: &KeyRequest, report: FetchReport) {
    host::spawn(leave(Rc::clone(gate), wanted.clone(), report));
}

#[cfg(feature = "middleware")]
fn share(_: &Rc<Gate>, _: &KeyRequest, _: FetchReport) {}

/// Asks for the keys, and before that, if need be, for what says where they are: all within the time that one fetch may take.
async fn ask_issuer(gate: &Gate, wanted: &KeyRequest) -> FetchReport {
    let end = host::elapsed().saturating_add(wanted.timeout);
    let mut step = wanted.clone();
    loop {
        let left = end.saturating_sub(host::elapsed());
        // What comes after metadata needs its time too.
        let limit = match step.is_for_metadata() {
            true => left.checked_div(2).unwrap_or(left),
            false => left,
        };
        let fetched = host::within(limit, fetch(&step)).await;
        let report = install(gate, &step, fetched.unwrap_or(Err(FetchFailure::Timeout)));
        match gate.keys.borrow().under_way(step.issuer, host::now()) {
            Some(next) => step = next,
            None => return report,
        }
    }
}

fn install(
    gate: &Gate,
    step: &KeyRequest,
    outcome: Result<KeyAnswer, FetchFailure>,
) -> FetchReport {
    let now = host::now();
    let name = gate.policy.issuer_name(step.issuer);
    let answer = outcome.as_ref().ok();
    let drift = answer.and_then(|answer| answer.clock_drift(now));
    if let Some(drift) = drift.filter(|drift| drift.is_alarming()) {
        host::log(&format!("keys of `{name}`: {drift}"));
    }
    let (mut keys, mut tokens) = (gate.keys.borrow_mut(), gate.tokens.borrow_mut());
    let report = keys.install(&mut tokens, step, outcome, now);
    host::log(&format!("keys of `{name}`: {}: {report}", step.location));
    report
}

/// Takes from the store what this instance does not know yet, and says whether there was any. Nothing for a store that cannot be read.
#[cfg(not(feature = "middleware"))]
async fn restore(gate: &Gate, wanted: &KeyRequest) -> Option<bool> {
    // Keys of a file are where every instance can read them.
    let name = gate.keys.borrow().record_name(wanted.issuer, "")?;
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
    let name = gate.keys.borrow().record_name(wanted.issuer, "");
    let record = gate.keys.borrow().record(wanted.issuer);
    if let Some((name, record)) = name.zip(record) {
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

async fn fetch(step: &KeyRequest) -> Result<KeyAnswer, FetchFailure> {
    let url = match &step.location {
        KeyLocation::Url(url) => url,
        KeyLocation::File(path) => {
            let body = host::file(path, MAX_KEY_SET_BYTES).ok_or(FetchFailure::Unreachable)?;
            return Ok(KeyAnswer::of_file(body));
        }
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
    Ok(KeyAnswer::new(
        head.status.as_u16(),
        fields,
        body.to_bytes().into(),
    ))
}

/// A timeout, if that is what the host says, or else the other.
fn failure(code: Option<&ErrorCode>, other: FetchFailure) -> FetchFailure {
    match code {
        Some(code) if host::is_timeout(code) => FetchFailure::Timeout,
        _ => other,
    }
}
