//! The entries in the component's key-value store. An instance of a component lives a second without a request: memory would
//! forget them.
//!
//! Each entry is a value of its own, so that two requests at a time do not undo each other.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use spin_sdk::key_value::{Error, Store};
use timesheets::entry::{Draft, Entry, Work};
use timesheets::ledger::{Count, Ledger};

/// A store that no other component has, least of all the gate, which keeps the issuer's keys in its own.
pub(crate) const LABEL: &str = "entries";

/// All of them, in the store.
pub(crate) struct Entries;

/// An entry without its number, which is the key. What is read is checked again.
#[derive(Deserialize, Serialize)]
struct Kept<W> {
    employee: String,
    work: W,
}

/// Why the store does not do what it is asked.
pub(crate) enum Failure {
    /// With its own words.
    Store(Error),
    /// What it holds under that key is no entry.
    Unreadable(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Ledger for Entries {
    type Failure = Failure;

    async fn entries_of(&mut self, employee: &str) -> Result<Vec<Entry>, Failure> {
        let mut entries = all().await?;
        entries.retain(|entry| entry.employee == employee);
        entries.sort_by_key(|entry| entry.id);
        Ok(entries)
    }

    async fn quarters_by_project(&mut self) -> Result<BTreeMap<String, u32>, Failure> {
        let mut sums: BTreeMap<String, u32> = BTreeMap::new();
        for Entry { work, .. } in all().await? {
            let sum = sums.entry(work.project().to_owned()).or_default();
            *sum = sum.saturating_add(work.hours().quarters().into());
        }
        Ok(sums)
    }

    async fn count(&mut self, employee: &str) -> Result<Count, Failure> {
        let entries = all().await?;
        let own = entries.iter().filter(|entry| entry.employee == employee);
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Count {
            own: number(own.count()),
            all: number(entries.len()),
        })
    }

    async fn add(&mut self, employee: String, work: Work) -> Result<Entry, Failure> {
        let id = fresh_id();
        let key = id.to_string();
        let kept = Kept { employee, work };
        let value = serde_json::to_vec(&kept).map_err(|_| Failure::Unreadable(key.clone()))?;
        Store::open(LABEL).await?.set(&key, value).await?;
        let Kept { employee, work } = kept;
        Ok(Entry { id, employee, work })
    }

    async fn remove(&mut self, employee: &str, id: u64) -> Result<bool, Failure> {
        let store = Store::open(LABEL).await?;
        let is_own = read(&store, &id.to_string())
            .await?
            .is_some_and(|entry| entry.employee == employee);
        if is_own {
            store.delete(id.to_string()).await?;
        }
        Ok(is_own)
    }
}

async fn all() -> Result<Vec<Entry>, Failure> {
    let store = Store::open(LABEL).await?;
    let mut entries = Vec::new();
    for key in store.get_keys().await.collect().await? {
        // Another request may have removed it since.
        entries.extend(read(&store, &key).await?);
    }
    Ok(entries)
}

async fn read(store: &Store, key: &str) -> Result<Option<Entry>, Failure> {
    let Some(value) = store.get(key).await? else {
        return Ok(None);
    };
    let kept: Option<Kept<Draft>> = serde_json::from_slice(&value).ok();
    match (key.parse(), kept) {
        (Ok(id), Some(Kept { employee, work })) => match Work::try_from(work) {
            Ok(work) => Ok(Some(Entry { id, employee, work })),
            Err(_) => Err(Failure::Unreadable(key.to_owned())),
        },
        _ => Err(Failure::Unreadable(key.to_owned())),
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
