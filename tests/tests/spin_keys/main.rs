//! Keys on Spin, where instances come and go: in memory, in the store, from the issuer, and whatever becomes of each.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

mod issuer;
mod store;

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
use e2e::{tools, wait};

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
        let (application, site) = surroundings.gateway(&policy, &sets, self.delay).unwrap();
        let application = application.arguments(self.arguments);
        let gate = Gate::of(&surroundings, &application, site).unwrap();
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

    #[track_caller]
    fn wait_for_fetches(&self, number: usize) {
        wait::until(&format!("{number} fetches came"), || {
            self.fetches() >= number
        });
    }

    /// All requests from all clients at once. Gives the number of instances that lived when all clients waited for the first keys.
    fn storm(&self) -> u64 {
        let next = AtomicUsize::new(0);
        let client = |user: usize| {
            let user = format!("user-{user}");
            let token = sample::token(&self.keys, &user).unwrap();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= REQUESTS {
                    return;
                }
                let id = format!("storm-{number}");
                let request = Prepared::post("/timesheets", &format!("{user} {id}")).bearer(&token);
                let answer = self.gate.running.send(Protocol::Http1, &request, &id);
                let answer = answer.unwrap();
                assert_eq!(answer.status, 200, "{}", answer.text());
                let seen = self.gate.upstream_saw(&id);
                assert_eq!(seen.len(), 1);
                assert_eq!(
                    seen[0].header("x-auth-sub"),
                    [user.as_str()],
                    "everybody is who they are"
                );
                assert_eq!(seen[0].body, request.body);
            }
        };
        let client = &client;
        std::thread::scope(|scope| {
            for user in 0..CLIENTS {
                scope.spawn(move || client(user));
            }
            // The most of them: on a busy machine some come late to the first miss.
            let began = Instant::now();
            let mut most = 0;
            while began.elapsed() < FIRST_KEYS {
                most = most.max(self.control().instances().unwrap().alive);
                std::thread::sleep(Duration::from_millis(50));
            }
            most
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
