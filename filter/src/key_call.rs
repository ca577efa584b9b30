//! The HTTP call that fetches a key set: how it is sent, and how its answer is read.

use scopegate_core::{FetchFailure, KeyAnswer, KeyRequest, MAX_KEY_SET_BYTES};
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
    let url = Url::parse(&request.url).map_err(|_| IMPOSSIBLE)?;
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

/// An answer as Envoy received it.
pub(crate) struct Answer {
    status: u16,
    cache_control: Option<String>,
    body: Vec<u8>,
}

/// The answer that Envoy has just announced by the number of its headers and the size of its body.
pub(crate) fn read(headers: usize, body_size: usize) -> Result<Answer, FetchFailure> {
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
        let mut found = fields.iter().filter(|(name, _)| name == wanted.as_bytes());
        found
            .next()
            .and_then(|(_, value)| str::from_utf8(value).ok())
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
        status => Ok(Answer {
            status,
            cache_control: joined(&fields, b"cache-control"),
            body,
        }),
    }
}

/// The values of a field that is a list, as one (RFC 9110 section 5.3).
fn joined(fields: &[(Vec<u8>, Vec<u8>)], name: &[u8]) -> Option<String> {
    let values: Vec<&str> = fields
        .iter()
        .filter(|(field, _)| field == name)
        .filter_map(|(_, value)| str::from_utf8(value).ok())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

impl Answer {
    /// The answer in the core's words.
    pub(crate) fn to_core(&self) -> KeyAnswer<'_> {
        KeyAnswer {
            status: self.status,
            cache_control: self.cache_control.as_deref(),
            body: &self.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_comes_twice_is_one_list() {
        let field = |name: &str, value: &str| (name.into(), value.into());
        let fields = [
            field("cache-control", "public"),
            field("age", "5"),
            field("cache-control", "max-age=60"),
        ];
        let seen = joined(&fields, b"cache-control");
        assert_eq!(seen.as_deref(), Some("public, max-age=60"));
        assert_eq!(joined(&fields, b"etag"), None);
    }
}
