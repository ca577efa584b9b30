//! VMs of Envoy that die, and keys that stay. The filter is the shipped one with a way to die (tests/fragile).

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::gate::{Gate, Plan};
use e2e::http1::{self, Answer as Response};
use e2e::{config, sample, test_key, tools, wait};
use serde_json::json;

use crate::bench::{Answer, Bench, Issuer, lines, stat};

const WORKERS: usize = 4;

/// A route in shadow mode lets everything pass, and tells the upstream who is asking only where the keys are there already.
const WATCHED: &str = "  - { path: /watched, authenticated: true, mode: shadow }\nenvoy:";

/// Dies before the filter sees the request.
const AT_ONCE: &str = "x-trap: 0\r\n";

/// What Envoy's log says of a VM that died.
const DEATH: &str = "Uncaught RuntimeError: unreachable";

/// How long the lease on a fetch lasts if nobody makes it longer (filter/README.md).
const LEASE: Duration = Duration::from_secs(3);

/// How long a root context rests between two ticks, in milliseconds.
const REST: u128 = 100;

/// When Envoy ends a stream on which nothing happens: later than any request here waits.
const IDLE: Duration = Duration::from_secs(9);

#[test]
fn keys_outlive_the_death_of_every_vm() {
    let Some(bench) = bench(Answer::Key("p256")) else {
        return;
    };
    let gate = start(&bench, "timeout: 2s");
    let mut clients = clients(&gate, &bench, 1);
    for client in &mut clients {
        assert_eq!(client.ask("/timesheets", "").status, 200);
    }
    bench.issuer.set(|state| state.answer = Answer::Status(500));
    for client in &mut clients {
        assert!(is_envoys_own_503(&client.ask("/timesheets", AT_ONCE)));
    }
    wait::until("the log tells of all of them", || {
        lines(&gate, DEATH).len() == WORKERS
    });
    for client in &mut clients {
        // The first request that a new VM sees.
        let mut id = String::new();
        wait::until("the VM is replaced", || {
            id = client.send("/watched", "");
            !is_envoys_own_503(&client.answer())
        });
        let seen = gate.upstream.seen(&id);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].header("x-auth-sub"), ["alice"]);
        assert_eq!(client.ask("/timesheets", "").status, 200);
    }
    let reloads = gate.envoy.stat("wasm.scopegate.vm_reload_success").unwrap();
    assert_eq!(reloads, Some(WORKERS as u64));
    assert_eq!(bench.issuer.asked(), 1);
    assert_eq!(stat(&gate, "keys.auth0.state"), Some(1));
    assert_eq!(stat(&gate, "keys.auth0.count"), Some(1));
    assert_eq!(stat(&gate, "keys.auth0.waiting"), Some(0));
    let told = lines(&gate, "keys of `auth0`: fresh after");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn when_a_vm_dies_early_in_its_fetch_one_other_fetches_as_soon_as_its_lease_ends() {
    // One tick after that in which the fetch began.
    let Some(waits) = waits_for_a_vm_that_dies(2) else {
        return;
    };
    assert!(waits.first > LEASE.mul_f32(0.9), "{waits:?}");
    assert!(waits.last < LEASE * 2, "{waits:?}");
}

#[test]
fn when_a_vm_dies_late_in_its_fetch_one_other_fetches_as_soon_as_its_longer_lease_ends() {
    // When the lease that it took at first would have ended.
    let Some(waits) = waits_for_a_vm_that_dies(LEASE.as_millis() / REST + 4) else {
        return;
    };
    assert!(waits.first > LEASE.mul_f32(1.5), "{waits:?}");
    assert!(waits.last < LEASE * 3, "{waits:?}");
}

/// How long after the beginning the first and the last request was answered.
#[derive(Debug)]
struct Waits {
    first: Duration,
    last: Duration,
}

/// The VM that fetches dies in that tick, and with it the fetch. All who wait in other workers, and all who come, are let pass.
fn waits_for_a_vm_that_dies(tick: u128) -> Option<Waits> {
    let bench = bench(Answer::Hung)?;
    let gate = start(&bench, "timeout: 10s");
    let mut clients_before = clients(&gate, &bench, 1);
    let clients_after = clients(&gate, &bench, 2);
    let started = Instant::now();
    let mut fetching = clients_before.remove(0);
    fetching.send("/timesheets", &format!("x-trap: {tick}\r\n"));
    wait::until("the keys are asked for", || bench.issuer.asked() == 1);
    for client in &mut clients_before {
        client.send("/timesheets", "");
    }
    wait::until("the VM dies", || !lines(&gate, DEATH).is_empty());
    assert_eq!(bench.issuer.asked(), 1);
    bench.issuer.set(|state| state.answer = Answer::Key("p256"));

    let answered: Vec<Duration> = std::thread::scope(|scope| {
        let before = clients_before.iter_mut().map(|client| {
            scope.spawn(|| {
                let answer = client.answer();
                assert_eq!(answer.status, 200, "{answer:?}");
                started.elapsed()
            })
        });
        let before: Vec<_> = before.collect();
        let after = clients_after.into_iter().map(|mut client| {
            scope.spawn(move || {
                // One of them comes to the worker whose VM has died.
                wait::until("there is a VM", || {
                    let answer = client.ask("/timesheets", "");
                    let is_served = answer.status == 200;
                    assert!(is_served || is_envoys_own_503(&answer), "{answer:?}");
                    is_served
                });
                started.elapsed()
            })
        });
        let after: Vec<_> = after.collect();
        let all = before.into_iter().chain(after);
        all.map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(bench.issuer.asked(), 2, "one fetch that died, and one more");
    assert_eq!(lines(&gate, DEATH).len(), 1);
    assert_eq!(stat(&gate, "keys.auth0.state"), Some(1));
    assert_eq!(stat(&gate, "keys.auth0.count"), Some(1));
    // Envoy says nothing to those who waited in the VM itself, until it ends their idle streams.
    let answer = fetching.answer();
    assert!(is_envoys_own_503(&answer), "{answer:?}");
    let waited = started.elapsed();
    // Its timers are coarse.
    assert!(
        waited > IDLE.mul_f32(0.9) && waited < IDLE * 2,
        "{waited:?}"
    );
    Some(Waits {
        first: *answered.iter().min().unwrap(),
        last: *answered.iter().max().unwrap(),
    })
}

/// Nothing where there is no Envoy, or not that filter.
fn bench(answer: Answer) -> Option<Bench> {
    let tools = tools::find_fragile().unwrap()?;
    let keys = test_key::load().unwrap();
    let issuer = Issuer::start(&keys, answer);
    Some(Bench {
        tools,
        keys,
        issuer,
    })
}

/// Workers whose VMs are replaced when they die, as in the shipped configuration.
fn start(bench: &Bench, rules: &str) -> Gate {
    let mut plan = Plan::new(&bench.tools, &bench.keys).unwrap();
    plan.launch.concurrency = u32::try_from(WORKERS).unwrap();
    plan.cluster("issuer", bench.issuer.server.address());
    let policy = bench.policy(rules).replace("envoy:", WATCHED);
    let mut filter = config::gate(&bench.tools.filter, &policy);
    filter["typed_config"]["config"]["failure_policy"] = json!("FAIL_RELOAD");
    let access_log = plan.folder().join("access.log");
    let mut listener = config::listener("one", &[filter], config::UPSTREAM, &access_log);
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["stream_idle_timeout"] = json!(format!("{}s", IDLE.as_secs()));
    plan.whole_listener(config::balanced(listener));
    plan.start().unwrap()
}

/// A client that keeps its connection, and so its worker.
struct Client<'a> {
    gate: &'a Gate,
    token: String,
    stream: TcpStream,
}

impl Client<'_> {
    /// Returns the id by which the upstream knows the request.
    fn send(&mut self, path: &str, field: &str) -> String {
        let (id, token) = (self.gate.fresh_id(), &self.token);
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: api.example.com\r\nx-case-id: {id}\r\nauthorization: Bearer {token}\r\n{field}\r\n"
        );
        self.stream.write_all(head.as_bytes()).unwrap();
        id
    }

    fn answer(&mut self) -> Response {
        http1::read_answer(&mut self.stream, false).unwrap()
    }

    fn ask(&mut self, path: &str, field: &str) -> Response {
        self.send(path, field);
        self.answer()
    }
}

/// One more client at each worker, which has that many then.
fn clients<'a>(gate: &'a Gate, bench: &Bench, of_each: u64) -> Vec<Client<'a>> {
    let token = sample::token(&bench.keys, "alice").unwrap();
    let address = gate.address("one").unwrap();
    let client = |_| Client {
        gate,
        token: token.clone(),
        stream: http1::connect(address).unwrap(),
    };
    let clients = (0..WORKERS).map(client).collect();
    wait::until("each worker has its clients", || {
        let stats = gate.envoy.stats().unwrap();
        let has_its = |worker| {
            let name = format!("listener.one.worker_{worker}.downstream_cx_active");
            stats.get(&name) == Some(&of_each)
        };
        (0..WORKERS).all(has_its)
    });
    clients
}

/// What Envoy answers in the place of a VM that died, until there is another one. The gate's own have a body.
fn is_envoys_own_503(answer: &Response) -> bool {
    answer.status == 503 && answer.body.is_empty()
}
