//! Keys in a real Envoy, where requests wait for them: together, with their bodies, and whatever becomes of the others.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use e2e::corpus::Runner;
use e2e::gate::{Gate, Plan};
use e2e::judge::{Prepared, Seen};
use e2e::test_key::{self, TestKey};
use e2e::{http1, sample, tools, wait};

type Keys = BTreeMap<String, TestKey>;

/// A gate with one listener, whose keys of `auth0` are these and come after `delay`. `None` where there is no Envoy.
fn gate(main: &str, delay: Duration) -> Option<(Arc<Gate>, Keys)> {
    let tools = tools::find().unwrap()?;
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    sample::listener(&mut plan, "one", main, delay).unwrap();
    let gate = Arc::new(plan.start().unwrap());
    Some((gate, keys))
}

fn ask(gate: &Gate, runner: Runner, request: &Prepared) -> Seen {
    gate.ask("one", runner, request).unwrap()
}

/// The VM answers, and knows nothing of what happened before.
fn is_alive(gate: &Gate, keys: &Keys) {
    let other = Prepared::get("/timesheets").bearer(&sample::partner_token(keys).unwrap());
    assert_eq!(ask(gate, Runner::EnvoyHttp1, &other).status, Some(200));
    assert!(
        !gate.envoy.log().contains("panicked"),
        "{}",
        gate.envoy.log()
    );
}

#[test]
fn requests_that_wait_together_are_answered_together_after_one_fetch() {
    let Some((gate, keys)) = gate(sample::GOOD_KEYS, Duration::from_millis(500)) else {
        return;
    };
    let requests: Vec<(Runner, Prepared)> = (0..12)
        .map(|number| {
            let runner = if number % 2 == 0 {
                Runner::EnvoyHttp1
            } else {
                Runner::EnvoyHttp2
            };
            let token = sample::token(&keys, &format!("user-{number}")).unwrap();
            let request = match number % 3 {
                0 => Prepared::get("/timesheets"),
                1 => Prepared::post("/timesheets", &format!("body of {number}")),
                // Larger than what Envoy reads at once.
                _ => Prepared::post("/timesheets", &format!("{number}").repeat(20_000)),
            };
            (runner, request.bearer(&token))
        })
        .collect();
    let started = Instant::now();
    let answers: Vec<Seen> = std::thread::scope(|scope| {
        let asking: Vec<_> = requests
            .iter()
            .map(|(runner, request)| scope.spawn(|| ask(&gate, *runner, request)))
            .collect();
        asking
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    assert!(
        started.elapsed() >= Duration::from_millis(500),
        "somebody did not wait"
    );
    for (number, ((_, request), seen)) in requests.iter().zip(&answers).enumerate() {
        let upstream = seen.upstream.as_ref().unwrap();
        assert_eq!(seen.status, Some(200));
        assert_eq!(
            upstream.header("x-auth-sub"),
            [format!("user-{number}")],
            "everybody is who they are"
        );
        assert_eq!(upstream.body, request.body, "no body is lost or mixed up");
    }
    assert_eq!(gate.key_requests("one", "main").len(), 1);
    is_alive(&gate, &keys);
}

#[test]
fn hundreds_wait_together() {
    let Some((gate, keys)) = gate(sample::GOOD_KEYS, Duration::from_millis(1_500)) else {
        return;
    };
    let token = sample::token(&keys, "alice").unwrap();
    let request = Prepared::get("/timesheets").bearer(&token);
    let answers: Vec<Seen> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..400)
            .map(|_| scope.spawn(|| ask(&gate, Runner::EnvoyHttp1, &request)))
            .collect();
        asking
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    assert!(answers.iter().all(|seen| seen.status == Some(200)));
    assert_eq!(gate.key_requests("one", "main").len(), 1);
    is_alive(&gate, &keys);
}

#[test]
fn requests_that_wait_for_keys_that_never_come_are_refused_at_the_deadline() {
    let Some((gate, keys)) = gate("{ fail: hung }", Duration::ZERO) else {
        return;
    };
    let token = sample::token(&keys, "alice").unwrap();
    let requests = [
        Prepared::get("/timesheets").bearer(&token),
        Prepared::post("/timesheets", "eight hours").bearer(&token),
    ];
    let started = Instant::now();
    std::thread::scope(|scope| {
        for request in &requests {
            for runner in [Runner::EnvoyHttp1, Runner::EnvoyHttp2] {
                let gate = &gate;
                scope.spawn(move || {
                    let seen = ask(gate, runner, request);
                    assert_eq!(
                        (seen.status, seen.reason.as_deref()),
                        (Some(503), Some("keys_unavailable"))
                    );
                    assert!(seen.headers.iter().any(|(name, _)| name == "retry-after"));
                    assert_eq!(seen.upstream, None);
                });
            }
        }
    });
    // The policy of the sample says 2 s.
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_millis(1_900) && waited < Duration::from_secs(10),
        "{waited:?}"
    );
    assert_eq!(gate.key_requests("one", "main").len(), 1);
    // Within the cool-down nobody waits again: nothing is asked for.
    assert_eq!(
        ask(&gate, Runner::EnvoyHttp1, &requests[0]).status,
        Some(503)
    );
    assert_eq!(gate.key_requests("one", "main").len(), 1);
    is_alive(&gate, &keys);
}

#[test]
fn a_client_that_leaves_while_it_waits_hurts_nobody() {
    let Some((gate, keys)) = gate(sample::GOOD_KEYS, Duration::from_millis(800)) else {
        return;
    };
    let token = sample::token(&keys, "alice").unwrap();
    let address = gate.address("one").unwrap();
    // The first one causes the fetch, another waits with half a body: both leave before the keys are there.
    for text in [
        "GET /timesheets HTTP/1.1\r\n",
        "POST /timesheets HTTP/1.1\r\ncontent-length: 100\r\n",
    ] {
        let mut leaving = http1::connect(address).unwrap();
        let head = format!(
            "{text}host: api.example.com\r\nx-case-id: left\r\nauthorization: Bearer {token}\r\n\r\nhalf a body"
        );
        leaving.write_all(head.as_bytes()).unwrap();
        wait::until("the keys are asked for", || {
            gate.key_requests("one", "main").len() == 1
        });
        drop(leaving);
    }
    let staying = Prepared::post("/timesheets", "a whole body").bearer(&token);
    std::thread::scope(|scope| {
        for runner in [Runner::EnvoyHttp1, Runner::EnvoyHttp2] {
            let (gate, staying) = (&gate, &staying);
            scope.spawn(move || assert_eq!(ask(gate, runner, staying).status, Some(200)));
        }
    });
    assert_eq!(gate.key_requests("one", "main").len(), 1);
    assert_eq!(gate.upstream.seen("left"), Vec::new());
    is_alive(&gate, &keys);
}

#[test]
fn a_fetch_outlives_the_only_client_that_asked_for_it() {
    let Some((gate, keys)) = gate(sample::GOOD_KEYS, Duration::from_millis(400)) else {
        return;
    };
    let token = sample::token(&keys, "alice").unwrap();
    let mut leaving = http1::connect(gate.address("one").unwrap()).unwrap();
    let head = format!(
        "GET /timesheets HTTP/1.1\r\nhost: api.example.com\r\nx-case-id: left\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    leaving.write_all(head.as_bytes()).unwrap();
    wait::until("the keys are asked for", || {
        gate.key_requests("one", "main").len() == 1
    });
    drop(leaving);
    wait::until("the keys are there", || {
        gate.envoy.log().contains("keys of `auth0`")
    });
    assert_eq!(
        ask(
            &gate,
            Runner::EnvoyHttp1,
            &Prepared::get("/timesheets").bearer(&token)
        )
        .status,
        Some(200)
    );
    assert_eq!(gate.key_requests("one", "main").len(), 1);
}

#[test]
fn a_failed_fetch_leaves_the_vm_alive_and_the_next_issuer_served() {
    // The corpus has each failure by itself; here they all meet one VM, one after the other.
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let failures = [
        "{ fail: truncated, keys: [{ key: p256, kid: e1 }] }",
        "{ fail: oversized }",
        "{ fail: refused }",
        "{ fail: hung }",
        "{ body: '<html>' }",
    ];
    let mut plan = Plan::new(&tools, &keys).unwrap();
    for (number, main) in failures.iter().enumerate() {
        sample::listener(&mut plan, &number.to_string(), main, Duration::ZERO).unwrap();
    }
    let gate = plan.start().unwrap();
    let good =
        Prepared::post("/timesheets", "hours").bearer(&sample::token(&keys, "alice").unwrap());
    let other = Prepared::get("/timesheets").bearer(&sample::partner_token(&keys).unwrap());
    for (number, main) in failures.iter().enumerate() {
        let seen = gate
            .ask(&number.to_string(), Runner::EnvoyHttp1, &good)
            .unwrap();
        assert_eq!(
            (seen.status, seen.reason.as_deref()),
            (Some(503), Some("keys_unavailable")),
            "{main}"
        );
        for (other_number, _) in failures.iter().enumerate() {
            let seen = gate
                .ask(&other_number.to_string(), Runner::EnvoyHttp2, &other)
                .unwrap();
            assert_eq!(seen.status, Some(200), "after {main}");
        }
    }
    assert!(gate.envoy.is_running());
}

#[test]
fn every_worker_serves_after_one_fetch_for_all() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    plan.launch.concurrency = 2;
    sample::listener(
        &mut plan,
        "one",
        sample::GOOD_KEYS,
        Duration::from_millis(200),
    )
    .unwrap();
    let gate = plan.start().unwrap();
    let token = sample::token(&keys, "alice").unwrap();
    let request = Prepared::get("/timesheets").bearer(&token);
    // Each request has a connection of its own, and the system deals connections out to both workers.
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| assert_eq!(ask(&gate, Runner::EnvoyHttp1, &request).status, Some(200)));
        }
    });
    assert_eq!(gate.key_requests("one", "main").len(), 1);
}

#[test]
fn a_key_fetch_tells_the_key_server_nothing() {
    let Some((gate, keys)) = gate(sample::GOOD_KEYS, Duration::ZERO) else {
        return;
    };
    let token = sample::token(&keys, "alice").unwrap();
    let request = Prepared::get("/timesheets?secret=1")
        .bearer(&token)
        .with("cookie", "session=1")
        .with("x-auth-sub", "admin");
    assert_eq!(ask(&gate, Runner::EnvoyHttp1, &request).status, Some(200));
    let asked = gate.key_requests("one", "main");
    assert_eq!(
        (asked[0].method.as_str(), asked[0].body.as_slice()),
        ("GET", &b""[..])
    );
    for name in [
        "authorization",
        "cookie",
        "x-auth-sub",
        e2e::upstream::ID_HEADER,
    ] {
        assert_eq!(asked[0].header(name), Vec::<String>::new(), "{name}");
    }
    assert!(!format!("{:?}", asked[0].headers).contains(&token));
}
