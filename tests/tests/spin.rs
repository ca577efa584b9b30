//! The corpus on Spin, over HTTP/1 and over HTTP/2, and once more with a lost instance between any two requests.
//!
//! Each policy with its keys is an application of its own, started with its first case and ended with its last. A case that counts
//! fetches, lets time pass, or whose keys fail or change, shares its application with no other.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, ensure};
use e2e::corpus::{Case, KeySet, Runner, load};
use e2e::spin::application::Protocol;
use e2e::spin::exceptions::Exceptions;
use e2e::spin::gate::{Gate, GateHost, Surroundings};
use e2e::test_key::{self, TestKey};
use e2e::tools;
use libtest_mimic::{Arguments, Trial};

/// How a case is put to Spin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    name: &'static str,
    protocol: Protocol,
    loses_instances: bool,
}

const WAYS: [Way; 3] = [
    Way {
        name: "spin-http1",
        protocol: Protocol::Http1,
        loses_instances: false,
    },
    Way {
        name: "spin-http2",
        protocol: Protocol::Http2,
        loses_instances: false,
    },
    // What one request left in memory the next one must find in the store.
    Way {
        name: "spin-lost-instances",
        protocol: Protocol::Http1,
        loses_instances: true,
    },
];

impl Way {
    /// One request alone loses nothing.
    fn takes(self, case: &Case) -> bool {
        !self.loses_instances || case.steps.len() > 1
    }
}

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // An application is compiled code, and works as hard as its client.
    arguments.test_threads.get_or_insert(2);
    let Some(tools) = tools::find_spin()? else {
        return Ok(libtest_mimic::run(&arguments, Vec::new()).exit_code());
    };
    println!("The corpus on {}", tools.program);
    let has_control = tools.program.has_control();
    let keys = Arc::new(test_key::load()?);
    let exceptions = Arc::new(Exceptions::load()?);
    let cases = load()?;
    let put: Vec<(&Case, Way)> = cases
        .iter()
        .flat_map(|case| WAYS.map(|way| (case, way)))
        .filter(|(case, way)| way.takes(case))
        .collect();
    let complaints = exceptions.complaints(put.iter().map(|(case, way)| (*case, way.name)));
    ensure!(
        complaints.is_empty(),
        "tests/spin/exceptions.yaml: {}",
        complaints.join("\n")
    );
    let surroundings = Surroundings::start(tools, &keys)?;
    let mut groups = Groups::default();
    let mut trials = Vec::new();
    for (case, way) in put {
        let untried = match has_control {
            false => needs_control(case, way),
            true => None,
        };
        let untried = untried.or_else(|| exceptions.untried(case, way.name).map(str::to_owned));
        let group = groups.of(case, way).with_context(|| case.full_name())?;
        trials.push(trial(Put {
            case: case.clone(),
            way,
            group,
            untried,
            surroundings: Arc::clone(&surroundings),
            keys: Arc::clone(&keys),
            exceptions: Arc::clone(&exceptions),
        }));
    }
    println!("{} cases, {} applications", trials.len(), groups.count);
    Ok(libtest_mimic::run(&arguments, interleaved(trials)).exit_code())
}

/// Why real Spin, whose clock and instances nobody steers, cannot run that case.
fn needs_control(case: &Case, way: Way) -> Option<String> {
    if way.loses_instances {
        return Some("nobody can take an instance from real Spin".to_owned());
    }
    let skip = case.skip.get(&Runner::EnvoyHttp1)?;
    // What takes no time is about Envoy, which has no files for instance.
    (!skip.is_tried && case.waits_ms() > 0).then(|| skip.reason.clone())
}

/// Neighbours share an application, in which they take turns: two threads are better off far from each other.
fn interleaved(mut trials: Vec<Trial>) -> Vec<Trial> {
    let second = trials.split_off(trials.len().div_ceil(2));
    let mut second = second.into_iter();
    let mut all = Vec::new();
    for trial in trials {
        all.push(trial);
        all.extend(second.next());
    }
    all
}

/// All that a trial needs.
struct Put {
    case: Case,
    way: Way,
    group: Arc<Group>,
    untried: Option<String>,
    surroundings: Arc<Surroundings>,
    keys: Arc<BTreeMap<String, TestKey>>,
    exceptions: Arc<Exceptions>,
}

fn trial(put: Put) -> Trial {
    let mut name = format!("{}: {}", put.way.name, put.case.full_name());
    let is_untried = put.untried.is_some();
    if let Some(reason) = &put.untried {
        println!("SKIPPED: {name}: {reason}");
        name.push_str(" (skipped)");
    }
    Trial::test(name, move || put.run().map_err(Into::into)).with_ignored_flag(is_untried)
}

impl Put {
    fn run(&self) -> Result<(), String> {
        let gate = self.group.gate(&self.surroundings)?;
        let mut host = GateHost::new(gate, self.way.protocol, self.way.loses_instances);
        let judged = self
            .exceptions
            .judge(&self.case, self.way.name, &self.keys, &mut host);
        judged.map_err(|error| {
            let log = gate.running.spin.explain(&format!("{error:#}"));
            format!("{log}\n")
        })
    }
}

/// Cases that share an application.
struct Group {
    policy: String,
    keys: BTreeMap<String, KeySet>,
    gate: OnceLock<Result<Gate, String>>,
}

impl Group {
    /// The running application. It ends with the last case that holds the group.
    fn gate(&self, surroundings: &Arc<Surroundings>) -> Result<&Gate, String> {
        let started = self.gate.get_or_init(|| {
            Gate::start(surroundings, &self.policy, &self.keys)
                .map_err(|error| format!("{error:#}"))
        });
        started.as_ref().map_err(Clone::clone)
    }
}

/// The groups so far that more cases may join.
#[derive(Default)]
struct Groups {
    shared: Vec<Arc<Group>>,
    count: usize,
}

impl Groups {
    /// The group for that case: one that has the same policy and the same keys, else a new one.
    fn of(&mut self, case: &Case, way: Way) -> Result<Arc<Group>> {
        let keys = case.published()?;
        let can_share = case.only_asks()? && case.waits_ms() == 0 && !way.loses_instances;
        let is_same = |group: &&Arc<Group>| group.policy == case.policy && group.keys == keys;
        if let Some(group) = self.shared.iter().filter(|_| can_share).find(is_same) {
            return Ok(Arc::clone(group));
        }
        self.count += 1;
        let group = Arc::new(Group {
            policy: case.policy.clone(),
            keys,
            gate: OnceLock::new(),
        });
        if can_share {
            self.shared.push(Arc::clone(&group));
        }
        Ok(group)
    }
}
