//! To the next component of the chain, in memory.

use std::fmt;

use scopegate_core::UpstreamFailure;
use spin_sdk::wasip3::http::types::{Request, RequestOptions, Response};

use super::Origin;
use crate::body::Progress;
use crate::host;

/// What Spin tells every component about its request. It stands behind a client's field of the same name.
const OF_SPIN: [&str; 7] = [
    "spin-base-path",
    "spin-client-addr",
    "spin-component-route",
    "spin-full-url",
    "spin-matched-route",
    "spin-path-info",
    "spin-raw-component-route",
];

/// Where requests go that may pass: the composition decides.
#[derive(Debug)]
pub(crate) struct Target;

/// There is no way to say it wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvalidTarget {}

impl Target {
    pub(crate) async fn read() -> Result<Result<Self, InvalidTarget>, String> {
        Ok(Ok(Self))
    }

    /// The next component is a call away: there is no connection to wait for.
    pub(crate) fn options(&self) -> Option<RequestOptions> {
        None
    }

    /// The request keeps the address that it came to.
    pub(crate) fn address(&self, origin: &Origin, outgoing: &Request) -> Result<(), ()> {
        outgoing.set_scheme(origin.scheme.as_ref())?;
        outgoing.set_authority(origin.authority.as_deref())
    }

    /// Hands it on. How long the component takes is its own affair, as it is without a guard.
    pub(crate) async fn send(
        &self,
        outgoing: Request,
        _: &Progress,
    ) -> Result<Response, UpstreamFailure> {
        let answer = host::next(outgoing).await;
        answer.map_err(|_| UpstreamFailure::Unreachable)
    }
}

/// Whether the last field of that name is Spin's own, which the guarded component may want to read.
pub(crate) fn is_kept_of_spin(name: &str) -> bool {
    OF_SPIN.contains(&name) || name.starts_with("spin-path-match-")
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}
