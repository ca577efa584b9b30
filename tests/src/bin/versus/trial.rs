//! One case over one protocol, on a native listener.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use e2e::corpus::site::Document;
use e2e::corpus::{Case, KeySet, Runner};
use e2e::gate::{Gate, Plan};
use e2e::judge::{Prepared, Seen};
use e2e::runner::{self, Host};
use e2e::test_key::TestKey;

use crate::disagreement::{Disagreement, gravest};
use crate::{listeners, say};

/// How many at once: most of a case is waiting.
const THREADS: usize = 8;

/// A case over one protocol.
pub(crate) struct Trial<'a> {
    pub(crate) case: &'a Case,
    pub(crate) runner: Runner,
    /// Its listener in the Envoy that most cases share; none for a case that has an Envoy of its own.
    pub(crate) listener: Option<String>,
    /// Whether its answer turns on a second, so that its requests belong at the beginning of one.
    pub(crate) is_early: bool,
}

/// The gravest disagreement of each trial, in their order.
pub(crate) fn put(
    envoy: &Path,
    gate: &Gate,
    keys: &BTreeMap<String, TestKey>,
    trials: &[Trial],
) -> Result<Vec<Option<Disagreement>>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(trial) = trials.get(index) else {
                        return;
                    };
                    let result = put_one(envoy, gate, keys, trial);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.insert(index, result);
                    let done = results.len();
                    if done.is_multiple_of(200) || done == trials.len() {
                        say(&format!("{done} of {} done", trials.len()));
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results
        .into_iter()
        .map(|(index, result)| result.with_context(|| trials[index].case.full_name()))
        .collect()
}

fn put_one(
    envoy: &Path,
    shared: &Gate,
    keys: &BTreeMap<String, TestKey>,
    trial: &Trial,
) -> Result<Option<Disagreement>> {
    let (own, listener);
    let (gate, listener) = match &trial.listener {
        Some(listener) => (shared, listener),
        None => {
            let mut plan = Plan::without_filter(envoy, keys)?;
            listener = "native".to_owned();
            listeners::add(&mut plan, &listener, trial.case)?;
            own = plan.start()?;
            (&own, &listener)
        }
    };
    let mut host = NativeHost {
        gate,
        listener,
        keys,
        trial,
    };
    Ok(gravest(&runner::ask(trial.case, keys, &mut host)?))
}

/// How much of a second is its beginning, in milliseconds.
const EARLY_MS: u64 = 200;

/// A native listener, asked over one protocol.
struct NativeHost<'a> {
    gate: &'a Gate,
    listener: &'a str,
    keys: &'a BTreeMap<String, TestKey>,
    trial: &'a Trial<'a>,
}

impl Host for NativeHost<'_> {
    fn now_ms(&self) -> u64 {
        loop {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
            if !self.trial.is_early || now % 1000 < EARLY_MS {
                return now;
            }
            std::thread::sleep(Duration::from_millis(1000 - now % 1000));
        }
    }

    fn wait(&mut self, ms: u64) -> Result<()> {
        std::thread::sleep(Duration::from_millis(ms));
        Ok(())
    }

    fn ask(&mut self, sent: &Prepared) -> Result<Seen> {
        self.gate
            .ask_unlogged(self.listener, self.trial.runner, sent)
    }

    fn issuer(&self, name: &str) -> String {
        self.gate.site(self.listener).issuer(name)
    }

    fn publish(&mut self, name: &str, set: &KeySet) -> Result<()> {
        self.gate.replace(self.listener, name, set, self.keys)
    }

    fn fetches(&self, name: &str, document: Document) -> usize {
        self.gate.fetches(self.listener, name, document).len()
    }
}
