//! Policies and VMs that come and go, and keys that stay.

use std::io::Write;
use std::time::{Duration, Instant};

use e2e::judge::Prepared;
use e2e::{config, http1, sample, wait};
use serde_json::{Value, json};

use crate::bench::{
    Answer, Bench, NO_ISSUER, all_are, ask_all_workers, lines, stat, status, write,
};

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
    wait::until("the new policy serves", || {
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
    wait::until("the new VMs serve", || status(&gate, &health) == Some(200));
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
    wait::until("the new policy serves", || {
        status(&gate, &health) == Some(200)
    });
    // Its keys are nobody's any more: they are not fetched, and the gauges do not speak of them.
    wait::until("the gauges are empty", || {
        stat(&gate, "keys.auth0.count") == Some(0)
    });
    let asked = bench.issuer.asked();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(bench.issuer.asked(), asked);
    assert_eq!(stat(&gate, "keys.auth0.count"), Some(0));
}

#[test]
fn a_policy_that_goes_while_it_fetches_gives_its_turn_to_the_next() {
    let Some(bench) = Bench::new(Answer::Hung) else {
        return;
    };
    let (gate, file) = bench.start_discovered("timeout: 30s");
    let token = sample::token(&bench.keys, "alice").unwrap();
    let mut leaving = http1::connect(gate.address("one").unwrap()).unwrap();
    let head = format!(
        "GET /timesheets HTTP/1.1\r\nhost: api.example.com\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    leaving.write_all(head.as_bytes()).unwrap();
    wait::until("the keys are asked for", || bench.issuer.asked() == 1);
    drop(leaving);
    wait::until("nobody waits", || {
        stat(&gate, "keys.auth0.waiting") == Some(0)
    });
    bench.issuer.set(|state| state.answer = Answer::Key("p256"));
    let policy = bench.policy("timeout: 30s").replace("/healthz", "/livez");
    write(&file, &config::discovery_file(&bench.tools.filter, &policy));
    let health = Prepared::get("/livez");
    wait::until("the new policy serves", || {
        status(&gate, &health) == Some(200)
    });
    let started = Instant::now();
    all_are(&ask_all_workers(&gate, &bench.request()), 200, None);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(bench.issuer.asked(), 2);
}
