//! An issuer's outage in a real Envoy with four workers: a key server that fails every way, asked once a cool-down by the whole
//! process, and everybody served as soon as it answers again.
//!
//! The failures meet in one Envoy, each on a listener of its own, at the same time: none of them may touch another, or the second issuer.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::corpus::KeySet;
use e2e::corpus::site::Document;
use e2e::door::Door;
use e2e::gate::{Gate, Plan};
use e2e::http1::{self, Answer};
use e2e::test_key::{self, TestKey};
use e2e::{sample, tools};

const WORKERS: usize = 4;

const TTL: Duration = Duration::from_secs(4);
const MAX_STALE: Duration = Duration::from_secs(6);
const COOLDOWN: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(1);
/// The same for the policy.
const FRESHNESS: &str = "{ ttl: 4s, max_stale: 6s, cooldown: 3s, timeout: 1s }";

/// What a busy machine may take longer than the policy says.
const SLACK: Duration = Duration::from_secs(2);
/// The last round of requests before the end of old keys begins this long before it: on a busy machine a round takes its time.
const ROUND: Duration = Duration::from_secs(3);
/// Nothing is asserted so near to a moment at which the right answer changes.
const MARGIN: Duration = Duration::from_millis(500);

/// Nobody listens: a failure by the door before the key server, and not by the server.
const REFUSED: &str = "refused";

/// Each way to fail, by the name of its listener. A follower, or a reader of half an answer, would find good keys in some.
const FAILURES: [(&str, &str); 11] = [
    (REFUSED, sample::GOOD_KEYS),
    ("hung", "{ fail: hung }"),
    ("slow", "{ fail: slow, keys: [{ key: p256, kid: e1 }] }"),
    (
        "truncated",
        "{ fail: truncated, keys: [{ key: p256, kid: e1 }] }",
    ),
    ("oversized", "{ fail: oversized }"),
    ("html", "{ body: '<!doctype html><title>Sign in</title>' }"),
    (
        "redirect",
        "{ fail: redirect, keys: [{ key: p256, kid: e1 }] }",
    ),
    ("empty", "{ body: '' }"),
    ("no-keys", "{ keys: [] }"),
    ("error", "{ status: 500, keys: [{ key: p256, kid: e1 }] }"),
    ("not-found", "{ status: 404, body: 'no such file' }"),
];

/// The same of an issuer that must be discovered, by its metadata or by the keys behind them.
const METADATA_FAILURES: [(&str, &str); 9] = [
    (
        "metadata-hung",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { fail: hung } }",
    ),
    (
        "metadata-slow",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { fail: slow } }",
    ),
    (
        "metadata-truncated",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { fail: truncated } }",
    ),
    (
        "metadata-oversized",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { fail: oversized } }",
    ),
    (
        "metadata-html",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { body: '<!doctype html>' } }",
    ),
    (
        "metadata-redirect",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { fail: redirect } }",
    ),
    (
        "metadata-of-another",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { members: { issuer: 'https://attacker.example/' } } }",
    ),
    (
        "metadata-error",
        "{ keys: [{ key: p256, kid: e1 }], metadata: { status: 500 }, oauth_metadata: { status: 500 } }",
    ),
    ("discovered-keys-error", "{ status: 500 }"),
];

#[test]
fn an_issuer_that_fails_from_the_start_is_asked_once_a_cooldown() {
    if let Some(outage) = Outage::start(&FAILURES, Origin::Written) {
        outage.in_every_way(fails_from_the_start);
    }
}

#[test]
fn an_issuer_that_cannot_be_discovered_is_asked_once_a_cooldown() {
    if let Some(outage) = Outage::start(&METADATA_FAILURES, Origin::Discovered) {
        outage.in_every_way(fails_from_the_start);
    }
}

fn fails_from_the_start(mut case: Case<'_>) {
    case.fail();
    let started = Instant::now();
    // Twice: those that wait for the first fetch, and those that come after it.
    for _ in 0..2 {
        case.all_unavailable();
        case.asked_at_most_once_a_cooldown(started);
    }
    assert!(case.fetches() >= 1, "{}: nobody asked", case.name);
    case.partner_is_served();
    case.heal();
    case.is_served_within_a_cooldown();
    case.asked_at_most_once_a_cooldown(started);
    // What one worker fetched is there for all of them.
    case.all_served();
    case.asked_at_most_once_a_cooldown(started);
    case.every_worker_took_part();
}

#[test]
fn good_keys_serve_through_an_outage_and_no_longer_than_allowed() {
    let Some(outage) = Outage::start(&FAILURES, Origin::Written) else {
        return;
    };
    outage.in_every_way(|mut case| {
        let started = Instant::now();
        case.all_served();
        let fetched = Instant::now();
        assert_eq!(case.fetches(), 1, "{}: for all workers", case.name);
        case.fail();
        while started.elapsed() + ROUND < TTL + MAX_STALE {
            case.all_served();
            case.partner_is_served();
            case.asked_at_most_once_a_cooldown(started);
            std::thread::sleep(Duration::from_millis(250));
        }
        std::thread::sleep((TTL + MAX_STALE + MARGIN).saturating_sub(fetched.elapsed()));
        assert!(case.fetches() >= 3, "{}: nobody tried again", case.name);
        case.all_unavailable();
        case.partner_is_served();
        case.heal();
        case.is_served_within_a_cooldown();
        case.all_served();
        case.asked_at_most_once_a_cooldown(started);
        case.every_worker_took_part();
    });
}

/// How a gate knows where the keys are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Written,
    Discovered,
}

impl Origin {
    fn policy(self) -> String {
        let usual = "keys: { timeout: 2s }";
        let replace = |text: &str, from: &str, to: &str| {
            assert!(text.contains(from));
            text.replace(from, to)
        };
        let policy = replace(sample::POLICY, usual, &format!("keys: {FRESHNESS}"));
        match self {
            Self::Written => policy,
            Self::Discovered => {
                let policy = replace(&policy, "    jwks_uri: ${jwks:main}\n", "");
                replace(&policy, "https://tenant.example/", "${issuer:main}")
            }
        }
    }
}

/// The gate, with a listener for each way to fail.
struct Outage {
    gate: Gate,
    door: Door,
    keys: BTreeMap<String, TestKey>,
    failures: &'static [(&'static str, &'static str)],
    origin: Origin,
}

impl Outage {
    /// With good keys everywhere. `None` where there is no Envoy.
    fn start(failures: &'static [(&'static str, &'static str)], origin: Origin) -> Option<Self> {
        let tools = tools::find().unwrap()?;
        let keys = test_key::load().unwrap();
        let mut plan = Plan::new(&tools, &keys).unwrap();
        plan.launch.concurrency = u32::try_from(WORKERS).unwrap();
        let door = Door::before(plan.key_server()).unwrap();
        plan.cluster("door", door.address());
        for (name, _) in failures {
            let mut places =
                sample::places(&plan, name, sample::GOOD_KEYS, Duration::ZERO).unwrap();
            if *name == REFUSED {
                places.get_mut("main").unwrap().cluster = "door".to_owned();
            }
            plan.balanced_listener(name, &origin.policy(), &places)
                .unwrap();
        }
        let gate = plan.start().unwrap();
        Some(Self {
            gate,
            door,
            keys,
            failures,
            origin,
        })
    }

    /// Runs this for every failure at once.
    fn in_every_way(mut self, run: impl Fn(Case<'_>) + Sync) {
        let mut door = Some(&mut self.door);
        let (gate, keys, run) = (&self.gate, &self.keys, &run);
        std::thread::scope(|scope| {
            for (name, failing) in self.failures {
                let door = match *name {
                    REFUSED => door.take(),
                    _ => None,
                };
                let issuer = match self.origin {
                    Origin::Written => "https://tenant.example/".to_owned(),
                    Origin::Discovered => gate.site(name).issuer("main"),
                };
                let case = Case {
                    gate,
                    keys,
                    name,
                    failing,
                    issuer,
                    door,
                };
                scope.spawn(|| run(case));
            }
        });
        assert!(gate.envoy.is_running());
        let log = gate.envoy.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// One way to fail.
struct Case<'a> {
    gate: &'a Gate,
    keys: &'a BTreeMap<String, TestKey>,
    name: &'static str,
    failing: &'static str,
    /// Who signs the tokens.
    issuer: String,
    /// Before the key server, where it is the door that fails.
    door: Option<&'a mut Door>,
}

impl Case<'_> {
    fn fail(&mut self) {
        match &mut self.door {
            Some(door) => door.shut(),
            None => self.publish(self.failing),
        }
    }

    fn heal(&mut self) {
        match &mut self.door {
            Some(door) => door.open().unwrap(),
            None => self.publish(sample::GOOD_KEYS),
        }
    }

    fn publish(&self, set: &str) {
        let set: KeySet = serde_saphyr::from_str(set).unwrap();
        self.gate
            .replace(self.name, "main", &set, self.keys)
            .unwrap();
    }

    /// How often the issuer was asked so far for one and the same document, by all workers together.
    fn fetches(&self) -> usize {
        let asked = |document| self.gate.fetches(self.name, "main", document).len();
        let answered = Document::ALL.into_iter().map(asked).max().unwrap_or(0);
        // Where nobody listens, Envoy alone knows who was asked for.
        let refused = match self.door {
            Some(_) => self.stat("cluster.door.upstream_cx_connect_fail"),
            None => 0,
        };
        answered + refused
    }

    fn stat(&self, name: &str) -> usize {
        let number = self.gate.envoy.stat(name).unwrap().unwrap_or(0);
        usize::try_from(number).unwrap()
    }

    fn asked_at_most_once_a_cooldown(&self, since: Instant) {
        let fetches = self.fetches();
        let cooldowns = since.elapsed().as_millis() / COOLDOWN.as_millis();
        assert!(
            fetches as u128 <= 1 + cooldowns,
            "{}: {fetches} fetches in {:?}",
            self.name,
            since.elapsed()
        );
    }

    /// Four requests to each worker, on connections that are open together.
    fn answers(&self) -> Vec<Answer> {
        let address = self.gate.address(self.name).unwrap();
        let token = sample::token_of(self.keys, &self.issuer).unwrap();
        let request = format!(
            "GET /timesheets HTTP/1.1\r\nhost: api.example.com\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let connect = |_| http1::connect(address).unwrap();
        let mut clients: Vec<TcpStream> = (0..4 * WORKERS).map(connect).collect();
        for client in &mut clients {
            client.write_all(request.as_bytes()).unwrap();
        }
        let answer = |client: &mut TcpStream| http1::read_answer(client, false).unwrap();
        clients.iter_mut().map(answer).collect()
    }

    fn all_served(&self) {
        for answer in self.answers() {
            assert_eq!(answer.status, 200, "{}: {}", self.name, answer.text());
        }
    }

    /// Everybody is told that it is our trouble, and when to come again; nobody that it is the token's.
    fn all_unavailable(&self) {
        for answer in self.answers() {
            let text = answer.text();
            assert_eq!(answer.status, 503, "{}: {text}", self.name);
            assert!(text.contains("Keys unavailable"), "{}: {text}", self.name);
            let retry_after = answer.header("retry-after");
            let seconds: Vec<u64> = retry_after.iter().flat_map(|text| text.parse()).collect();
            let (least, most) = (1, COOLDOWN.as_secs());
            assert!(
                matches!(seconds.as_slice(), [one] if (least..=most).contains(one)),
                "{}: {retry_after:?}",
                self.name
            );
        }
    }

    /// After the issuer answers again: the wait for the cool-down's end, then one fetch.
    fn is_served_within_a_cooldown(&self) {
        let healed = Instant::now();
        while !self.answers().iter().all(|answer| answer.status == 200) {
            assert!(
                healed.elapsed() < COOLDOWN + TIMEOUT + SLACK,
                "{}: still refused {:?} after it answers again",
                self.name,
                healed.elapsed()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The other issuer of the same listener.
    fn partner_is_served(&self) {
        let token = sample::partner_token(self.keys).unwrap();
        let request = format!(
            "GET /timesheets HTTP/1.1\r\nhost: api.example.com\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let address = self.gate.address(self.name).unwrap();
        let answer = http1::exchange(address, request.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{}: {}", self.name, answer.text());
    }

    fn every_worker_took_part(&self) {
        for worker in 0..WORKERS {
            let stat = format!("listener.{}.worker_{worker}.downstream_cx_total", self.name);
            assert!(self.stat(&stat) >= 4, "{}: {stat}", self.name);
        }
    }
}
