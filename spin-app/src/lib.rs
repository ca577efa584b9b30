//! Scopegate in Spin: an HTTP component around the pure core.
//!
//! The core decides, this crate acts: it asks the core ([`gate`]), brings keys from the store or the issuer ([`keys`]), and hands the
//! request on ([`forward`]) or answers it ([`answer`]). Every call of the host is in [`host`].
//!
//! Built as it is, it is a gateway: it forwards to the upstream that the variable `upstream` names. With the feature `middleware`
//! it hands on to the next component of the chain, and keeps keys in memory only: it shares the store of the component that it guards.

// Outside WebAssembly nothing is exported, and so nothing used: there it is compiled for its lints alone.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

mod answer;
mod forward;
mod gate;
mod host;
mod keys;
mod onward;
mod settings;
mod single_flight;
#[cfg(not(feature = "middleware"))]
mod store;

use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::http_compat::http_from_wasi_request;

// What a component calls its exports is no name to the linkers of other machines.
#[cfg(target_family = "wasm")]
wasip3::http::service::export!(Component);

/// What Spin calls. The SDK's own attribute would make a bare 500 of a request that it cannot read.
struct Component;

impl wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        match http_from_wasi_request(request) {
            Ok(request) => gate::respond(request).await,
            Err(code) => {
                host::log(&format!("not a request: {code:?}"));
                answer::response(scopegate_core::Response::bad_request())
            }
        }
    }
}
