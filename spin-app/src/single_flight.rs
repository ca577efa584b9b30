//! One fetch at a time for each issuer, whatever the number of requests that wait for it in this instance.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use scopegate_core::IssuerId;

use crate::host;

/// How often a waiting request looks whether the fetch is over.
///
/// To be woken would be better. But each request is a task of the component model, and wit-bindgen 0.57 wakes one from another by
/// cancelling a read that stands in a waitable set, which wasmtime 48 traps as its specification says.
const LOOK: Duration = Duration::from_millis(2);

/// The fetches under way.
#[derive(Default)]
pub(crate) struct Flights(RefCell<BTreeMap<IssuerId, Flight>>);

/// A fetch that others may wait for.
#[derive(Clone, Default)]
pub(crate) struct Flight(Rc<Cell<bool>>);

/// Whose turn it is.
pub(crate) enum Turn<'a> {
    /// The caller fetches, until it drops this.
    Fly(Landing<'a>),
    /// Another request fetches.
    Wait(Flight),
}

/// Ends a fetch for everyone when it is dropped, also when that happens because its own client left.
pub(crate) struct Landing<'a> {
    flights: &'a Flights,
    issuer: IssuerId,
}

impl Flights {
    /// Joins the fetch of that issuer's keys, or begins one.
    pub(crate) fn join(&self, issuer: IssuerId) -> Turn<'_> {
        let mut under_way = self.0.borrow_mut();
        if let Some(flight) = under_way.get(&issuer) {
            return Turn::Wait(flight.clone());
        }
        under_way.insert(issuer, Flight::default());
        Turn::Fly(Landing {
            flights: self,
            issuer,
        })
    }
}

impl Flight {
    pub(crate) async fn landed(&self) {
        while !self.0.get() {
            host::sleep(LOOK).await;
        }
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        if let Some(Flight(is_over)) = self.flights.0.borrow_mut().remove(&self.issuer) {
            is_over.set(true);
        }
    }
}
