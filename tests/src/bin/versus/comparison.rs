//! The whole comparison: which cases are put to the native filters, and what came of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use e2e::corpus::{Case, Runner};
use e2e::gate::Plan;
use e2e::test_key::TestKey;

use crate::disagreement::Disagreement;
use crate::explanations::Explanations;
use crate::listeners::Listeners;
use crate::say;
use crate::trial::{self, Trial};

const RUNNERS: [Runner; 2] = [Runner::EnvoyHttp1, Runner::EnvoyHttp2];

/// What came of all cases.
pub(crate) struct Tried {
    /// Envoy's version.
    pub(crate) envoy: String,
    /// How many cases were put to it.
    pub(crate) compared: usize,
    /// The cases that were not, with the reason.
    pub(crate) left_out: Vec<(String, String)>,
    /// The disagreements, in the order of the corpus.
    pub(crate) found: Vec<Found>,
}

/// A disagreement, and where it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) case: String,
    /// The one protocol over which it was seen, where it was not seen over both alike.
    pub(crate) only: Option<Runner>,
    pub(crate) disagreement: Disagreement,
}

/// Puts every case to a native listener, over HTTP/1 and over HTTP/2.
pub(crate) fn run(
    envoy: &Path,
    keys: &BTreeMap<String, TestKey>,
    cases: &[Case],
    explanations: &Explanations,
) -> Result<Tried> {
    let mut left_out = Vec::new();
    let mut listeners = Listeners::new(Plan::without_filter(envoy, keys)?);
    let mut trials = Vec::new();
    let mut compared = 0;
    for case in cases {
        let runners: Vec<Runner> = RUNNERS
            .into_iter()
            .filter(|runner| !case.skip.contains_key(runner))
            .collect();
        let reason = explanations.left_out(&case.full_name()).or_else(|| {
            // What a codec refuses over one protocol is put to the other one.
            case.skip
                .get(&Runner::EnvoyHttp2)
                .filter(|_| runners.is_empty())
                .map(|skip| &skip.reason)
        });
        if let Some(reason) = reason {
            left_out.push((case.full_name(), reason.clone()));
            continue;
        }
        compared += 1;
        for runner in runners {
            let listener = listeners.of(case).with_context(|| case.full_name())?;
            trials.push(Trial {
                case,
                runner,
                listener,
                is_early: explanations.is_early(&case.full_name()),
            });
        }
    }
    say(&format!(
        "starting Envoy with {} native listeners",
        listeners.count()
    ));
    let gate = listeners.start()?;
    let found = both(&trials, trial::put(envoy, &gate, keys, &trials)?);
    if !gate.envoy.is_running() {
        bail!("Envoy ended on the way:\n{}", gate.envoy.log());
    }
    Ok(Tried {
        envoy: version_of(envoy)?,
        compared,
        left_out,
        found,
    })
}

/// The version that Envoy says it is.
pub(crate) fn version_of(envoy: &Path) -> Result<String> {
    let said = Command::new(envoy).arg("--version").output()?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    // `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`
    let version = said.split('/').rev().nth(3);
    Ok(version
        .with_context(|| format!("an unknown version: {said:?}"))?
        .to_owned())
}

/// Puts what was seen alike over both protocols together.
fn both(trials: &[Trial], seen: Vec<Option<Disagreement>>) -> Vec<Found> {
    let seen: Vec<_> = trials.iter().zip(seen).collect();
    let mut found = Vec::new();
    for of_case in seen.chunk_by(|(one, _), (other, _)| std::ptr::eq(one.case, other.case)) {
        let is_alike = match of_case {
            [(_, one), (_, other)] => one == other,
            _ => false,
        };
        let told = if is_alike { &of_case[..1] } else { of_case };
        for (trial, disagreement) in told {
            found.extend(disagreement.clone().map(|disagreement| Found {
                case: trial.case.full_name(),
                only: (!is_alike).then_some(trial.runner),
                disagreement,
            }));
        }
    }
    found
}
