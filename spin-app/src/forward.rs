//! Handing an allowed request on, and its answer back, both bodies as they come.

use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use scopegate_core::spin::{Forwarded, SpinFields, client_address, strip_spin_fields};
use scopegate_core::{
    Allow, Fields, ForwardingFailure, Origin, Request as Asked, outgoing_fields, outgoing_trailers,
    strip_hop_by_hop,
};
use spin_sdk::http::IntoRequest;
use spin_sdk::wasip3::http::types::{self as wasi, Response};
use spin_sdk::wasip3::http_compat::{IncomingRequestBody, IncomingResponseBody};
use spin_sdk::wasip3::wit_future;

use crate::gate::Gate;
use crate::onward::{self, SPIN_FIELDS, Waiting};

/// Hands the request on, changed as the decision says.
pub(crate) async fn forward(
    gate: &Rc<Gate>,
    (head, mut body): (&Parts, IncomingRequestBody),
    asked: &Asked<'_>,
    allow: &Allow<'_, '_>,
) -> Result<Response, ForwardingFailure> {
    let mut head = head.clone();
    let origin = (gate.settings.forwarded == Forwarded::Replace).then(|| Origin {
        client: client_address(asked.headers()),
        host: head.uri.authority().map(ToString::to_string),
        proto: head.uri.scheme_str().map(str::to_owned),
    });
    let mut fields = outgoing_fields(asked, allow, origin);
    strip_spin_fields(&mut fields, SPIN_FIELDS);
    head.headers = header_map(fields).ok_or(ForwardingFailure::FieldsTooLarge)?;
    let first = begin_content(&mut head, &mut body).await?;
    let waiting = Waiting::default();
    waiting.is_on_upstream(true);
    let noted = waiting.clone();
    let rest = stream::poll_fn(move |context| {
        let polled = Pin::new(&mut body).poll_frame(context);
        noted.is_on_upstream(polled.is_ready());
        polled
    });
    let gate_of_body = Rc::clone(gate);
    let frames = stream::iter(first.map(Ok)).chain(rest);
    let frames = frames.map(move |frame| frame.map(|frame| permitted(&gate_of_body, frame)));
    let method = head.method.clone();
    onward::address(&gate.settings, &mut head)?;
    let outgoing = http::Request::from_parts(head, StreamBody::new(frames)).into_request();
    // The platform holds fewer fields than it takes in.
    let outgoing = outgoing.map_err(|_| ForwardingFailure::FieldsTooLarge)?;
    let response = onward::send(&gate.settings, outgoing, &waiting).await?;
    relayed(response, &method).ok_or(ForwardingFailure::UpstreamUnreachable)
}

/// Sees to it that the request says where its content ends. Without a length only the content itself tells whether there is any: then
/// this waits for the first of it, and returns that.
async fn begin_content(
    head: &mut Parts,
    body: &mut IncomingRequestBody,
) -> Result<Option<Frame<Bytes>>, ForwardingFailure> {
    // To the next component of a chain content goes as it comes.
    if head.headers.contains_key(CONTENT_LENGTH) || cfg!(feature = "middleware") {
        return Ok(None);
    }
    let first = body.frame().await.transpose();
    let first = first.map_err(|_| ForwardingFailure::ContentBroken)?;
    let needs_length = matches!(head.method, Method::GET | Method::HEAD);
    match &first {
        // Spin's client sends no content with these unless it has a length: it would be lost, and nobody told.
        Some(frame) if needs_length && frame.is_data() => {
            return Err(ForwardingFailure::LengthRequired);
        }
        // With others it would send chunks, of which there are none.
        None if !needs_length => drop(head.headers.insert(CONTENT_LENGTH, 0.into())),
        Some(_) | None => {}
    }
    Ok(first)
}

/// A frame of a request as it goes on: trailers without what must not be in them, since some servers merge them with header fields.
fn permitted(gate: &Gate, frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Err(data) => data,
        Ok(trailers) => {
            let mut fields = outgoing_trailers(&gate.policy, list(&trailers));
            strip_spin_fields(&mut fields, SpinFields::Strip);
            Frame::trailers(header_map(fields).unwrap_or_default())
        }
    }
}

/// The upstream's answer, without what concerned its connection. As a rule that is the very response, untouched.
fn relayed(response: http::Response<IncomingResponseBody>, method: &Method) -> Option<Response> {
    let mut fields = list(response.headers());
    let has_hop_by_hop = strip_hop_by_hop(&mut fields);
    // These have no content, whatever their length says (RFC 9110 section 8.6); one that ended before it would be an error.
    let status = response.status();
    let has_content = method != Method::HEAD && status != StatusCode::NOT_MODIFIED;
    let response = response.into_body().take_unstarted()?;
    if has_content && !has_hop_by_hop {
        return Some(response);
    }
    let (_, handled) = wit_future::new(|| Ok(()));
    let (content, trailers) = Response::consume_body(response, handled);
    let fields = wasi::Fields::from_list(&fields).ok()?;
    let (relayed, _sent) = Response::new(fields, has_content.then_some(content), trailers);
    relayed.set_status_code(status.as_u16()).ok()?;
    Some(relayed)
}

fn list(fields: &HeaderMap) -> Fields {
    let owned =
        |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.as_bytes().into());
    fields.iter().map(owned).collect()
}

/// Nothing for more fields than a map holds, and for none that HTTP has.
fn header_map(fields: Fields) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let name: HeaderName = name.parse().ok()?;
        map.try_append(name, HeaderValue::try_from(value).ok()?)
            .ok()?;
    }
    Some(map)
}
