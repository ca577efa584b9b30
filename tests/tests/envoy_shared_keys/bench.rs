//! Four workers before an issuer whose answers a test changes while they run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::config::{self, Address};
use e2e::corpus::Runner;
use e2e::gate::{Gate, Plan};
use e2e::judge::{Prepared, Seen};
use e2e::server::{Reply, Server, answer};
use e2e::test_key::{self, TestKey};
use e2e::tools::{self, Tools};
use e2e::{sample, wait};
use serde_json::json;

pub(crate) const RUNNER: Runner = Runner::EnvoyHttp1;

/// One issuer, whose keys are at `URL`.
pub(crate) const POLICY: &str = "\
version: 1
realm: timesheets
issuers:
  auth0:
    issuer: https://tenant.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: URL
    keys: { KEYS }
forward: { sub: x-auth-sub }
routes:
  - { path: /timesheets, authenticated: true }
  - { path: /healthz, public: true }
envoy: { clusters: { auth0: issuer } }
";

pub(crate) const NO_ISSUER: &str =
    "{ version: 1, realm: issuer, routes: [{ path: /healthz, public: true }] }";

/// What the issuer answers now.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// The test key of that name, under `kid` e1.
    Key(&'static str),
    /// Nothing.
    Hung,
    /// That status.
    Status(u16),
}

/// An issuer whose answers a test changes while it runs.
pub(crate) struct Issuer {
    pub(crate) server: Server,
    pub(crate) state: Arc<Mutex<State>>,
}

pub(crate) struct State {
    pub(crate) answer: Answer,
    pub(crate) delay: Duration,
    pub(crate) date: Option<&'static str>,
    /// When, and for which path.
    pub(crate) asked: Vec<(Instant, String)>,
    pub(crate) in_flight: usize,
    pub(crate) most_in_flight: usize,
}

impl Issuer {
    pub(crate) fn start(keys: &BTreeMap<String, TestKey>, answer: Answer) -> Self {
        let state = Arc::new(Mutex::new(State {
            answer,
            delay: Duration::ZERO,
            date: None,
            asked: Vec::new(),
            in_flight: 0,
            most_in_flight: 0,
        }));
        let sets: BTreeMap<String, String> = keys
            .iter()
            .map(|(name, key)| {
                let mut jwk = key.public_jwk();
                jwk.insert("kid".to_owned(), json!("e1"));
                (name.clone(), json!({ "keys": [jwk] }).to_string())
            })
            .collect();
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let path = String::from_utf8(request.path.clone()).unwrap();
            let (answer, delay, date) = {
                let mut state = shared.lock().unwrap();
                state.asked.push((Instant::now(), path.clone()));
                state.in_flight += 1;
                state.most_in_flight = state.most_in_flight.max(state.in_flight);
                (state.answer, state.delay, state.date)
            };
            std::thread::sleep(delay);
            shared.lock().unwrap().in_flight -= 1;
            let host = request.header("host").concat();
            match path.strip_prefix("/.well-known/") {
                Some(place) => metadata(place, &host),
                None => reply(answer, date, &sets),
            }
        })
        .unwrap();
        Self { server, state }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }
}

/// It has the metadata of RFC 8414, and none of OpenID Connect Discovery.
pub(crate) fn metadata(place: &str, host: &str) -> Reply {
    if place != "oauth-authorization-server" {
        return Reply::Bytes(answer(404, &[], b"nothing here"));
    }
    let issuer = format!("http://{host}");
    let body = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
    Reply::Bytes(answer(200, &[], body.as_bytes()))
}

pub(crate) fn reply(now: Answer, date: Option<&str>, sets: &BTreeMap<String, String>) -> Reply {
    let date = date.map(|date| ("date", date));
    let headers: Vec<_> = date.into_iter().collect();
    match now {
        Answer::Key(name) => Reply::Bytes(answer(200, &headers, sets[name].as_bytes())),
        Answer::Hung => Reply::Nothing,
        Answer::Status(status) => Reply::Bytes(answer(status, &headers, b"no keys")),
    }
}

/// Four workers before that issuer, with these rules for its keys.
pub(crate) struct Bench {
    pub(crate) tools: Tools,
    pub(crate) keys: BTreeMap<String, TestKey>,
    pub(crate) issuer: Issuer,
}

impl Bench {
    /// Nothing where there is no Envoy.
    pub(crate) fn new(answer: Answer) -> Option<Self> {
        let tools = tools::find().unwrap()?;
        let keys = test_key::load().unwrap();
        let issuer = Issuer::start(&keys, answer);
        Some(Self {
            tools,
            keys,
            issuer,
        })
    }

    pub(crate) fn policy(&self, rules: &str) -> String {
        let url = format!(
            "http://127.0.0.1:{}/keys",
            self.issuer.server.address().port()
        );
        POLICY.replace("URL", &url).replace("KEYS", rules)
    }

    pub(crate) fn plan(&self) -> Plan<'_> {
        let mut plan = Plan::new(&self.tools, &self.keys).unwrap();
        plan.launch.concurrency = 4;
        // For its cluster.
        let address = Address::Socket(self.issuer.server.address());
        plan.telling_listener("issuer", Some(address), NO_ISSUER, &BTreeMap::new())
            .unwrap();
        plan
    }

    pub(crate) fn start(&self, rules: &str) -> Gate {
        let mut plan = self.plan();
        plan.listener("one", &self.policy(rules), &BTreeMap::new())
            .unwrap();
        plan.start().unwrap()
    }

    /// With the policy in a watched file; it serves.
    pub(crate) fn start_discovered(&self, rules: &str) -> (Gate, PathBuf) {
        let mut plan = self.plan();
        let file = plan.folder().join("filter.json");
        write(
            &file,
            &config::discovery_file(&self.tools.filter, &self.policy(rules)),
        );
        plan.filtered_listener("one", &config::discovered_gate(&file));
        let gate = plan.start().unwrap();
        let health = Prepared::get("/healthz");
        wait::until("the gate serves", || status(&gate, &health) == Some(200));
        (gate, file)
    }

    pub(crate) fn request(&self) -> Prepared {
        Prepared::get("/timesheets").bearer(&sample::token(&self.keys, "alice").unwrap())
    }
}

/// Each request has a connection of its own, and the system deals connections out to all workers: that one of four gets none of
/// sixty-four happens once in some twenty million times.
pub(crate) fn ask_all_workers(gate: &Gate, request: &Prepared) -> Vec<Seen> {
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| gate.ask("one", RUNNER, request).unwrap()))
            .collect();
        asking
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    })
}

#[track_caller]
pub(crate) fn all_are(answers: &[Seen], status: u16, reason: Option<&str>) {
    for seen in answers {
        assert_eq!(
            (seen.status, seen.reason.as_deref()),
            (Some(status), reason)
        );
    }
}

pub(crate) fn status(gate: &Gate, request: &Prepared) -> Option<u16> {
    let id = gate.fresh_id();
    Some(gate.send("one", RUNNER, request, &id).unwrap().status)
}

pub(crate) fn stat(gate: &Gate, name: &str) -> Option<u64> {
    let name = format!("wasmcustom.scopegate.{name}");
    gate.envoy.stat(&name).unwrap()
}

/// Envoy looks at a watched file when it is moved into place.
pub(crate) fn write(file: &Path, text: &str) {
    let partial = file.with_extension("partial");
    std::fs::write(&partial, text).unwrap();
    std::fs::rename(&partial, file).unwrap();
}

/// The lines of the log that hold this text.
pub(crate) fn lines(gate: &Gate, text: &str) -> Vec<String> {
    let log = gate.envoy.log();
    let lines = log.lines().filter(|line| line.contains(text));
    lines.map(str::to_owned).collect()
}
