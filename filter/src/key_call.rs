//! The HTTP call that fetches a key set: how it is sent, and how its answer is read.

use scopegate_core::{FetchFailure, KeyAnswer, KeyLocation, KeyRequest, MAX_KEY_SET_BYTES};
use url::{Position, Url};

use crate::gate::Gate;
use crate::host::{self, Buffer, HeaderMap, HostError, Level};

/// How much of Envoy's own words about a failed call is logged.
const MAX_SHOWN: usize = 200;

/// Sends the GET for a key set; the answer comes to the root context under the returned token.
pub(crate) fn dispatch(gate: &Gate, request: &KeyRequest) -> Result<u32, HostError> {
    // The policy was taken over with a cluster for each issuer, and with URLs that parse. Were it not so, the fetch fails.
    const IMPOSSIBLE: HostError = HostError::malformed("http_call");
    let cluster = gate.policy.cluster(gate.issuer_name(request.issuer));
    let cluster = cluster.ok_or(IMPOSSIBLE)?;
    let KeyLocation::Url(url) = &request.location else {
        return Err(IMPOSSIBLE);
    };
    let url = Url::parse(url).map_err(|_| IMPOSSIBLE)?;
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let headers = [
        (":method", "GET"),
        (":scheme", url.scheme()),
        (":authority", authority),
        (":path", path),
        ("accept", "application/json"),
    ];
    host::dispatch_get(cluster, &headers, request.timeout)
}

/// The answer that Envoy has just announced by the number of its headers and the size of its body.
pub(crate) fn read(headers: usize, body_size: usize) -> Result<KeyAnswer, FetchFailure> {
    // Envoy says in this way that the stream was reset: an answer that ended early or outgrew its buffers.
    if headers == 0 {
        return Err(FetchFailure::Truncated);
    }
    // Checked before it is read: the octets would be copied into the VM.
    if body_size > MAX_KEY_SET_BYTES {
        return Err(FetchFailure::TooLarge);
    }
    let fields = host::fields(HeaderMap::CallResponse).map_err(|_| FetchFailure::Unreachable)?;
    let value = |wanted: &str| {
        let value = fields.value(wanted.as_bytes());
        value.and_then(|value| str::from_utf8(value).ok())
    };
    let status = value(":status").and_then(|status| status.parse().ok());
    let status = status.ok_or(FetchFailure::Unreachable)?;
    let body = match body_size {
        0 => Vec::new(),
        size => {
            host::buffer(Buffer::CallResponseBody, size).map_err(|_| FetchFailure::Unreachable)?
        }
    };
    // Envoy's router adds this to what an upstream answered, and to nothing that it answers in its place.
    let is_envoys_own = value("x-envoy-upstream-service-time").is_none();
    match status {
        504 if is_envoys_own => Err(FetchFailure::Timeout),
        502 | 503 if is_envoys_own => {
            // Envoy says why: refused, reset, a failed handshake. It cannot hold keys.
            let words = String::from_utf8_lossy(body.get(..MAX_SHOWN).unwrap_or(&body));
            host::log(Level::Warn, &format!("scopegate: key fetch: {words:?}"));
            Err(FetchFailure::Unreachable)
        }
        status => Ok(KeyAnswer::new(status, fields.iter(), body)),
    }
}
