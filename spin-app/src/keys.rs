//! Bringing keys: from the store that instances share, or else from the issuer.

use scopegate_core::{FetchFailure, KeyAnswer, KeyRequest, MAX_KEY_SET_BYTES};
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, RequestOptions, Response, Scheme};
use spin_sdk::wasip3::wit_future;
use spin_sdk::wit_bindgen::StreamResult;
use url::{Position, Url};

use crate::gate::Gate;
use crate::host;

/// How long the store may take. It saves a fetch, which is no use if it takes as long as one.
#[cfg(not(feature = "middleware"))]
const STORE_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(500);

/// How much of an answer is read at one time.
const CHUNK: usize = 16 * 1024;

/// An issuer's answer.
struct Fetched {
    status: u16,
    cache_control: Option<String>,
    body: Vec<u8>,
}

/// Brings what a decision needs: what another instance left, if that is news, else what the issuer says.
pub(crate) async fn bring(gate: &Gate, wanted: &KeyRequest) {
    if restore(gate, wanted).await {
        return;
    }
    let fetched = match host::within(wanted.timeout, fetch(wanted)).await {
        Some(fetched) => fetched,
        None => Err(FetchFailure::Timeout),
    };
    let outcome = fetched
        .as_ref()
        .map(Fetched::to_core)
        .map_err(|failure| *failure);
    let report = gate.install(wanted.issuer, outcome);
    let name = gate.policy.issuer_name(wanted.issuer);
    host::log(&format!("keys of `{name}`: {}: {report}", wanted.url));
    leave(gate, wanted);
}

/// Takes from the store what this instance does not know yet. A store that cannot be read has nothing.
#[cfg(not(feature = "middleware"))]
async fn restore(gate: &Gate, wanted: &KeyRequest) -> bool {
    let Some(name) = gate.record_name(wanted.issuer) else {
        return false;
    };
    let problem = match host::within(STORE_TIMEOUT, host::stored(&name)).await {
        Some(Ok(record)) => {
            return record.is_some_and(|record| gate.restore(wanted.issuer, &record));
        }
        Some(Err(error)) => error.to_string(),
        None => "no answer in time".to_owned(),
    };
    host::log(&format!("the key-value store cannot be read: {problem}"));
    false
}

/// Leaves the keys for other instances, behind the requests that wait.
#[cfg(not(feature = "middleware"))]
fn leave(gate: &Gate, wanted: &KeyRequest) {
    let Some((name, record)) = gate.record(wanted.issuer) else {
        return;
    };
    host::spawn(async move {
        let problem = match host::within(STORE_TIMEOUT, host::store(&name, &record)).await {
            Some(Ok(())) => return,
            Some(Err(error)) => error.to_string(),
            None => "no answer in time".to_owned(),
        };
        host::log(&format!("the key-value store cannot be written: {problem}"));
    });
}

/// Middleware shares the store of the component that it guards, which could plant keys there: it keeps them in memory only.
#[cfg(feature = "middleware")]
async fn restore(_: &Gate, _: &KeyRequest) -> bool {
    false
}

#[cfg(feature = "middleware")]
fn leave(_: &Gate, _: &KeyRequest) {}

async fn fetch(wanted: &KeyRequest) -> Result<Fetched, FetchFailure> {
    let request = request(wanted).ok_or(FetchFailure::Unreachable)?;
    let response = host::send(request).await.map_err(failure)?;
    let status = response.get_status_code();
    let values = response.get_headers().get("cache-control");
    let values: Vec<_> = values.into_iter().map(String::from_utf8).collect();
    let cache_control = values.into_iter().collect::<Result<Vec<_>, _>>().ok();
    let body = match status {
        200 => content(response).await?,
        _ => Vec::new(),
    };
    Ok(Fetched {
        status,
        cache_control: cache_control.map(|values| values.join(",")),
        body,
    })
}

impl Fetched {
    fn to_core(&self) -> KeyAnswer<'_> {
        KeyAnswer {
            status: self.status,
            cache_control: self.cache_control.as_deref(),
            body: &self.body,
        }
    }
}

/// A GET of the key set. The host's own timeouts, of ten minutes each, come down to the time allowed.
fn request(wanted: &KeyRequest) -> Option<Request> {
    let url = Url::parse(&wanted.url).ok()?;
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        _ => Scheme::Https,
    };
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let fields = [("accept".to_owned(), b"application/json".to_vec())];
    let fields = Fields::from_list(&fields).ok()?;
    let options = RequestOptions::new();
    let timeout = u64::try_from(wanted.timeout.as_nanos()).ok();
    options.set_connect_timeout(timeout).ok()?;
    options.set_first_byte_timeout(timeout).ok()?;
    options.set_between_bytes_timeout(timeout).ok()?;
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (request, _sent) = Request::new(fields, None, no_trailers, Some(options));
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(Some(authority)).ok()?;
    request.set_path_with_query(Some(path)).ok()?;
    Some(request)
}

/// The whole content, within its budget.
async fn content(response: Response) -> Result<Vec<u8>, FetchFailure> {
    let (handled, result) = wit_future::new(|| Ok(()));
    drop(handled);
    let (mut stream, trailers) = Response::consume_body(response, result);
    let mut content = Vec::new();
    loop {
        let (result, chunk) = stream.read(Vec::with_capacity(CHUNK)).await;
        content.extend_from_slice(&chunk);
        if content.len() > MAX_KEY_SET_BYTES {
            return Err(FetchFailure::TooLarge);
        }
        match result {
            StreamResult::Complete(_) => {}
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    match trailers.await {
        Ok(_) => Ok(content),
        Err(code) => Err(match failure(code) {
            FetchFailure::Timeout => FetchFailure::Timeout,
            _ => FetchFailure::Truncated,
        }),
    }
}

fn failure(code: ErrorCode) -> FetchFailure {
    if matches!(code, ErrorCode::HttpRequestDenied) {
        host::log("the host is not among the `allowed_outbound_hosts` of the manifest");
    }
    match host::is_timeout(&code) {
        true => FetchFailure::Timeout,
        false => FetchFailure::Unreachable,
    }
}
