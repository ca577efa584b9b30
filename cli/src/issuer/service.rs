//! The issuer over HTTP: its documents, and what the command offers besides.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::addresses::{self, Addresses};
use super::desk::Desk;
use super::local_issuer::Issuer;
use super::token_request::{self, Refusal, invalid};
use crate::clock;

/// More than the claims of a token that a gate takes (8 KiB).
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Metadata and keys alone.
pub(super) fn documents(issuer: Issuer, addresses: Addresses) -> Router {
    reading(issuer, addresses, false)
}

/// Metadata, keys, tokens to order, and new keys.
pub(super) fn all(desk: Arc<Desk>) -> Router {
    Router::new()
        .route(addresses::TOKEN, post(token))
        .route(addresses::ROTATE, post(rotate))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::clone(&desk))
        .merge(reading(desk.issuer.clone(), desk.addresses.clone(), true))
        .layer(from_fn_with_state(desk, for_this_machine))
}

fn reading(issuer: Issuer, addresses: Addresses, mints: bool) -> Router {
    let keys = issuer.clone();
    Router::new()
        .route(
            addresses::KEYS,
            get(async move || match keys.key_set(clock::wall()) {
                Ok(keys) => Json(keys).into_response(),
                Err(error) => trouble(&error),
            }),
        )
        // Not a route: the name of an issuer may hold what a route takes for a pattern.
        .fallback(async move |method: Method, uri: Uri| {
            let path = uri.path();
            let found = addresses.metadata_paths().iter().any(|known| known == path);
            match (found, method == Method::GET || method == Method::HEAD) {
                (true, true) => {
                    let metadata = addresses.metadata(&issuer.algorithms(), mints);
                    Json(metadata).into_response()
                }
                (true, false) => StatusCode::METHOD_NOT_ALLOWED.into_response(),
                (false, _) => problem(StatusCode::NOT_FOUND, "There is nothing here"),
            }
        })
}

/// A page of another site, in a browser on this machine, can point a name of its own here (DNS rebinding) and would be answered; or it sends
/// what needs no answer, as new keys, and says its `Origin`.
async fn for_this_machine(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let named = request.headers().get(HOST);
    let named = named.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let is_named = named.is_some_and(|named| is_of_this_machine(&desk, named.host()));
    let origin = request.headers().get(ORIGIN).map(|origin| {
        let url = origin
            .to_str()
            .ok()
            .and_then(|text| url::Url::parse(text).ok());
        url.is_some_and(|url| {
            url.host_str()
                .is_some_and(|host| is_of_this_machine(&desk, host))
        })
    });
    match (is_named || desk.open, origin.unwrap_or(true) || desk.open) {
        (true, true) => next.run(request).await,
        (false, _) => problem(
            StatusCode::MISDIRECTED_REQUEST,
            "This issuer answers to names of this machine alone",
        ),
        (true, false) => problem(
            StatusCode::FORBIDDEN,
            "This issuer answers no pages of other sites",
        ),
    }
}

fn is_of_this_machine(desk: &Desk, host: &str) -> bool {
    let url = url::Host::parse(host).ok();
    let url = url.as_ref().map(|host| match host {
        url::Host::Domain(name) => url::Host::Domain(name.as_str()),
        url::Host::Ipv4(address) => url::Host::Ipv4(*address),
        url::Host::Ipv6(address) => url::Host::Ipv6(*address),
    });
    addresses::is_loopback(url) || host.eq_ignore_ascii_case(desk.addresses.host())
}

/// RFC 6749 section 5.1.
async fn token(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(broken) => return broken.into_response(),
    };
    let wanted = match token_request::read(query.as_deref().unwrap_or_default(), &body) {
        Ok(wanted) => wanted.over(&desk.usual),
        Err(refusal) => return refused(&refusal),
    };
    let available = desk.issuer.algorithms();
    if let Some(wanted) = wanted
        .algorithm
        .filter(|wanted| !available.contains(wanted))
    {
        let name = wanted.name();
        return refused(&invalid(format!(
            "there is no key for {name}; start the issuer with --alg {name}"
        )));
    }
    match desk.issuer.mint(&wanted, clock::wall()) {
        Err(error) => trouble(&error),
        Ok(token) => {
            let mut answer = json!({ "access_token": token.text, "token_type": "Bearer" });
            if let Some(members) = answer.as_object_mut() {
                members.extend(
                    token
                        .expires_in
                        .map(|left| ("expires_in".into(), json!(left))),
                );
                members.extend(token.scope.map(|scope| ("scope".into(), json!(scope))));
            }
            never_stored(StatusCode::OK, answer)
        }
    }
}

async fn rotate(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Response {
    let overlap = match query.as_deref().unwrap_or_default() {
        "" => desk.overlap,
        "drop=1" => Duration::ZERO,
        _ => {
            let sentence =
                "/rotate keeps the old keys published for a while, /rotate?drop=1 does not";
            return refused(&invalid(sentence.into()));
        }
    };
    // Making a key takes long enough for others to notice.
    let made = tokio::task::spawn_blocking(move || desk.rotate(overlap)).await;
    match made {
        Ok(Ok(ids)) => never_stored(StatusCode::OK, json!({ "kids": ids })),
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error.into()),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let Refusal { error, description } = refusal;
    let body = json!({ "error": error, "error_description": description });
    never_stored(StatusCode::BAD_REQUEST, body)
}

fn trouble(error: &anyhow::Error) -> Response {
    let body = json!({ "error": "server_error", "error_description": format!("{error:#}") });
    never_stored(StatusCode::INTERNAL_SERVER_ERROR, body)
}

fn never_stored(status: StatusCode, body: Value) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn problem(status: StatusCode, title: &str) -> Response {
    let body = json!({ "title": title, "status": status.as_u16() }).to_string();
    let kind = [(CONTENT_TYPE, "application/problem+json")];
    (status, kind, body).into_response()
}
