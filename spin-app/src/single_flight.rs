//! One fetch at a time for each issuer, whatever the number of requests that wait for it in this instance.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use scopegate_core::IssuerId;

use crate::host;

/// How often a waiting request looks whether the fetch is over.
///
/// To be woken would be better. But each request is a task of the component model, and wit-bindgen 0.57 wakes one from another by
/// cancelling a read that stands in a waitable set, which wasmtime 48 traps as its specification says.
const LOOK: Duration = Duration::from_millis(2);

/// The issuers whose keys are being fetched.
#[derive(Default)]
pub(crate) struct Flights(RefCell<BTreeSet<IssuerId>>);

/// The right to fetch. It ends when this is dropped, also when that happens because the request's own client left.
pub(crate) struct Flight<'a>(&'a Flights, IssuerId);

impl Flights {
    /// Begins a fetch, unless one is under way.
    pub(crate) fn begin(&self, issuer: IssuerId) -> Option<Flight<'_>> {
        let begins = self.0.borrow_mut().insert(issuer);
        // Made only then: one that is dropped ends the fetch.
        begins.then(|| Flight(self, issuer))
    }

    /// Waits for the fetch that is under way.
    pub(crate) async fn landed(&self, issuer: IssuerId) {
        while self.0.borrow().contains(&issuer) {
            host::sleep(LOOK).await;
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.0.borrow_mut().remove(&self.1);
    }
}
