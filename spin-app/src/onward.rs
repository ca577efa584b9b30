//! Where an allowed request goes: to the upstream, or as middleware to the next component of the chain.

#[cfg(feature = "middleware")]
mod next;
#[cfg(not(feature = "middleware"))]
mod upstream;

#[cfg(feature = "middleware")]
pub(crate) use next::{InvalidTarget, Target, is_kept_of_spin};
#[cfg(not(feature = "middleware"))]
pub(crate) use upstream::{InvalidTarget, Target, is_kept_of_spin};

use spin_sdk::wasip3::http::types::{Request, Scheme};

/// Where a request was sent to, as its client wrote it.
pub(crate) struct Origin {
    pub(crate) scheme: Option<Scheme>,
    pub(crate) authority: Option<String>,
}

impl Origin {
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            scheme: request.get_scheme(),
            authority: request.get_authority(),
        }
    }
}
