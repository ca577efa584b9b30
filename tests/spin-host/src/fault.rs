//! Faults that a test asks for: an operation fails, is late, or never answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use serde::Deserialize;

/// What an operation does instead of its work, or before it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// It fails with this text.
    Error(String),
    /// It works after so many milliseconds.
    DelayMs(u64),
    /// With `true` it never answers.
    Hang(bool),
}

/// The faults of some operations.
#[derive(Debug)]
pub(crate) struct Faults {
    operations: &'static [&'static str],
    set: Mutex<BTreeMap<String, Fault>>,
}

impl Faults {
    /// No faults yet, of these operations.
    pub(crate) fn new(operations: &'static [&'static str]) -> Self {
        Self {
            operations,
            set: Mutex::default(),
        }
    }

    /// Sets the faults of the operations that are named, and takes away those that are `None`.
    pub(crate) fn change(&self, changes: BTreeMap<String, Option<Fault>>) -> Result<()> {
        let unknown = |name: &&String| !self.operations.contains(&name.as_str());
        if let Some(name) = changes.keys().find(unknown) {
            bail!("no operation `{name}`, only {:?}", self.operations);
        }
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, fault) in changes {
            match fault {
                None | Some(Fault::Hang(false)) => set.remove(&name),
                Some(fault) => set.insert(name, fault),
            };
        }
        Ok(())
    }

    /// Suffers the fault of an operation, if it has one now.
    pub(crate) async fn meet(&self, operation: &str) -> Result<(), String> {
        let fault = {
            let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
            set.get(operation).cloned()
        };
        match fault {
            None | Some(Fault::Hang(false)) => Ok(()),
            Some(Fault::Error(text)) => Err(text),
            Some(Fault::DelayMs(delay)) => {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                Ok(())
            }
            Some(Fault::Hang(true)) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_what_they_change() {
        let faults = Faults::new(&["open", "get"]);
        let change = |text: &str| faults.change(serde_json::from_str(text).unwrap());
        let get = || faults.set.lock().unwrap().get("get").cloned();
        change(r#"{"get": {"delay_ms": 5}}"#).unwrap();
        change(r#"{"open": {"hang": true}}"#).unwrap();
        assert_eq!(get(), Some(Fault::DelayMs(5)));
        change(r#"{"get": null}"#).unwrap();
        assert_eq!(get(), None);
        assert!(change(r#"{"put": null}"#).is_err());
        assert!(
            serde_json::from_str::<BTreeMap<String, Option<Fault>>>(r#"{"get": {"dealy_ms": 5}}"#)
                .is_err()
        );
    }
}
