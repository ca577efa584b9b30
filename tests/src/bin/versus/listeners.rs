//! The native listeners: one for each policy with its keys.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use e2e::corpus::Case;
use e2e::corpus::policy::{Place, Source, fetched};
use e2e::gate::{Gate, Plan};
use e2e::native;
use serde_json::Value;

/// The listeners planned so far, by policy and keys.
pub(crate) struct Listeners<'a> {
    plan: Plan<'a>,
    shared: BTreeMap<String, String>,
}

impl<'a> Listeners<'a> {
    pub(crate) fn new(plan: Plan<'a>) -> Self {
        Self {
            plan,
            shared: BTreeMap::new(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.shared.len()
    }

    pub(crate) fn start(self) -> Result<Gate> {
        self.plan.start()
    }

    /// The listener for that case: one that has the same policy and the same keys, else a new one. None where the answers of a
    /// key server change: keys are fetched by the clock, which must start with the case.
    pub(crate) fn of(&mut self, case: &Case) -> Result<Option<String>> {
        if case.changes_keys() {
            return Ok(None);
        }
        let identity = format!("{}{:?}", case.policy, case.published()?);
        if let Some(name) = self.shared.get(&identity) {
            return Ok(Some(name.clone()));
        }
        let name = format!("native-{}", self.shared.len());
        add(&mut self.plan, &name, case)?;
        self.shared.insert(identity, name.clone());
        Ok(Some(name))
    }
}

pub(crate) fn add(plan: &mut Plan, name: &str, case: &Case) -> Result<()> {
    let mut places = BTreeMap::new();
    for (issuer, set) in case.published()? {
        // Native keys have an address, always: nothing is discovered.
        let place = plan.publish(name, &issuer, &set, &Source::Url, Duration::ZERO)?;
        places.insert(issuer, place);
    }
    plan.whole_listener(native::listener(name, &case.policy, &places)?);
    Ok(())
}

/// The native listener for a case, its key sets on a server that nobody runs.
pub(crate) fn sample(case: &Case) -> Result<Value> {
    let place = |(_, set): (Source, String)| {
        let place = Place {
            issuer: format!("https://{set}.example/"),
            url: format!("https://keys.example/{set}.json"),
            file: format!("/keys/{set}.json"),
            public: Vec::new(),
            cluster: format!("keys_{set}"),
        };
        (set, place)
    };
    let places = fetched(&case.policy)?.into_values().map(place).collect();
    native::listener("native", &case.policy, &places)
}
