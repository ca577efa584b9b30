//! Where an allowed request goes: to the upstream, or as middleware to the next component of the chain.

use std::cell::Cell;
#[cfg(not(feature = "middleware"))]
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

#[cfg(not(feature = "middleware"))]
use futures::future::{Either, select};
use http::request::Parts;
use scopegate_core::ForwardingFailure::{self, UpstreamUnreachable};
use scopegate_core::spin::SpinFields;
use spin_sdk::http::Response;
use spin_sdk::wasip3::http::types::Request;

use crate::host;
use crate::settings::Settings;

/// To an upstream, what Spin says of a request would be the client's word; the next component may want to read it.
pub(crate) const SPIN_FIELDS: SpinFields = match cfg!(feature = "middleware") {
    false => SpinFields::Strip,
    true => SpinFields::KeepOwn,
};

/// Since when it is the upstream that everything waits for; nothing while the client is still sending.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Rc<Cell<Option<Duration>>>);

impl Waiting {
    /// Notes who is waited for from now on.
    pub(crate) fn is_on_upstream(&self, is_it: bool) {
        self.0.set(is_it.then(host::elapsed));
    }

    /// Ends when the upstream has kept everything waiting for that long.
    #[cfg(not(feature = "middleware"))]
    async fn is_over(&self, limit: Duration) {
        loop {
            let since = self.0.get().unwrap_or_else(host::elapsed);
            match limit.saturating_sub(host::elapsed().saturating_sub(since)) {
                Duration::ZERO => return,
                left => host::sleep(left).await,
            }
        }
    }
}

/// Puts the upstream's address on a request, and the time for a connection.
#[cfg(not(feature = "middleware"))]
pub(crate) fn address(settings: &Settings, head: &mut Parts) -> Result<(), ForwardingFailure> {
    let mut uri = std::mem::take(&mut head.uri).into_parts();
    uri.scheme = settings.upstream.scheme.parse().ok();
    uri.authority = settings.upstream.authority.parse().ok();
    head.uri = uri.try_into().map_err(|_| UpstreamUnreachable)?;
    // Spin's own time for the answer counts while the client still sends: it stays at its ten minutes.
    head.extensions
        .insert(host::connect_timeout(settings.upstream.timeout));
    Ok(())
}

/// A request to the next component keeps the address that it came to.
#[cfg(feature = "middleware")]
pub(crate) fn address(_: &Settings, _: &mut Parts) -> Result<(), ForwardingFailure> {
    Ok(())
}

/// Sends it to the upstream, and waits for the beginning of the answer.
#[cfg(not(feature = "middleware"))]
pub(crate) async fn send(
    settings: &Settings,
    request: Request,
    waiting: &Waiting,
) -> Result<Response, ForwardingFailure> {
    let sent = pin!(host::send(request));
    let over = pin!(waiting.is_over(settings.upstream.timeout));
    match select(sent, over).await {
        Either::Left((Ok(response), _)) => Ok(response),
        Either::Left((Err(code), _)) if !host::is_timeout(&code) => Err(UpstreamUnreachable),
        Either::Left(_) | Either::Right(_) => Err(ForwardingFailure::UpstreamTimeout),
    }
}

/// Hands it on. How long the next component takes is its own affair, as it is without a guard.
#[cfg(feature = "middleware")]
pub(crate) async fn send(
    _: &Settings,
    request: Request,
    _: &Waiting,
) -> Result<Response, ForwardingFailure> {
    let answer = host::next(request).await;
    answer.map_err(|_| UpstreamUnreachable)
}
