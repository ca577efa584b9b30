//! The store: slow, broken, or full of what is no key.

use std::sync::Arc;
use std::time::{Duration, Instant};

use e2e::corpus::site::Document;
use e2e::judge::Prepared;
use e2e::spin::application::Protocol;
use e2e::spin::gate::Surroundings;
use e2e::{sample, test_key, tools};
use serde_json::json;

use crate::Made;

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
fn a_failure_takes_no_keys_out_of_the_store() {
    let Some(bench) = Made::default().start() else {
        return;
    };
    assert_eq!(bench.ask().status, Some(200));
    std::thread::sleep(Duration::from_millis(100));
    let (_, record) = bench.only_record();
    bench.replace_keys("{ status: 500, body: down }");
    // An instance that cannot read the store, at a time when nobody can be asked.
    bench
        .control()
        .store_faults(&json!({ "get": { "error": "a hiccup" } }))
        .unwrap();
    crate::is_unavailable(&bench.ask_elsewhere());
    std::thread::sleep(Duration::from_millis(100));
    bench
        .control()
        .store_faults(&json!({ "get": null }))
        .unwrap();
    assert_eq!(bench.only_record().1, record, "nothing was written");
    assert_eq!(bench.ask_elsewhere().status, Some(200));
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
    let (mut application, site) = gateway.unwrap();
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
        let fetches = surroundings.fetches(&site, "main", Document::Keys).len();
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
