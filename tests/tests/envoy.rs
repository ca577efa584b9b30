//! The corpus through a real Envoy with the filter, over HTTP/1 and over HTTP/2.
//!
//! One process serves all cases: each policy with its keys has a listener of its own. A case that counts fetches, or whose
//! keys fail or change, shares its listener with no other.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use e2e::corpus::policy::{Source, fetched};
use e2e::corpus::site::Document;
use e2e::corpus::{Case, KeySet, Runner, load};
use e2e::gate::{Gate, Plan};
use e2e::judge::{Prepared, Seen};
use e2e::runner::{Host, run};
use e2e::test_key::{self, TestKey};
use e2e::tools;
use libtest_mimic::{Arguments, Conclusion, Trial};

/// The end of a skipped case's name.
const SKIPPED: &str = " (skipped)";

const RUNNERS: [Runner; 2] = [Runner::EnvoyHttp1, Runner::EnvoyHttp2];

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // Most of a case is waiting, for keys or for the access log.
    arguments.test_threads.get_or_insert(8);
    let Some(tools) = tools::find()? else {
        return Ok(libtest_mimic::run(&arguments, Vec::new()).exit_code());
    };
    let keys = Arc::new(test_key::load()?);
    let cases = load()?;
    let mut listeners = Listeners {
        plan: Plan::new(&tools, &keys)?,
        shared: Vec::new(),
        count: 0,
    };
    let mut planned = Vec::new();
    for case in cases {
        for runner in RUNNERS {
            // Envoy may not even start with the policy of a case that is not tried.
            let is_tried = case.skip.get(&runner).is_none_or(|skip| skip.is_tried);
            let listener = match is_tried {
                true => listeners
                    .of(&case, runner)
                    .with_context(|| case.full_name())?,
                false => String::new(),
            };
            planned.push((case.clone(), runner, listener));
        }
    }
    let gate = Arc::new(listeners.plan.start()?);
    let trials: Vec<Trial> = planned
        .into_iter()
        .map(|(case, runner, listener)| trial(case, runner, listener, &gate, &keys))
        .collect();
    let skips = trials
        .iter()
        .filter(|trial| trial.name().ends_with(SKIPPED))
        .count();
    let untried = trials
        .iter()
        .filter(|trial| trial.has_ignored_flag())
        .count();
    println!(
        "{} cases in Envoy, {skips} of them skipped: {untried} not tried, the others tried and expected to fail",
        trials.len()
    );
    let conclusion = libtest_mimic::run(&arguments, trials);
    Ok(finish(&gate, &conclusion))
}

/// One case on one protocol. What is skipped because a codec refuses it is tried all the same, and must fail without
/// a trace at the upstream: a reason to skip that no longer holds is found out.
fn trial(
    case: Case,
    runner: Runner,
    listener: String,
    gate: &Arc<Gate>,
    keys: &Arc<BTreeMap<String, TestKey>>,
) -> Trial {
    let (gate, keys) = (Arc::clone(gate), Arc::clone(keys));
    let skipped = case.skip.get(&runner).cloned();
    let is_tried = skipped.as_ref().is_none_or(|skip| skip.is_tried);
    let mut name = format!("{}: {}", runner.name(), case.full_name());
    if let Some(skip) = &skipped {
        println!("skipped: {name}: {}", skip.reason);
        name.push_str(SKIPPED);
    }
    let test = Trial::test(name, move || {
        let mut host = EnvoyHost {
            gate: &gate,
            runner,
            listener: &listener,
            keys: &keys,
            ids: Vec::new(),
        };
        match (run(&case, &keys, &mut host), skipped) {
            (Ok(()), None) => Ok(()),
            (Err(error), None) => Err(format!("{error:#}").into()),
            (Err(_), Some(_)) if host.has_reached_upstream() => {
                Err("no codec refused it: the upstream was reached".into())
            }
            (Err(_), Some(_)) => Ok(()),
            (Ok(()), Some(skip)) => {
                Err(format!("it passes, so it need not be skipped for {:?}", skip.reason).into())
            }
        }
    });
    test.with_ignored_flag(!is_tried)
}

/// After the last case: the process lives, and no VM has died on the way.
fn finish(gate: &Gate, conclusion: &Conclusion) -> ExitCode {
    let log = gate.envoy.log();
    let signs = [
        "Proxy-Wasm plugin in-VM backtrace",
        "panicked at",
        "Function: proxy_on_",
    ];
    let died = signs.iter().any(|sign| log.contains(sign)) || !gate.envoy.is_running();
    if died || conclusion.has_failed() {
        const LAST_LINES: usize = 40;
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        println!("The end of Envoy's log:\n{end}");
    }
    if died {
        println!("FAILED: a VM or Envoy itself has died on the way");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// The listeners planned so far.
struct Listeners<'a> {
    plan: Plan<'a>,
    shared: Vec<(Case, Runner, String)>,
    count: usize,
}

impl Listeners<'_> {
    /// The listener for that case: one that has the same policy and the same keys, else a new one.
    fn of(&mut self, case: &Case, runner: Runner) -> Result<String> {
        let published = case.published()?;
        let can_share = case.only_asks()?;
        let is_same = |other: &&(Case, Runner, String)| {
            other.1 == runner
                && other.0.policy == case.policy
                && published
                    .iter()
                    .all(|(name, set)| other.0.keys.get(name) == Some(set))
        };
        if let Some((_, _, name)) = self.shared.iter().filter(|_| can_share).find(is_same) {
            return Ok(name.clone());
        }
        self.count += 1;
        let name = format!("{}-{}", runner.name(), self.count);
        let sources = fetched(&case.policy)?;
        let mut places = BTreeMap::new();
        for (issuer, set) in published {
            let source = sources.values().find(|(_, named)| *named == issuer);
            let source = source.map_or(&Source::Url, |(source, _)| source);
            let place = self
                .plan
                .publish(&name, &issuer, &set, source, Duration::ZERO)?;
            places.insert(issuer, place);
        }
        self.plan.listener(&name, &case.policy, &places)?;
        if can_share {
            self.shared.push((case.clone(), runner, name.clone()));
        }
        Ok(name)
    }
}

/// A real Envoy, asked over one protocol.
struct EnvoyHost<'a> {
    gate: &'a Gate,
    runner: Runner,
    listener: &'a str,
    keys: &'a BTreeMap<String, TestKey>,
    /// Of the requests of the case.
    ids: Vec<String>,
}

impl EnvoyHost<'_> {
    fn has_reached_upstream(&self) -> bool {
        self.ids
            .iter()
            .any(|id| !self.gate.upstream.seen(id).is_empty())
    }
}

impl Host for EnvoyHost<'_> {
    fn now_ms(&self) -> u64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }

    fn wait(&mut self, ms: u64) -> Result<()> {
        std::thread::sleep(Duration::from_millis(ms));
        Ok(())
    }

    fn ask(&mut self, sent: &Prepared) -> Result<Seen> {
        let id = self.gate.fresh_id();
        self.ids.push(id.clone());
        self.gate.ask_as(self.listener, self.runner, sent, &id)
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
