//! The core's answers as responses of Spin, and the lines about decisions in the log.

use scopegate_core::{Facts, Response as Answer};
use spin_sdk::wasip3::http::types::{Fields, Response};
use spin_sdk::wasip3::{wit_future, wit_stream};

use crate::host;

/// The response that says what the core answers.
pub(crate) fn response(answer: &Answer) -> Response {
    let mut fields: Vec<(String, Vec<u8>)> = answer
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()))
        .collect();
    let mut set = |name: &str, value: String| fields.push((name.to_owned(), value.into_bytes()));
    // A gRPC client reads a status in the header fields of a 200 without content (gRPC over HTTP/2, "Trailers-Only").
    let (status, body) = match answer.grpc_status {
        None => (answer.status, answer.body.as_str()),
        Some(grpc_status) => {
            set("content-type", "application/grpc".to_owned());
            set("grpc-status", grpc_status.to_string());
            set("grpc-message", answer.body.clone());
            (200, "")
        }
    };
    // Without a length Spin would send chunks, whose end a client on a kept connection sees some 40 ms later.
    set("content-length", body.len().to_string());
    let contents = (!body.is_empty()).then(|| content(body));
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    drop(trailers);
    let fields = Fields::from_list(&fields).unwrap_or_else(|_| Fields::new());
    let (response, _sent) = Response::new(fields, contents, no_trailers);
    // Spin takes any status from 100 to 999, and the core answers none but a few of them.
    let _ = response.set_status_code(status);
    response
}

/// A stream of these octets.
fn content(body: &str) -> spin_sdk::wit_bindgen::StreamReader<u8> {
    let (mut writer, reader) = wit_stream::new();
    let body = body.as_bytes().to_vec();
    host::spawn(async move {
        // What nobody reads is lost, and nobody misses it.
        let _ = writer.write_all(body).await;
    });
    reader
}

/// One line for whoever looks for the rule or the key behind a decision; never a token, never a claim's value.
pub(crate) fn explain(verdict: &str, reason: Option<&str>, facts: &Facts<'_>) {
    let mut line = verdict.to_owned();
    let details = [
        ("reason", reason),
        ("route", facts.route),
        ("issuer", facts.issuer),
        ("kid", facts.kid.as_deref()),
        ("claim", facts.claim.as_deref()),
    ];
    for (name, value) in details {
        if let Some(value) = value {
            line.push_str(&format!(" {name}={value:?}"));
        }
    }
    host::log(&line);
}
