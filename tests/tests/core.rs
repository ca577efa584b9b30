//! The corpus on the core alone: time is a number, keys come from the cases, the upstream sees what the decision says.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use e2e::core_gate::{CoreGate, Refresh};
use e2e::corpus::{Runner, load};
use e2e::runner::run;
use e2e::test_key;
use libtest_mimic::{Arguments, Trial};

/// Friday, 15 January 2027, 08:00:00 UTC.
const START_MS: u64 = 1_800_000_000_000;

fn main() -> Result<ExitCode> {
    let keys = Arc::new(test_key::load()?);
    let mut trials = Vec::new();
    let mut skips = 0;
    let ways = [Refresh::BehindRequests, Refresh::ByTheClock];
    let cases = load()?.into_iter();
    for (case, refresh) in cases.flat_map(|case| ways.map(|way| (case.clone(), way))) {
        let keys = Arc::clone(&keys);
        let mut name = case.full_name();
        if refresh == Refresh::ByTheClock {
            // Only a case that lets time pass is another one then. One that takes too long for Envoy may count on nobody asking.
            let in_envoy = case.skip.get(&Runner::EnvoyHttp1);
            if case.waits_ms() == 0 || in_envoy.is_some_and(|skip| !skip.is_tried) {
                continue;
            }
            name.push_str(", keys being fetched by the clock");
        }
        let skipped = case.skip.get(&Runner::Core).cloned();
        if let Some(skip) = &skipped {
            println!("skipped: {}: {}", case.full_name(), skip.reason);
            skips += 1;
        }
        let trial = Trial::test(name, move || {
            let published = case.published()?;
            let mut host = CoreGate::new(&case.policy, &published, &keys, refresh, START_MS)?;
            run(&case, &keys, &mut host).map_err(|error| format!("{error:#}").into())
        });
        trials.push(trial.with_ignored_flag(skipped.is_some()));
    }
    println!(
        "{} cases on the core, {skips} of them skipped",
        trials.len()
    );
    Ok(libtest_mimic::run(&Arguments::from_args(), trials).exit_code())
}
