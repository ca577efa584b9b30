//! An issuer's server: it publishes keys, keeps a record of what it answered, and dies when told to.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use e2e::server::{Reply, Server, answer};

use crate::door::Door;
use crate::record::{Kid, Record, Version};
use crate::times::Clock;
use crate::tokens::Mint;
use crate::verdict;

/// How long it must have been quiet before it dies: an answer that is written down but never arrives would make the record false.
const QUIET: Duration = Duration::from_millis(200);

/// A running issuer.
pub(crate) struct Issuer {
    clock: Clock,
    whose: verdict::Issuer,
    shelf: Arc<Mutex<Shelf>>,
    door: Door,
    _server: Server,
}

struct Shelf {
    record: Record,
    body: Vec<u8>,
}

impl Issuer {
    /// Starts one with these keys; `place` is the socket by which it is reached.
    ///
    /// # Errors
    /// No place to listen, or no such key.
    pub(crate) fn start(
        clock: Clock,
        mint: &Mint,
        whose: verdict::Issuer,
        kids: BTreeSet<Kid>,
        place: &Path,
    ) -> Result<Self> {
        let shelf = Arc::new(Mutex::new(Shelf {
            body: mint.key_set(whose, &kids)?,
            record: Record::new(kids),
        }));
        let stock = Arc::clone(&shelf);
        let server = Server::start(move |_| {
            let mut shelf = lock(&stock);
            let kids = shelf.record.keys();
            // Before the answer leaves: the gate has it later than this, and never earlier.
            let at = clock.now();
            shelf.record.answers.push(Version { at, kids });
            let headers = [("content-type", "application/json")];
            Reply::Bytes(answer(200, &headers, &shelf.body))
        })?;
        Ok(Self {
            clock,
            whose,
            shelf,
            door: Door::open(place, server.address())?,
            _server: server,
        })
    }

    /// From now on these are its keys.
    ///
    /// # Errors
    /// No such key.
    pub(crate) fn publish(&self, mint: &Mint, kids: BTreeSet<Kid>) -> Result<()> {
        let body = mint.key_set(self.whose, &kids)?;
        let mut shelf = lock(&self.shelf);
        let at = self.clock.now();
        shelf.record.published.push(Version { at, kids });
        shelf.body = body;
        Ok(())
    }

    /// Its server dies, if it lives.
    pub(crate) fn die(&mut self) {
        loop {
            let record = self.record();
            if let Some((_, None)) = record.outages.last() {
                return;
            }
            let now = self.clock.now();
            let is_quiet = |at: Duration| now.saturating_sub(at) >= QUIET;
            if record.last_answer().is_none_or(is_quiet) {
                break;
            }
            std::thread::sleep(QUIET / 4);
        }
        // Noted first: of two times between which it may have died, the earlier promises less.
        let at = self.clock.now();
        lock(&self.shelf).record.outages.push((at, None));
        self.door.shut();
    }

    /// Its server comes back.
    ///
    /// # Errors
    /// It cannot listen.
    pub(crate) fn come_back(&mut self) -> Result<()> {
        self.door.reopen()?;
        // Noted last, for the same reason.
        let now = self.clock.now();
        if let Some((_, until)) = lock(&self.shelf).record.outages.last_mut() {
            *until = Some(now);
        }
        Ok(())
    }

    /// What it did so far.
    pub(crate) fn record(&self) -> Record {
        lock(&self.shelf).record.clone()
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
