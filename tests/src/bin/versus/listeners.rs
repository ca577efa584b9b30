//! The native listeners: one for each policy with its keys.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::corpus::Case;
use e2e::corpus::policy::{Place, key_sets};
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
        if case.keys.values().any(|set| set.answers.len() > 1) {
            return Ok(None);
        }
        let used: Vec<_> = key_sets(&case.policy)?
            .into_values()
            .map(|set| case.keys.get(&set))
            .collect();
        let identity = format!("{}{used:?}", case.policy);
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
    for set in key_sets(&case.policy)?.into_values() {
        let answers = case
            .keys
            .get(&set)
            .with_context(|| format!("there is no key set {set:?}"))?;
        let place = plan.key_set(name, &set, answers, Duration::ZERO)?;
        places.insert(set, place);
    }
    plan.whole_listener(native::listener(name, &case.policy, &places)?);
    Ok(())
}

/// The native listener for a case, its key sets on a server that nobody runs.
pub(crate) fn sample(case: &Case) -> Result<Value> {
    let place = |set: String| {
        let place = Place {
            url: format!("https://keys.example/{set}.json"),
            cluster: format!("keys_{set}"),
        };
        (set, place)
    };
    let places = key_sets(&case.policy)?.into_values().map(place).collect();
    native::listener("native", &case.policy, &places)
}
