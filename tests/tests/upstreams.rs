//! The gate in front of real servers: the route that it authorised is the route that they serve.
//!
//! Each server serves the routes of `tests/upstreams/policy.yaml` by its own routing, and answers with the name of the route that it
//! took. Every path of `e2e::upstreams::spellings` is asked for with a token for everything, over HTTP/1 and over HTTP/2; what the gate
//! lets through is asked of each server. Where the two routes differ, `tests/upstreams/differences.yaml` must say so and why, and what it says must be so.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow, bail, ensure};
use e2e::config::DECISION_HEADER;
use e2e::corpus::KeySet;
use e2e::corpus::{Runner, TokenSpec, mint};
use e2e::gate::{Gate, Plan};
use e2e::http1::Answer;
use e2e::judge::Prepared;
use e2e::test_key::{self, TestKey};
use e2e::tools;
use e2e::upstreams::differences::{self, Difference, Known, judge};
use e2e::upstreams::servers::{Programs, Running};
use e2e::upstreams::spellings::{self, How, Spelling};
use e2e::upstreams::{UPSTREAMS, Upstream, file};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

/// The listener before the upstream that only takes notes.
const SURVEY: &str = "survey";

/// With fewer paths let through, it is not the gate that refused the others.
const LEAST_PASSED: usize = 2_000;

const RUNNERS: [Runner; 2] = [Runner::EnvoyHttp1, Runner::EnvoyHttp2];

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // Much of the time is waiting for one another.
    arguments.test_threads.get_or_insert(4);
    let Some(tools) = tools::find()? else {
        return Ok(libtest_mimic::run(&arguments, Vec::new()).exit_code());
    };
    let programs = Programs::find();
    let keys = test_key::load()?;
    let policy = std::fs::read_to_string(file("policy.yaml"))?;
    let patterns = spellings::patterns(&policy)?;
    let mut plan = Plan::new(&tools, &keys)?;
    let set: KeySet = serde_saphyr::from_str("{ keys: [{ key: p256, kid: e1 }] }")?;
    let mut places = BTreeMap::new();
    places.insert(
        "main".to_owned(),
        plan.key_set("upstreams", "main", &set, Duration::ZERO)?,
    );

    plan.telling_listener(SURVEY, None, &policy, &places)?;
    let mut running = Vec::new();
    for upstream in present(&programs)? {
        let server = programs.start(upstream)?;
        plan.telling_listener(
            upstream.name,
            Some(server.address.clone()),
            &policy,
            &places,
        )?;
        running.push((upstream, server));
    }
    let mut test = Test {
        gate: plan.start()?,
        passed: Vec::new(),
        known: differences::load()?,
        token: token_for_everything(&keys, &policy)?,
        patterns,
    };
    test.passed = test.survey(&spellings::all(&test.patterns)?)?;
    let test = Arc::new(test);
    let trials = running.iter().map(|(upstream, _)| {
        let (test, upstream) = (Arc::clone(&test), *upstream);
        Trial::test(upstream.name, move || {
            test.run(upstream)
                .map_err(|error| format!("{error:#}").into())
        })
    });
    let trials = trials.collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if conclusion.has_failed() {
        running.iter().for_each(say_log);
    }
    Ok(conclusion.exit_code())
}

/// The servers that this machine can run. What it cannot is said loudly, and with `SCOPEGATE_REQUIRE_UPSTREAMS=1` is an error.
fn present(programs: &Programs) -> Result<Vec<Upstream>> {
    let mut present = Vec::new();
    for upstream in UPSTREAMS {
        match programs.missing(upstream) {
            None => present.push(upstream),
            Some(missing)
                if std::env::var("SCOPEGATE_REQUIRE_UPSTREAMS").is_ok_and(|value| value == "1") =>
            {
                bail!(
                    "{}: {missing}, and SCOPEGATE_REQUIRE_UPSTREAMS=1 asks for it",
                    upstream.name
                )
            }
            Some(missing) => writeln!(
                std::io::stderr(),
                "SKIPPED: the upstream {}: {missing}",
                upstream.name
            )?,
        }
    }
    Ok(present)
}

fn say_log((upstream, server): &(Upstream, Running)) {
    let log = server.log();
    if log.lines().count() > 1 {
        println!("{} said:\n{log}", upstream.name);
    }
}

/// A token with every scope of the policy: what is left to decide is the route.
fn token_for_everything(keys: &BTreeMap<String, TestKey>, policy: &str) -> Result<String> {
    let policy: Value = serde_saphyr::from_str(policy)?;
    let scopes: BTreeSet<&str> = policy["routes"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|route| route["scopes"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let scope = scopes.into_iter().collect::<Vec<_>>().join(" ");
    let spec: TokenSpec = serde_saphyr::from_str(&format!(
        "{{ key: p256, header: {{ kid: e1 }}, claims: {{ iss: 'https://tenant.example/', sub: alice, \
         aud: 'https://timesheets.example.com/api', exp: +600, scope: '{scope}' }} }}"
    ))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    mint::token(&spec, keys, None, u64::try_from(now.as_millis())?)
}

struct Test {
    gate: Gate,
    patterns: Vec<String>,
    /// What the survey found.
    passed: Vec<Passed>,
    known: Vec<Known>,
    token: String,
}

/// A path that the gate lets through.
struct Passed {
    spelling: Spelling,
    /// The first protocol over which it does.
    runner: Runner,
    /// The route that it authorised.
    route: String,
}

/// What came of all requests to one upstream.
#[derive(Default)]
struct Tally {
    agreed: usize,
    unserved: usize,
    agreed_routes: BTreeSet<String>,
    different: Vec<(How, Difference)>,
    wrong: Vec<String>,
}

impl Test {
    /// What the gate lets through, in the order of the spellings.
    fn survey(&self, spellings: &[Spelling]) -> Result<Vec<Passed>> {
        let started = Instant::now();
        // Envoy takes a second to close a connection on which it was told nonsense, and nonsense comes in a row.
        const AT_ONCE: usize = 16;
        let mut passed: Vec<Passed> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE)
                .map(|first| {
                    let part = spellings.iter().skip(first).step_by(AT_ONCE);
                    scope.spawn(|| {
                        part.filter_map(|spelling| self.passed(spelling).transpose())
                            .collect::<Result<Vec<_>>>()
                    })
                })
                .collect();
            let mut passed = Vec::new();
            for thread in threads {
                let part = thread
                    .join()
                    .map_err(|_| anyhow!("the survey has panicked"))?;
                passed.extend(part?);
            }
            Ok::<_, anyhow::Error>(passed)
        })?;
        passed.sort_by(|one, other| one.spelling.cmp(&other.spelling));
        println!(
            "{} paths over HTTP/1 and HTTP/2: {} let through, in {} s",
            spellings.len(),
            passed.len(),
            started.elapsed().as_secs()
        );
        ensure!(
            passed.len() > LEAST_PASSED,
            "only {} of them were let through",
            passed.len()
        );
        Ok(passed)
    }

    /// Asks over both protocols with an upstream that only takes notes. Where both let a path through they must have authorised one
    /// route and forwarded the same octets, so that asking a real upstream over one of them says what it does with either.
    fn passed(&self, spelling: &Spelling) -> Result<Option<Passed>> {
        let mut ways = Vec::new();
        for runner in RUNNERS {
            if let Some((route, forwarded)) = self.authorised(spelling, runner)? {
                ways.push((runner, route, forwarded));
            }
        }
        if let [one, other] = &ways[..]
            && (&one.1, &one.2) != (&other.1, &other.2)
        {
            bail!("HTTP/1 and HTTP/2 differ: {ways:?}");
        }
        Ok(ways.into_iter().next().map(|(runner, route, _)| Passed {
            spelling: spelling.clone(),
            runner,
            route,
        }))
    }

    /// The route that was authorised and the path that was forwarded; `None` for what was refused.
    fn authorised(&self, spelling: &Spelling, runner: Runner) -> Result<Option<(String, Vec<u8>)>> {
        let ask = || {
            let id = self.gate.fresh_id();
            let answer = self.send(SURVEY, runner, spelling, &id);
            (answer, self.gate.upstream.seen(&id).pop())
        };
        // A codec that closes the connection does so again; a machine that stalled does not.
        let asked = match ask() {
            (Err(_), None) => ask(),
            answered => answered,
        };
        match asked {
            (Ok(answer), Some(forwarded)) => match decision(&answer) {
                Some(("allow", route)) => Ok(Some((route.to_owned(), forwarded.path))),
                other => bail!(
                    "{}: forwarded, and the decision is {other:?}",
                    shown(spelling)
                ),
            },
            // Refused by the gate, or by a codec of Envoy, perhaps with no more than a closed connection.
            (Ok(answer), None) if (400..500).contains(&answer.status) => Ok(None),
            (Err(_), None) => Ok(None),
            (answer, forwarded) => {
                bail!("{}: {answer:?}, upstream: {forwarded:?}", shown(spelling))
            }
        }
    }

    fn run(&self, upstream: Upstream) -> Result<()> {
        let started = Instant::now();
        let mut tally = Tally::default();
        for passed in &self.passed {
            let id = self.gate.fresh_id();
            let answer = self.send(upstream.name, passed.runner, &passed.spelling, &id)?;
            tally.count(passed, &answer);
        }
        println!(
            "{}: {} served as authorised, {} not served, {} differ, in {} s",
            upstream.name,
            tally.agreed,
            tally.unserved,
            tally.different.len(),
            started.elapsed().as_secs()
        );
        // A policy and a server that had nothing in common would never differ.
        for pattern in &self.patterns {
            if !tally.agreed_routes.contains(pattern) {
                tally
                    .wrong
                    .push(format!("{pattern} was never served as authorised"));
            }
        }
        tally
            .wrong
            .extend(judge(&self.known, upstream.name, &tally.different));
        if !tally.wrong.is_empty() {
            bail!("{}", tally.wrong.join("\n"));
        }
        Ok(())
    }

    fn send(
        &self,
        listener: &str,
        runner: Runner,
        spelling: &Spelling,
        id: &str,
    ) -> Result<Answer> {
        let request = Prepared {
            method: "GET".to_owned(),
            path: Some(spelling.target.clone()),
            ..Prepared::default()
        };
        self.gate
            .send(listener, runner, &request.bearer(&self.token), id)
    }
}

impl Tally {
    fn count(&mut self, passed: &Passed, answer: &Answer) {
        let Passed {
            spelling, route, ..
        } = passed;
        if decision(answer) != Some(("allow", route)) {
            self.wrong.push(format!(
                "{}: let through for {route} before, and now {answer:?}",
                shown(spelling)
            ));
            return;
        }
        let text = answer.text();
        match (answer.status, text.split_once('\n')) {
            (200, Some((served, _))) if served == route => {
                self.agreed += 1;
                self.agreed_routes.insert(served.to_owned());
            }
            (200, Some((served, _))) => self.different.push((
                spelling.how,
                Difference {
                    path: shown(spelling),
                    authorised: route.clone(),
                    served: served.to_owned(),
                },
            )),
            // No route there, or a redirection, which leads the client back to the gate: no confusion.
            (300..=499, _) => self.unserved += 1,
            _ => self
                .wrong
                .push(format!("{}: {} {text}", shown(spelling), answer.status)),
        }
    }
}

/// What the gate says of a request in its answer: the decision and the route.
fn decision(answer: &Answer) -> Option<(&str, &str)> {
    match answer.header(DECISION_HEADER)[..] {
        [told] => told.split_once(' '),
        _ => None,
    }
}

fn shown(spelling: &Spelling) -> String {
    spelling.target.escape_ascii().to_string()
}
