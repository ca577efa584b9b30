//! The issuer: new keys, an outage, and every way in which its server can fail.

use std::time::{Duration, Instant};

use e2e::judge::Prepared;
use e2e::sample;
use e2e::spin::application::Protocol;

use crate::{Made, is_unavailable};

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
        // Within the cool-down nobody asks again, in this instance or in another.
        let known = bench.fetches();
        is_unavailable(&bench.ask());
        for _ in 0..3 {
            is_unavailable(&bench.ask_elsewhere());
        }
        assert_eq!(bench.fetches(), known, "{main}");
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
