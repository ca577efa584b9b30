//! What the running command holds: the issuer, and what becomes of its keys.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::addresses::Addresses;
use super::grant::Grant;
use super::local_issuer::Issuer;
use super::saved_keys::SavedKeys;
use crate::clock;

/// The issuer at work.
pub(super) struct Desk {
    pub(super) issuer: Issuer,
    pub(super) addresses: Addresses,
    /// What tokens say of which a request says nothing.
    pub(super) usual: Grant,
    /// How long old keys stay published.
    pub(super) overlap: Duration,
    /// Where the keys are kept.
    pub(super) saved: Option<SavedKeys>,
    /// Whether other machines may ask.
    pub(super) open: bool,
    /// Held while keys are made, so that what is saved is what signs.
    pub(super) rotating: Mutex<()>,
}

impl Desk {
    /// Makes new keys. The old ones stay published for that long. The `kid`s of the new ones.
    ///
    /// # Errors
    /// The system gives no randomness, or the keys cannot be saved; they sign all the same then.
    pub(super) fn rotate(&self, overlap: Duration) -> anyhow::Result<Vec<String>> {
        let _turn = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = self.issuer.rotate(overlap, clock::wall())?;
        if let Some(saved) = &self.saved {
            saved.write(&self.issuer)?;
        }
        Ok(ids)
    }
}
