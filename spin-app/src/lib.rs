//! Scopegate in Spin: an HTTP component around the pure core.
//!
//! The core decides, this crate acts: it reads the request ([`message`]), asks the core ([`gate`]), fetches keys or takes them from
//! the store ([`keys`]), and hands the request on ([`forward`]) or answers it ([`answer`]). Every call of the host is in [`host`].
//!
//! Built as it is, it is a gateway: it forwards to the upstream that the variable `upstream` names. With the feature `middleware`
//! it hands on to the next component of the chain, and keeps keys in memory only: it shares the store of the component that it guards.

mod answer;
mod body;
mod fields;
mod forward;
mod gate;
mod host;
mod keys;
mod message;
mod onward;
mod settings;
mod single_flight;

use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

wasip3::http::service::export!(Component);

/// What Spin calls.
struct Component;

impl wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        // An `Err` would become a bare 500: there is an answer for everything.
        Ok(gate::respond(request).await)
    }
}
