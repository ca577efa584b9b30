//! Keys in a real Envoy with four workers: they are fetched once for all, refreshed without traffic, and outlive policies and VMs.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::config::{self, Address};
use e2e::corpus::Runner;
use e2e::gate::{Gate, Plan};
use e2e::judge::{Prepared, Seen};
use e2e::sample;
use e2e::server::{Reply, Server, answer};
use e2e::test_key::{self, TestKey};
use e2e::tools::{self, Tools};
use serde_json::{Value, json};

const RUNNER: Runner = Runner::EnvoyHttp1;

/// One issuer, whose keys are at `URL`.
const POLICY: &str = "\
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

const NO_ISSUER: &str = "{ version: 1, realm: issuer, routes: [{ path: /healthz, public: true }] }";

/// What the issuer answers now.
#[derive(Clone, Copy)]
enum Answer {
    /// The test key of that name, under `kid` e1.
    Key(&'static str),
    /// Nothing.
    Hung,
    /// That status.
    Status(u16),
}

/// An issuer whose answers a test changes while it runs.
struct Issuer {
    server: Server,
    state: Arc<Mutex<State>>,
}

struct State {
    answer: Answer,
    delay: Duration,
    date: Option<&'static str>,
    asked: Vec<Instant>,
    in_flight: usize,
    most_in_flight: usize,
}

impl Issuer {
    fn start(keys: &BTreeMap<String, TestKey>, answer: Answer) -> Self {
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
        let server = Server::start(move |_| {
            let (answer, delay, date) = {
                let mut state = shared.lock().unwrap();
                state.asked.push(Instant::now());
                state.in_flight += 1;
                state.most_in_flight = state.most_in_flight.max(state.in_flight);
                (state.answer, state.delay, state.date)
            };
            std::thread::sleep(delay);
            shared.lock().unwrap().in_flight -= 1;
            reply(answer, date, &sets)
        })
        .unwrap();
        Self { server, state }
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }
}

fn reply(now: Answer, date: Option<&str>, sets: &BTreeMap<String, String>) -> Reply {
    let date = date.map(|date| ("date", date));
    let headers: Vec<_> = date.into_iter().collect();
    match now {
        Answer::Key(name) => Reply::Bytes(answer(200, &headers, sets[name].as_bytes())),
        Answer::Hung => Reply::Nothing,
        Answer::Status(status) => Reply::Bytes(answer(status, &headers, b"no keys")),
    }
}

/// Four workers before that issuer, with these rules for its keys.
struct Bench {
    tools: Tools,
    keys: BTreeMap<String, TestKey>,
    issuer: Issuer,
}

impl Bench {
    /// Nothing where there is no Envoy.
    fn new(answer: Answer) -> Option<Self> {
        let tools = tools::find().unwrap()?;
        let keys = test_key::load().unwrap();
        let issuer = Issuer::start(&keys, answer);
        Some(Self {
            tools,
            keys,
            issuer,
        })
    }

    fn policy(&self, rules: &str) -> String {
        let url = format!(
            "http://127.0.0.1:{}/keys",
            self.issuer.server.address().port()
        );
        POLICY.replace("URL", &url).replace("KEYS", rules)
    }

    fn plan(&self) -> Plan<'_> {
        let mut plan = Plan::new(&self.tools, &self.keys).unwrap();
        plan.launch.concurrency = 4;
        // For its cluster.
        let address = Address::Socket(self.issuer.server.address());
        plan.telling_listener("issuer", Some(address), NO_ISSUER, &BTreeMap::new())
            .unwrap();
        plan
    }

    fn start(&self, rules: &str) -> Gate {
        let mut plan = self.plan();
        plan.listener("one", &self.policy(rules), &BTreeMap::new())
            .unwrap();
        plan.start().unwrap()
    }

    /// With the policy in a watched file; it serves.
    fn start_discovered(&self, rules: &str) -> (Gate, std::path::PathBuf) {
        let mut plan = self.plan();
        let file = plan.folder().join("filter.json");
        write(
            &file,
            &config::discovery_file(&self.tools.filter, &self.policy(rules)),
        );
        plan.filtered_listener("one", &config::discovered_gate(&file));
        let gate = plan.start().unwrap();
        let health = Prepared::get("/healthz");
        wait_until("the gate serves", || status(&gate, &health) == Some(200));
        (gate, file)
    }

    fn request(&self) -> Prepared {
        Prepared::get("/timesheets").bearer(&sample::token(&self.keys, "alice").unwrap())
    }
}

/// Each request has a connection of its own, and the system deals connections out to all workers: that one of four gets none of
/// sixty-four happens once in some twenty million times.
fn ask_all_workers(gate: &Gate, request: &Prepared) -> Vec<Seen> {
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
fn all_are(answers: &[Seen], status: u16, reason: Option<&str>) {
    for seen in answers {
        assert_eq!(
            (seen.status, seen.reason.as_deref()),
            (Some(status), reason)
        );
    }
}

fn status(gate: &Gate, request: &Prepared) -> Option<u16> {
    let id = gate.fresh_id();
    Some(gate.send("one", RUNNER, request, &id).unwrap().status)
}

fn stat(gate: &Gate, name: &str) -> Option<u64> {
    let name = format!("wasmcustom.scopegate.{name}");
    gate.envoy.stat(&name).unwrap()
}

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited 15 s until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Envoy looks at a watched file when it is moved into place.
fn write(file: &Path, text: &str) {
    let partial = file.with_extension("partial");
    std::fs::write(&partial, text).unwrap();
    std::fs::rename(&partial, file).unwrap();
}

/// The lines of the log that hold this text.
fn lines(gate: &Gate, text: &str) -> Vec<String> {
    let log = gate.envoy.log();
    let lines = log.lines().filter(|line| line.contains(text));
    lines.map(str::to_owned).collect()
}

#[test]
fn all_workers_wait_for_one_fetch_and_answer_soon_after_it() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    bench
        .issuer
        .set(|state| state.delay = Duration::from_millis(1_500));
    let gate = bench.start("timeout: 5s");
    let started = Instant::now();
    let answers = ask_all_workers(&gate, &bench.request());
    let waited = started.elapsed();
    all_are(&answers, 200, None);
    assert_eq!(bench.issuer.asked(), 1);
    assert!(
        waited >= Duration::from_millis(1_500) && waited < Duration::from_millis(2_500),
        "{waited:?}"
    );
    assert_eq!(stat(&gate, "key_fetch.auth0.installed"), Some(1));
}

#[test]
fn an_issuer_that_never_answers_is_asked_once_and_all_workers_keep_the_deadline() {
    let Some(bench) = Bench::new(Answer::Hung) else {
        return;
    };
    let gate = bench.start("timeout: 2s, cooldown: 60s");
    let request = bench.request();
    let started = Instant::now();
    let answers = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask_all_workers(&gate, &request));
        wait_until("all of them wait", || {
            stat(&gate, "keys.auth0.waiting") == Some(64)
        });
        asking.join().unwrap()
    });
    let waited = started.elapsed();
    all_are(&answers, 503, Some("keys_unavailable"));
    assert!(
        waited >= Duration::from_millis(1_900) && waited < Duration::from_secs(4),
        "{waited:?}"
    );
    wait_until("nobody waits", || {
        stat(&gate, "keys.auth0.waiting") == Some(0)
    });
    // Within the cool-down all workers know better than to wait.
    let started = Instant::now();
    all_are(
        &ask_all_workers(&gate, &request),
        503,
        Some("keys_unavailable"),
    );
    assert!(started.elapsed() < Duration::from_millis(1_500));
    assert_eq!(bench.issuer.asked(), 1);
    assert_eq!(stat(&gate, "keys.auth0.state"), Some(4));
    let told = lines(&gate, "keys of `auth0`: unavailable after awaited");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn keys_are_refreshed_without_traffic_and_a_removed_one_is_refused_everywhere() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let gate = bench.start("ttl: 5s");
    let request = bench.request();
    all_are(&ask_all_workers(&gate, &request), 200, None);
    assert_eq!(bench.issuer.asked(), 1);
    bench
        .issuer
        .set(|state| state.answer = Answer::Key("p256-other"));
    // Nobody asks for anything now.
    wait_until("the keys are fetched again", || {
        stat(&gate, "key_fetch.auth0.installed") == Some(2)
    });
    std::thread::sleep(Duration::from_millis(500));
    all_are(
        &ask_all_workers(&gate, &request),
        401,
        Some("signature_invalid"),
    );
    assert_eq!(bench.issuer.asked(), 2);
    let state = bench.issuer.state.lock().unwrap();
    let apart = state.asked[1].duration_since(state.asked[0]);
    assert!(
        apart >= Duration::from_secs(4) && apart < Duration::from_millis(4_800),
        "{apart:?}"
    );
}

#[test]
fn each_change_of_state_is_told_once_and_gauges_say_how_keys_stand() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let gate = bench.start("ttl: 4s, max_stale: 4s, cooldown: 2s");
    assert_eq!(stat(&gate, "keys.auth0.state"), Some(0));
    let request = bench.request();
    all_are(&ask_all_workers(&gate, &request), 200, None);
    assert_eq!(stat(&gate, "keys.auth0.state"), Some(1));
    assert_eq!(stat(&gate, "keys.auth0.count"), Some(1));
    bench.issuer.set(|state| state.answer = Answer::Status(500));
    for (state, at_least) in [(2, 3), (3, 4), (4, 8)] {
        wait_until("the state changes", || {
            stat(&gate, "keys.auth0.state") == Some(state)
        });
        assert!(stat(&gate, "keys.auth0.age_seconds") >= Some(at_least));
    }
    all_are(
        &ask_all_workers(&gate, &request),
        503,
        Some("keys_unavailable"),
    );
    // It comes back, and nobody has to ask.
    bench.issuer.set(|state| state.answer = Answer::Key("p256"));
    wait_until("the keys are fresh", || {
        stat(&gate, "keys.auth0.state") == Some(1)
    });
    all_are(&ask_all_workers(&gate, &request), 200, None);
    for change in [
        "fresh after awaited",
        "refreshing after fresh",
        "stale after refreshing",
        "unavailable after stale",
        "fresh after unavailable",
    ] {
        let told = lines(&gate, &format!("keys of `auth0`: {change}"));
        assert_eq!(told.len(), 1, "{change}: {told:?}");
    }
    assert_eq!(
        bench.issuer.state.lock().unwrap().most_in_flight,
        1,
        "one fetch at a time"
    );
    // A token of another key is told from others, and each request counts once.
    let unknown = sample::signed(&bench.keys, "p256", "ES256").unwrap();
    let unknown = Prepared::get("/timesheets").bearer(&unknown);
    all_are(&ask_all_workers(&gate, &unknown), 401, Some("kid_unknown"));
    assert_eq!(stat(&gate, "keys.auth0.unknown_kid"), Some(64));
}

#[test]
fn a_new_policy_starts_with_the_keys_that_are_there() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let (gate, file) = bench.start_discovered("timeout: 2s");
    let request = bench.request();
    all_are(&ask_all_workers(&gate, &request), 200, None);
    bench.issuer.set(|state| state.answer = Answer::Hung);
    let policy = bench.policy("timeout: 2s").replace("/healthz", "/livez");
    write(&file, &config::discovery_file(&bench.tools.filter, &policy));
    let health = Prepared::get("/livez");
    wait_until("the new policy serves", || {
        status(&gate, &health) == Some(200)
    });
    all_are(&ask_all_workers(&gate, &request), 200, None);
    assert_eq!(bench.issuer.asked(), 1);
    let told = lines(&gate, "keys of `auth0`: fresh after");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn a_new_vm_starts_with_the_keys_that_are_there() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let (gate, file) = bench.start_discovered("timeout: 2s");
    let request = bench.request();
    all_are(&ask_all_workers(&gate, &request), 200, None);
    bench.issuer.set(|state| state.answer = Answer::Hung);
    // What a VM is started with makes it another one, under the same `vm_id`.
    let policy = bench.policy("timeout: 2s").replace("/healthz", "/livez");
    let text = config::discovery_file(&bench.tools.filter, &policy);
    let mut discovered: Value = serde_json::from_str(&text).unwrap();
    discovered["resources"][0]["typed_config"]["config"]["vm_config"]["configuration"] = json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": "another VM",
    });
    write(&file, &discovered.to_string());
    let health = Prepared::get("/livez");
    wait_until("the new VMs serve", || status(&gate, &health) == Some(200));
    all_are(&ask_all_workers(&gate, &request), 200, None);
    assert_eq!(bench.issuer.asked(), 1);
    let vms = gate
        .envoy
        .stat("wasm.envoy.wasm.runtime.v8.created")
        .unwrap();
    assert!(
        vms >= Some(10),
        "{vms:?} VMs: those of four workers and two more, twice"
    );
}

#[test]
fn the_policy_that_is_gone_leaves_nothing_behind() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let (gate, file) = bench.start_discovered("ttl: 2s");
    all_are(&ask_all_workers(&gate, &bench.request()), 200, None);
    assert_eq!(stat(&gate, "keys.auth0.count"), Some(1));
    let policy = NO_ISSUER.replace("/healthz", "/livez");
    write(&file, &config::discovery_file(&bench.tools.filter, &policy));
    let health = Prepared::get("/livez");
    wait_until("the new policy serves", || {
        status(&gate, &health) == Some(200)
    });
    // Its keys are nobody's any more: they are not fetched, and the gauges do not speak of them.
    wait_until("the gauges are empty", || {
        stat(&gate, "keys.auth0.count") == Some(0)
    });
    let asked = bench.issuer.asked();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(bench.issuer.asked(), asked);
    assert_eq!(stat(&gate, "keys.auth0.count"), Some(0));
}

#[test]
fn a_clock_that_is_off_is_told_once() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    bench
        .issuer
        .set(|state| state.date = Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    let gate = bench.start("ttl: 1s");
    all_are(&ask_all_workers(&gate, &bench.request()), 200, None);
    wait_until("keys were fetched four times", || {
        stat(&gate, "key_fetch.auth0.installed") >= Some(4)
    });
    // Thirty years, at least.
    assert!(stat(&gate, "keys.auth0.clock_behind_seconds") > Some(30 * 365 * 86_400));
    assert_eq!(stat(&gate, "keys.auth0.clock_ahead_seconds"), Some(0));
    let told = lines(&gate, "s behind ours");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("warning"), "{told:?}");
}
