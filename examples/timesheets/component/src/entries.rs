//! The entries in the component's key-value store. An instance of a component lives a second without a request: memory would
//! forget them.
//!
//! Each entry is a value of its own, so that two requests at a time do not undo each other.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use spin_sdk::http::Response;
use spin_sdk::key_value::{Error, Store};
use timesheets::answer::Refusal;
use timesheets::ledger::{Change, Entry, Ledger, Work};
use timesheets::wish::Wish;

/// A store that no other component has, least of all the gate, which keeps the issuer's keys in its own.
pub(crate) const LABEL: &str = "entries";

/// An entry without its number, which is the key.
#[derive(Deserialize, Serialize)]
struct Kept {
    employee: String,
    work: Work,
}

/// Why there is no answer to a wish.
pub(crate) enum Failure {
    /// The API refuses it.
    Refused(Refusal),
    /// The store does not do what it is asked.
    Store(Error),
    /// What the store holds under that key is no entry.
    Unreadable(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Does what is wished, on the entries as they are in the store now.
pub(crate) async fn fulfil(wish: Wish) -> Result<Response<String>, Failure> {
    if wish == Wish::Health {
        let healthy = Ledger::default().fulfil(wish, 0);
        return Ok(healthy.map_err(Failure::Refused)?.answer);
    }
    let store = Store::open(LABEL).await?;
    let mut ledger = read(&store).await?;
    let fulfilled = ledger.fulfil(wish, fresh_id()).map_err(Failure::Refused)?;
    match fulfilled.change {
        Some(Change::Added(entry)) => write(&store, entry).await?,
        Some(Change::Removed(id)) => store.delete(id.to_string()).await?,
        None => {}
    }
    Ok(fulfilled.answer)
}

async fn read(store: &Store) -> Result<Ledger, Failure> {
    let mut entries = Vec::new();
    for key in store.get_keys().await.collect().await? {
        // Another request may have removed it since.
        let Some(value) = store.get(&key).await? else {
            continue;
        };
        match (key.parse(), serde_json::from_slice(&value)) {
            (Ok(id), Ok(Kept { employee, work })) => entries.push(Entry { id, employee, work }),
            _ => return Err(Failure::Unreadable(key)),
        }
    }
    Ok(Ledger::of(entries))
}

async fn write(store: &Store, entry: Entry) -> Result<(), Failure> {
    let Entry { id, employee, work } = entry;
    let key = id.to_string();
    match serde_json::to_vec(&Kept { employee, work }) {
        Ok(value) => Ok(store.set(&key, value).await?),
        Err(_) => Err(Failure::Unreadable(key)),
    }
}

/// The second in which it is made, and behind it 22 random bits. The store has no counter and no compare-and-swap, so that two requests at a
/// time would both find the same last number; and a number above 2^53 is not exact in every reader of JSON.
fn fresh_id() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |since| since.as_secs());
    // The standard library's own source of random keys.
    let random = RandomState::new().build_hasher().finish();
    seconds << 22 | random >> 42
}
