//! Keys on Spin, where instances come and go: in memory, in the store, from the issuer, and whatever becomes of each.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::corpus::KeySet;
use e2e::judge::{Prepared, Seen};
use e2e::sample;
use e2e::spin::application::Protocol;
use e2e::spin::control::Control;
use e2e::spin::gate::{Gate, Surroundings};
use e2e::test_key::{self, TestKey};
use e2e::tools;
use serde_json::json;

/// How often clients and instances meet.
const CLIENTS: usize = 16;
const REQUESTS: usize = 600;

/// The part of the sample's policy that says how long keys of `auth0` are good.
const KEYS: &str = "keys: { timeout: 2s }";

/// A gate, and the keys to make tokens for it.
struct Bench {
    gate: Gate,
    keys: Arc<BTreeMap<String, TestKey>>,
}

/// How a bench is made.
struct Made<'a> {
    main: &'a str,
    freshness: &'a str,
    delay: Duration,
    arguments: &'a [&'a str],
}

impl Default for Made<'_> {
    fn default() -> Self {
        Self {
            main: sample::GOOD_KEYS,
            freshness: KEYS,
            delay: Duration::ZERO,
            arguments: &[],
        }
    }
}

impl Made<'_> {
    /// `None` where there is no Spin, or nobody steers it.
    fn start(&self) -> Option<Bench> {
        let tools = tools::find_steered_spin().unwrap()?;
        let keys = Arc::new(test_key::load().unwrap());
        let surroundings = Surroundings::start(tools, &keys).unwrap();
        assert!(sample::POLICY.contains(KEYS));
        let policy = sample::POLICY.replace(KEYS, self.freshness);
        let sets = sample::key_sets(self.main).unwrap();
        let (application, place) = surroundings.gateway(&policy, &sets, self.delay).unwrap();
        let application = application.arguments(self.arguments);
        let gate = Gate::of(&surroundings, &application, place).unwrap();
        Some(Bench { gate, keys })
    }
}

impl Bench {
    fn control(&self) -> &Control {
        self.gate.running.control().unwrap()
    }

    /// Asks with a token of `auth0` that is good by the gate's clock.
    fn ask_by(&self, key: &str, kid: &str) -> Seen {
        let token = sample::token_at(&self.keys, key, kid, self.gate.now_ms()).unwrap();
        let request = Prepared::get("/timesheets").bearer(&token);
        self.gate.ask(Protocol::Http1, &request).unwrap()
    }

    fn ask(&self) -> Seen {
        self.ask_by("p256", "e1")
    }

    /// The same in an instance that knows nothing.
    fn ask_elsewhere(&self) -> Seen {
        self.gate.lose_instances().unwrap();
        self.ask()
    }

    fn fetches(&self) -> usize {
        self.gate.key_requests("main").len()
    }

    fn passes(&self, minutes: u64) {
        self.gate.pass(minutes * 60_000).unwrap();
    }

    fn replace_keys(&self, set: &str) {
        let set: KeySet = serde_saphyr::from_str(set).unwrap();
        self.gate.replace_keys("main", &set).unwrap();
    }

    /// The record of the issuer whose keys the store has, and its name.
    fn only_record(&self) -> (String, Vec<u8>) {
        let mut records = self.control().store("default").unwrap();
        assert_eq!(records.len(), 1, "{:?}", records.keys());
        records.pop_first().unwrap()
    }

    fn wait_for_fetches(&self, number: usize) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.fetches() < number {
            assert!(Instant::now() < deadline, "waited 10 s for a fetch");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// All requests from all clients at once. Gives the number of instances that lived when all clients waited for the first keys.
    fn storm(&self) -> u64 {
        let token = sample::token(&self.keys, "alice").unwrap();
        let next = AtomicUsize::new(0);
        let client = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= REQUESTS {
                    return;
                }
                let request = Prepared::post("/timesheets", &format!("{number}")).bearer(&token);
                let id = format!("storm-{number}");
                let answer = self.gate.running.send(Protocol::Http1, &request, &id);
                let answer = answer.unwrap();
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(client);
            }
            std::thread::sleep(FIRST_KEYS / 2);
            self.control().instances().unwrap().alive
        })
    }
}

/// How long the issuer takes while a storm begins.
const FIRST_KEYS: Duration = Duration::from_millis(1_500);

fn is_unavailable(seen: &Seen) {
    assert_eq!(seen.status, Some(503), "{seen:?}");
    assert_eq!(seen.reason.as_deref(), Some("keys_unavailable"));
    let wait = seen.headers.iter().find(|(name, _)| name == "retry-after");
    let wait: u64 = wait.unwrap().1.parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert!(seen.upstream.is_none());
}

#[test]
fn a_storm_over_cold_instances_fetches_no_more_often_than_instances_lived() {
    // As Spin has it, and with instances that soon end, so that new ones begin all the time.
    for arguments in [
        &[][..],
        &[
            "--max-instance-concurrent-reuse-count",
            "2",
            "--max-instance-reuse-count",
            "10",
        ],
    ] {
        let made = Made {
            delay: FIRST_KEYS,
            arguments,
            ..Made::default()
        };
        let Some(bench) = made.start() else { return };
        let alive = bench.storm();
        let fetches = u64::try_from(bench.fetches()).unwrap();
        let started = bench.control().instances().unwrap().started;
        println!("{alive} instances at the first miss, {started} in all, {fetches} fetches");
        assert!((1..=alive).contains(&fetches), "{fetches} of {alive}");
        if !arguments.is_empty() {
            assert!(alive >= 8, "clients wait in {alive} instances");
            assert!(started >= 60, "new instances: {started}");
        }
    }
}

#[test]
fn requests_of_one_instance_wait_for_one_fetch() {
    let made = Made {
        delay: Duration::from_millis(700),
        ..Made::default()
    };
    let Some(bench) = made.start() else { return };
    let token = sample::token(&bench.keys, "alice").unwrap();
    // The instance is there before they come, so that they need no other.
    let healthy = bench.gate.ask(Protocol::Http1, &Prepared::get("/healthz"));
    assert_eq!(healthy.unwrap().status, Some(200));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..12 {
            let (bench, token) = (&bench, &token);
            scope.spawn(move || {
                // One after the other, since a busy instance is passed over.
                std::thread::sleep(Duration::from_millis(number * 20));
                let request = Prepared::get("/timesheets").bearer(token);
                let id = format!("waits-{number}");
                let answer = bench.gate.running.send(Protocol::Http1, &request, &id);
                assert_eq!(answer.unwrap().status, 200);
            });
        }
    });
    assert!(began.elapsed() >= Duration::from_millis(700), "they waited");
    // On a busy machine there may be another instance or two, each with a fetch of its own.
    let started = usize::try_from(bench.control().instances().unwrap().started).unwrap();
    assert!(started <= 4, "{started} instances for 12 requests");
    assert!(
        (1..=started).contains(&bench.fetches()),
        "{} of {started}",
        bench.fetches()
    );
}

#[test]
fn what_one_instance_fetched_serves_all_others() {
    let Some(bench) = Made::default().start() else {
        return;
    };
    for _ in 0..12 {
        let seen = bench.ask_elsewhere();
        assert_eq!(seen.status, Some(200));
        assert_eq!(seen.upstream.unwrap().header("x-auth-sub"), ["alice"]);
    }
    assert_eq!(bench.fetches(), 1);
    let instances = bench.control().instances().unwrap();
    assert!(instances.started >= 12, "{instances:?}");
}

#[test]
fn keys_are_refreshed_behind_the_requests_that_old_ones_still_serve() {
    let made = Made {
        main: "{ answers: [{ keys: [{ key: p256, kid: e1 }] }, { keys: [{ key: p256, kid: e1 }, { key: p256-other, kid: e2 }] }] }",
        ..Made::default()
    };
    let Some(bench) = made.start() else { return };
    assert_eq!(bench.ask().status, Some(200));
    // Eight of the ten minutes that keys are good for, and one more.
    bench.passes(9);
    assert_eq!(bench.ask_elsewhere().status, Some(200));
    bench.wait_for_fetches(2);
    // What that instance brought another one finds.
    bench.gate.lose_instances().unwrap();
    assert_eq!(bench.ask_by("p256-other", "e2").status, Some(200));
    assert_eq!(bench.fetches(), 2);
}

#[test]
fn a_new_kid_is_fetched_once_a_cool_down_whatever_the_number_of_instances() {
    let made = Made {
        main: "{ answers: [{ keys: [{ key: p256, kid: e1 }] }, { keys: [{ key: p256-other, kid: e2 }] }] }",
        ..Made::default()
    };
    let Some(bench) = made.start() else { return };
    assert_eq!(bench.ask().status, Some(200));
    for _ in 0..3 {
        bench.gate.lose_instances().unwrap();
        let seen = bench.ask_by("p256-other", "e2");
        assert_eq!(seen.reason.as_deref(), Some("kid_unknown"));
    }
    assert_eq!(bench.fetches(), 1, "within the cool-down");
    bench.gate.pass(31_000).unwrap();
    bench.gate.lose_instances().unwrap();
    assert_eq!(bench.ask_by("p256-other", "e2").status, Some(200));
    assert_eq!(bench.fetches(), 2);
    // The old key is gone, here and elsewhere.
    assert_eq!(bench.ask().reason.as_deref(), Some("kid_unknown"));
    let seen = bench.ask_elsewhere();
    assert_eq!(seen.reason.as_deref(), Some("kid_unknown"));
    assert_eq!(bench.fetches(), 2);
}

#[test]
fn an_outage_is_survived_for_as_long_as_the_policy_says() {
    let Some(bench) = Made::default().start() else {
        return;
    };
    assert_eq!(bench.ask().status, Some(200));
    bench.replace_keys("{ status: 500 }");
    bench.passes(11);
    for _ in 0..5 {
        assert_eq!(bench.ask_elsewhere().status, Some(200), "old keys serve");
    }
    assert_eq!(bench.fetches(), 1, "the issuer is asked once a cool-down");
    bench.passes(55);
    assert_eq!(bench.ask_elsewhere().status, Some(200), "old keys serve");
    bench.passes(10);
    for _ in 0..3 {
        is_unavailable(&bench.ask_elsewhere());
    }
    let asked = bench.fetches();
    assert!(asked <= 3, "{asked} fetches in three cool-downs");
    bench.replace_keys(sample::GOOD_KEYS);
    is_unavailable(&bench.ask_elsewhere());
    assert_eq!(bench.fetches(), 0, "within the cool-down");
    bench.gate.pass(31_000).unwrap();
    assert_eq!(bench.ask_elsewhere().status, Some(200), "it recovers");
    assert_eq!(bench.ask_elsewhere().status, Some(200));
    assert_eq!(bench.fetches(), 1);
}

#[test]
fn a_store_that_fails_costs_a_fetch_and_no_more() {
    // Longer than the component waits for the store, once for reading.
    const PATIENCE: Duration = Duration::from_millis(1_500);
    let Some(bench) = Made::default().start() else {
        return;
    };
    for fault in [
        json!({ "open": { "error": "broken" } }),
        json!({ "get": { "error": "broken" } }),
        json!({ "open": { "delay_ms": 5_000 } }),
        json!({ "get": { "delay_ms": 5_000 } }),
        json!({ "open": { "hang": true } }),
        json!({ "get": { "hang": true } }),
        json!({ "open": { "error": "x" }, "get": { "error": "x" }, "set": { "error": "x" } }),
    ] {
        bench.control().store_faults(&fault).unwrap();
        let known = bench.fetches();
        let began = Instant::now();
        let seen = bench.ask_elsewhere();
        assert_eq!(seen.status, Some(200), "{fault}: {seen:?}");
        assert!(began.elapsed() < PATIENCE, "{fault}: {:?}", began.elapsed());
        assert_eq!(bench.fetches(), known + 1, "{fault}");
        // In the same instance they are in memory.
        assert_eq!(bench.ask().status, Some(200));
        assert_eq!(bench.fetches(), known + 1, "{fault}");
        bench
            .control()
            .store_faults(&json!({ "open": null, "get": null, "set": null }))
            .unwrap();
    }
    // Slow, but not too slow.
    assert_eq!(bench.ask_elsewhere().status, Some(200));
    let known = bench.fetches();
    bench
        .control()
        .store_faults(&json!({ "get": { "delay_ms": 150 } }))
        .unwrap();
    assert_eq!(bench.ask_elsewhere().status, Some(200));
    assert_eq!(bench.fetches(), known);
    let log = bench.gate.running.gate_log();
    for line in [
        "the key-value store cannot be read: ",
        "the key-value store cannot be written: ",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[test]
fn a_store_that_takes_nothing_delays_nobody() {
    for fault in [
        json!({ "set": { "error": "full" } }),
        json!({ "set": { "hang": true } }),
        json!({ "set": { "delay_ms": 5_000 } }),
    ] {
        let Some(bench) = Made::default().start() else {
            return;
        };
        bench.control().store_faults(&fault).unwrap();
        let began = Instant::now();
        assert_eq!(bench.ask().status, Some(200));
        assert!(
            began.elapsed() < Duration::from_millis(400),
            "{fault}: {:?}",
            began.elapsed()
        );
        assert_eq!(bench.ask_elsewhere().status, Some(200));
        assert_eq!(bench.fetches(), 2, "{fault}");
        assert!(
            bench.control().store("default").unwrap().is_empty(),
            "{fault}"
        );
    }
}

#[test]
fn what_is_no_record_is_no_key() {
    let Some(bench) = Made::default().start() else {
        return;
    };
    assert_eq!(bench.ask().status, Some(200));
    std::thread::sleep(Duration::from_millis(100));
    let (name, record) = bench.only_record();
    let mut rubbish: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("text", b"rubbish".to_vec()),
        ("zeros", vec![0; 4096]),
        (
            "a key set without a record around it",
            br#"{"keys":[]}"#.to_vec(),
        ),
        (
            "a record with more behind it",
            [record.as_slice(), b"x"].concat(),
        ),
        ("a large one", vec![b' '; 8 << 20]),
    ];
    let cuts = [1, record.len() / 4, record.len() / 2, record.len() - 1];
    rubbish.extend(cuts.map(|length| ("a truncated record", record[..length].to_vec())));
    for (what, value) in rubbish {
        bench.control().put("default", &name, &value).unwrap();
        let known = bench.fetches();
        let seen = bench.ask_elsewhere();
        assert_eq!(seen.status, Some(200), "{what}: {seen:?}");
        assert_eq!(bench.fetches(), known + 1, "{what}");
        // What was read in its place is left for others.
        assert_eq!(bench.ask_elsewhere().status, Some(200), "{what}");
        assert_eq!(bench.fetches(), known + 1, "{what}");
    }
}

#[test]
fn a_record_of_another_issuer_is_no_key() {
    let Some(bench) = Made::default().start() else {
        return;
    };
    let partner = sample::partner_token(&bench.keys).unwrap();
    let request = Prepared::get("/timesheets").bearer(&partner);
    let seen = bench.gate.ask(Protocol::Http1, &request).unwrap();
    assert_eq!(seen.status, Some(200));
    std::thread::sleep(Duration::from_millis(100));
    let (partners, record) = bench.only_record();
    assert_eq!(bench.ask().status, Some(200));
    std::thread::sleep(Duration::from_millis(100));
    let records = bench.control().store("default").unwrap();
    let name = records.keys().find(|name| **name != partners).unwrap();
    bench.control().put("default", name, &record).unwrap();
    bench.gate.lose_instances().unwrap();
    // The partner's key, in the name of the other issuer.
    let seen = bench.ask_by("p256-other", "e1");
    assert_eq!(
        seen.reason.as_deref(),
        Some("signature_invalid"),
        "{seen:?}"
    );
    assert!(seen.upstream.is_none());
    assert_eq!(bench.fetches(), 2, "its own keys are asked for");
}

#[test]
fn a_record_of_the_future_is_no_key() {
    let Some(bench) = Made::default().start() else {
        return;
    };
    bench.passes(60);
    assert_eq!(bench.ask().status, Some(200));
    std::thread::sleep(Duration::from_millis(100));
    let _ = bench.only_record();
    bench.control().advance(-3_600_000).unwrap();
    bench.replace_keys("{ keys: [{ key: p256-other, kid: e1 }] }");
    bench.gate.lose_instances().unwrap();
    let token = sample::token(&bench.keys, "alice").unwrap();
    let request = Prepared::get("/timesheets").bearer(&token);
    let seen = bench.gate.ask(Protocol::Http1, &request).unwrap();
    assert_eq!(
        seen.reason.as_deref(),
        Some("signature_invalid"),
        "{seen:?}"
    );
    assert_eq!(bench.fetches(), 1, "the issuer is asked");
}

#[test]
fn a_key_server_that_fails_in_any_way_is_answered_for_in_time() {
    for (main, at_least) in [
        ("{ fail: refused }", 0),
        ("{ fail: truncated, keys: [{ key: p256, kid: e1 }] }", 0),
        ("{ fail: oversized }", 0),
        ("{ fail: redirect, keys: [{ key: p256, kid: e1 }] }", 0),
        ("{ status: 500, keys: [{ key: p256, kid: e1 }] }", 0),
        ("{ body: '<html>' }", 0),
        ("{ fail: hung }", 2_000),
    ] {
        let made = Made {
            main,
            ..Made::default()
        };
        let Some(bench) = made.start() else { return };
        let began = Instant::now();
        is_unavailable(&bench.ask());
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(at_least), "{main}: {took:?}");
        assert!(
            took < Duration::from_millis(at_least + 1_500),
            "{main}: {took:?}"
        );
        assert!(
            bench.gate.key_requests("main/moved").is_empty(),
            "a redirect is not followed"
        );
        // Within the cool-down the instance does not ask again.
        let known = bench.fetches();
        is_unavailable(&bench.ask());
        assert_eq!(bench.fetches(), known, "{main}");
        assert!(
            bench.control().store("default").unwrap().is_empty(),
            "{main}"
        );
        if main.contains("refused") {
            continue; // Its address is another server's: nothing can recover there.
        }
        bench.replace_keys(sample::GOOD_KEYS);
        bench.gate.pass(31_000).unwrap();
        assert_eq!(bench.ask().status, Some(200), "{main}: it recovers");
    }
}

#[test]
fn a_client_that_leaves_takes_no_fetch_with_it() {
    use std::io::Write as _;
    let made = Made {
        delay: Duration::from_millis(700),
        ..Made::default()
    };
    let Some(bench) = made.start() else { return };
    let token = sample::token(&bench.keys, "alice").unwrap();
    let request = format!(
        "GET /timesheets HTTP/1.1\r\nhost: api.example.com\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let mut leaving = e2e::http1::connect(bench.gate.running.spin.address()).unwrap();
    leaving.write_all(request.as_bytes()).unwrap();
    bench.wait_for_fetches(1);
    drop(leaving);
    // The one that stays is answered, by that fetch or by its own. (The log may tell of the other one too, so it is not asked.)
    let began = Instant::now();
    let request = Prepared::get("/timesheets").bearer(&token);
    let answer = bench.gate.running.send(Protocol::Http1, &request, "stays");
    assert_eq!(answer.unwrap().status, 200);
    assert!(
        began.elapsed() < Duration::from_millis(2_000),
        "{:?}",
        began.elapsed()
    );
    assert!(bench.fetches() <= 2);
}

#[test]
fn middleware_leaves_the_store_to_the_component_that_it_guards() {
    let Some((middleware, guest)) = tools::find_middleware().unwrap() else {
        return;
    };
    let Some(tools) = tools::find_steered_spin().unwrap() else {
        return;
    };
    let keys = Arc::new(test_key::load().unwrap());
    let surroundings = Surroundings::start(tools, &keys).unwrap();
    let sets = sample::key_sets(sample::GOOD_KEYS).unwrap();
    let gateway = surroundings.gateway(sample::POLICY, &sets, Duration::ZERO);
    let (mut application, place) = gateway.unwrap();
    application.component = middleware;
    application.guards = Some(guest);
    let running = application.start(&surroundings.tools.program).unwrap();
    let control = running.control().unwrap();
    let broken = json!({ "error": "touched" });
    control
        .store_faults(&json!({ "open": broken, "get": broken, "set": broken }))
        .unwrap();
    let token = sample::token(&keys, "alice").unwrap();
    let request = Prepared::get("/timesheets").bearer(&token);
    for number in 0..3 {
        let answer = running.send(Protocol::Http1, &request, "guarded").unwrap();
        assert_eq!(answer.status, 200, "{}", running.spin.explain("refused"));
        let fetches = surroundings.key_requests(&format!("{place}/main")).len();
        assert_eq!(fetches, number + 1, "each instance asks for itself");
        std::thread::sleep(Duration::from_millis(60));
        control.retire().unwrap();
    }
    assert!(
        !running.gate_log().contains("store"),
        "{}",
        running.gate_log()
    );
    assert!(control.store("default").unwrap().is_empty());
}
