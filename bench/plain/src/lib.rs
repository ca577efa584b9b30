//! Forwards every request to the upstream, and decides nothing: what the gate is compared with.
//!
//! The variable `way` chooses how. `handed`: the very request that came, with another address; nothing of it crosses into the component,
//! so no gateway on Spin can be cheaper. `refielded`: a new request with its fields, which crossed, and its body, which did not.
//! `rebuilt`: the same with the SDK's own types, those of the crate `http`, which also copy the body; what most components do that
//! change a field.

#![cfg(target_family = "wasm")]

use std::cell::OnceCell;

use http::Uri;
use http::uri::{Authority, Scheme};
use http_body_util::BodyExt as _;
use spin_sdk::variables;
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Fields, Request, Response};
use spin_sdk::wasip3::http_compat::http_from_wasi_request;
use spin_sdk::wasip3::wit_future;

spin_sdk::wasip3::http::service::export!(Component);

struct Component;

#[derive(Clone)]
struct Settings {
    upstream: Authority,
    way: Way,
}

#[derive(Clone, Copy)]
enum Way {
    Handed,
    Refielded,
    Rebuilt,
}

thread_local! {
    /// Read once in an instance.
    static SETTINGS: OnceCell<Settings> = const { OnceCell::new() };
}

impl spin_sdk::wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let Settings { upstream, way } = settings().await?;
        match way {
            Way::Handed => client::send(addressed(request, &upstream)?).await,
            Way::Refielded => client::send(addressed(refield(request)?, &upstream)?).await,
            Way::Rebuilt => rebuild(request, upstream).await,
        }
    }
}

fn addressed(request: Request, upstream: &Authority) -> Result<Request, ErrorCode> {
    let addressed = request
        .set_scheme(Some(&types::Scheme::Http))
        .and_then(|()| request.set_authority(Some(upstream.as_str())));
    addressed.map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok(request)
}

fn refield(request: Request) -> Result<Request, ErrorCode> {
    let (method, path) = (request.get_method(), request.get_path_with_query());
    let fields = Fields::from_list(&request.get_headers().copy_all());
    let fields = fields.map_err(|_| ErrorCode::InternalError(None))?;
    let (_, handled) = wit_future::new(|| Ok(()));
    let (content, trailers) = Request::consume_body(request, handled);
    let (new, _sent) = Request::new(fields, Some(content), trailers, None);
    new.set_method(&method)
        .and_then(|()| new.set_path_with_query(path.as_deref()))
        .map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok(new)
}

async fn rebuild(request: Request, upstream: Authority) -> Result<Response, ErrorCode> {
    let (mut head, body) = http_from_wasi_request(request)?.into_parts();
    let mut uri = head.uri.into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(upstream);
    head.uri = Uri::from_parts(uri).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    // The SDK sends a body that nobody touched with the request that it came in, and its old address.
    let request = http::Request::from_parts(head, body.map_frame(|frame| frame));
    let response = spin_sdk::http::send(request).await?;
    let response = response.into_body().take_unstarted();
    response.ok_or(ErrorCode::InternalError(None))
}

async fn settings() -> Result<Settings, ErrorCode> {
    if let Some(known) = SETTINGS.with(|settings| settings.get().cloned()) {
        return Ok(known);
    }
    let wrong = || ErrorCode::ConfigurationError;
    let upstream = variables::get("upstream").await.map_err(|_| wrong())?;
    let way = variables::get("way").await.map_err(|_| wrong())?;
    let settings = Settings {
        upstream: upstream.parse().map_err(|_| wrong())?,
        way: match way.as_str() {
            "handed" => Way::Handed,
            "refielded" => Way::Refielded,
            "rebuilt" => Way::Rebuilt,
            _ => return Err(wrong()),
        },
    };
    Ok(SETTINGS.with(|known| known.get_or_init(|| settings).clone()))
}
