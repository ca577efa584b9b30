//! A request of a case as it goes over the wire, and what became of it as the judge wants it.

use anyhow::{Context, Result, bail};

use crate::http1::Answer;
use crate::http2;
use crate::judge::{Prepared, Seen};
use crate::server::Received;
use crate::upstream::ID_HEADER;

/// In HTTP/1.1, as the client sends it.
pub(crate) fn http1_request(sent: &Prepared, id: &str) -> Vec<u8> {
    let mut bytes = sent.method.clone().into_bytes();
    bytes.push(b' ');
    // A request without a path is a CONNECT: its target is the authority (RFC 9112 section 3.2.3).
    bytes.extend_from_slice(sent.path.as_deref().unwrap_or(b"api.example.com:443"));
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    let mut field = |name: &str, value: &[u8]| {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    };
    field("host", b"api.example.com");
    field(ID_HEADER, id.as_bytes());
    for (name, value) in &sent.headers {
        field(name, value);
    }
    if sent.trailers.is_empty() {
        if !sent.body.is_empty() {
            field("content-length", sent.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&sent.body);
        return bytes;
    }
    field("transfer-encoding", b"chunked");
    bytes.extend_from_slice(b"\r\n");
    if !sent.body.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", sent.body.len()).as_bytes());
        bytes.extend_from_slice(&sent.body);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n");
    for (name, value) in &sent.trailers {
        bytes.extend_from_slice(format!("{name}: ").as_bytes());
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// In HTTP/2.
pub(crate) fn http2_request(sent: &Prepared, id: &str) -> http2::Sent {
    let pair = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
    let is_handshake = is_websocket_handshake(sent);
    let mut headers = match is_handshake {
        // HTTP/2 has no Upgrade: what is a GET in HTTP/1 is an extended CONNECT (RFC 8441 section 4).
        true => vec![pair(":method", b"CONNECT"), pair(":protocol", b"websocket")],
        false => vec![pair(":method", sent.method.as_bytes())],
    };
    headers.push(pair(":authority", b"api.example.com"));
    if let Some(path) = &sent.path {
        headers.extend([pair(":scheme", b"http"), pair(":path", path)]);
    }
    headers.push(pair(ID_HEADER, id.as_bytes()));
    // Names are in lower case on this wire (RFC 9113 section 8.2.1): a case that spells one otherwise means HTTP/1 and the core.
    headers.extend(
        sent.headers
            .iter()
            .map(|(name, value)| pair(&name.to_ascii_lowercase(), value))
            .filter(|(name, _)| {
                !is_handshake || ![&b"upgrade"[..], b"connection"].contains(&name.as_slice())
            }),
    );
    if !sent.body.is_empty() && sent.trailers.is_empty() {
        headers.push(pair(
            "content-length",
            sent.body.len().to_string().as_bytes(),
        ));
    }
    let trailers = sent
        .trailers
        .iter()
        .map(|(name, value)| pair(&name.to_ascii_lowercase(), value))
        .collect();
    http2::Sent {
        headers,
        body: sent.body.clone(),
        trailers,
        is_tunnel: is_handshake,
    }
}

/// A GET that asks for a WebSocket (RFC 6455 section 4.1).
fn is_websocket_handshake(sent: &Prepared) -> bool {
    sent.method == "GET"
        && sent.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("upgrade") && value.eq_ignore_ascii_case(b"websocket")
        })
}

/// The answer to a request, and what the upstream saw of it. What logs say is not in it.
pub(crate) fn seen(sent: &Prepared, answer: Answer, mut upstream: Vec<Received>) -> Result<Seen> {
    if upstream.len() > 1 {
        bail!("the upstream saw one request {} times", upstream.len());
    }
    let grpc = grpc_status(&answer)?;
    Ok(Seen {
        status: match grpc {
            // A WebSocket that was opened is a 200 over HTTP/2 (RFC 8441 section 5).
            None if answer.status == 101 => Some(200),
            None => Some(answer.status),
            Some(_) if answer.status == 200 => None,
            Some(_) => bail!("a gRPC answer with status {}", answer.status),
        },
        headers: answer.headers,
        body: (sent.method != "HEAD").then_some(answer.body),
        grpc,
        reason: None,
        route: None,
        upstream: upstream.pop(),
    })
}

/// The gRPC status in headers or trailers ("Trailers-Only" answers have it in their headers).
fn grpc_status(answer: &Answer) -> Result<Option<(u8, String)>> {
    let find = |wanted: &str| {
        answer
            .headers
            .iter()
            .chain(&answer.trailers)
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let Some(status) = find("grpc-status") else {
        return Ok(None);
    };
    Ok(Some((
        status.parse().context("grpc-status")?,
        find("grpc-message").unwrap_or_default(),
    )))
}
