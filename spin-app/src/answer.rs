//! The core's answers as responses of Spin.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use scopegate_core::Response as Answer;
use spin_sdk::http::{FullBody, IntoResponse};
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

/// The response that says what the core answers.
pub(crate) fn response(answer: Answer<'_>) -> Result<Response, ErrorCode> {
    let mut response = http::Response::builder();
    for (name, value) in &answer.headers {
        response = response.header(*name, value.as_ref());
    }
    // A gRPC client reads a status in the header fields of a 200 without content (gRPC over HTTP/2, "Trailers-Only").
    let (response, body) = match answer.grpc_status {
        None => (response.status(answer.status), answer.body),
        Some(grpc_status) => {
            let response = response.header(CONTENT_TYPE, "application/grpc");
            let response = response.header("grpc-status", u16::from(grpc_status));
            (response.header("grpc-message", answer.body), "")
        }
    };
    // Without a length Spin would send chunks, whose end a client on a kept connection sees some 40 ms later.
    response
        .header(CONTENT_LENGTH, body.len())
        .body(FullBody::new(Bytes::from_static(body.as_bytes())))
        .map_err(|_| ErrorCode::InternalError(None))?
        .into_response()
}
