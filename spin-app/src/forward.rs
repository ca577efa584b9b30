//! Handing an allowed request on, and its answer back, both bodies as they come.

use std::rc::Rc;

use scopegate_core::{Allow, Request as Asked, UpstreamFailure};
use spin_sdk::wasip3::http::types::{Fields as Headers, Request, Response, Scheme};
use spin_sdk::wasip3::wit_future;

use crate::body;
use crate::fields::{self, Fields};
use crate::gate::Gate;
use crate::onward::{self, Origin};
use crate::settings::Forwarded;

/// Hands the request on, changed as the decision says.
pub(crate) async fn forward(
    gate: &Rc<Gate>,
    request: Request,
    asked: &Asked,
    allow: &Allow<'_, '_>,
) -> Result<Response, UpstreamFailure> {
    let settings = &gate.settings;
    let origin = Origin::of(&request);
    let fields = outgoing(settings.forwarded, &origin, asked, allow);
    let length = fields::first(&fields, "content-length").map(<[u8]>::to_vec);
    let headers = Headers::from_list(&fields).map_err(|_| UpstreamFailure::Unreachable)?;
    let (method, path) = (request.get_method(), request.get_path_with_query());
    let content = body::take(Rc::clone(gate), request, length.as_deref()).await;
    let (outgoing, _sent) = Request::new(
        headers,
        content.stream,
        content.trailers,
        settings.target.options(),
    );
    outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_path_with_query(path.as_deref()))
        .and_then(|()| settings.target.address(&origin, &outgoing))
        .map_err(|()| UpstreamFailure::Unreachable)?;
    let response = settings.target.send(outgoing, &content.progress).await?;
    Ok(relayed(response))
}

/// The header fields that go on: the client's without what must not cross, then those that only the gate may set.
fn outgoing(forwarded: Forwarded, origin: &Origin, asked: &Asked, allow: &Allow<'_, '_>) -> Fields {
    let mut all: Fields = asked
        .headers()
        .filter(|(name, _)| !allow.strip.contains(name))
        .filter_map(|(name, value)| Some((str::from_utf8(name).ok()?.to_owned(), value.to_vec())))
        .collect();
    fields::strip_hop_by_hop(&mut all);
    let address = fields::client_address(&all).map(str::to_owned);
    fields::strip_of_spin(&mut all, onward::is_kept_of_spin);
    if forwarded == Forwarded::Replace {
        all.retain(|(name, _)| !fields::is_forwarded(name));
        let host = origin.authority.clone();
        let proto = origin.scheme.as_ref().and_then(scheme);
        let set = [
            ("x-forwarded-for", address),
            ("x-forwarded-host", host),
            ("x-forwarded-proto", proto.map(str::to_owned)),
        ];
        all.extend(
            set.into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.into_bytes()))),
        );
    }
    let identity = allow.set.iter();
    all.extend(identity.map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())));
    all
}

fn scheme(scheme: &Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Http => Some("http"),
        Scheme::Https => Some("https"),
        Scheme::Other(_) => None,
    }
}

/// The upstream's answer, without what concerned its connection. As a rule that is the very response, untouched.
fn relayed(response: Response) -> Response {
    let mut all = response.get_headers().copy_all();
    if !fields::strip_hop_by_hop(&mut all) {
        return response;
    }
    let Ok(headers) = Headers::from_list(&all) else {
        return response;
    };
    let status = response.get_status_code();
    let (handled, result) = wit_future::new(|| Ok(()));
    drop(handled);
    let (stream, trailers) = Response::consume_body(response, result);
    let (relayed, _sent) = Response::new(headers, Some(stream), trailers);
    // It was a status of the upstream's, so it is one.
    let _ = relayed.set_status_code(status);
    relayed
}
