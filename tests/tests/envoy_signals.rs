//! What an operator sees of a gate in a real Envoy: counters, access-log fields and log lines; and upgrades, which are requests too.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::io::{Read, Write};
use std::time::Duration;

use e2e::corpus::Runner;
use e2e::gate::{Gate, Plan};
use e2e::judge::Prepared;
use e2e::{http1, sample, test_key, tools, wait};

const RUNNER: Runner = Runner::EnvoyHttp1;

#[test]
fn counters_say_what_happened() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    sample::listener(&mut plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let shadow = sample::POLICY.replace("realm: timesheets", "realm: timesheets\nmode: shadow");
    let places = sample::places(&plan, "shadow", "{ status: 500 }", Duration::ZERO).unwrap();
    plan.listener("shadow", &shadow, &places).unwrap();
    let gate = plan.start().unwrap();

    // Before the first event each counter is there, as zero.
    let count = |name: &str| {
        gate.envoy
            .stat(&format!("wasmcustom.scopegate.{name}"))
            .unwrap()
    };
    for name in [
        "allowed",
        "denied.credential_missing",
        "shadowed.credential_missing",
        "token_cache.hit",
        "verify.host",
        "key_fetch.auth0.installed",
    ] {
        assert_eq!(count(name), Some(0), "{name}");
    }

    let alice = Prepared::get("/timesheets").bearer(&sample::token(&keys, "alice").unwrap());
    let ask = |listener: &str, request: &Prepared| gate.ask(listener, RUNNER, request).unwrap();
    for _ in 0..3 {
        ask("one", &alice);
    }
    ask("one", &Prepared::get("/timesheets"));
    ask("one", &Prepared::get("/healthz"));
    ask(
        "one",
        &Prepared::get("/admin").bearer(&sample::token(&keys, "bob").unwrap()),
    );
    ask("shadow", &Prepared::get("/timesheets"));
    ask("shadow", &alice);
    wait_for(&gate, "key_fetch.auth0.status", 1);

    let expected = [
        ("allowed", 4),
        ("denied.credential_missing", 1),
        ("denied.scope_missing", 1),
        ("shadowed.credential_missing", 1),
        ("shadowed.keys_unavailable", 1),
        ("token_cache.hit", 2),
        ("key_fetch.auth0.installed", 1),
        ("key_fetch.auth0.status", 1),
        ("key_fetch.partner.installed", 0),
    ];
    for (name, number) in expected {
        assert_eq!(count(name), Some(number), "{name}");
    }
    // ES256 is among what Envoy's own BoringSSL verifies: two tokens, each of them once.
    assert_eq!(
        (count("verify.host"), count("verify.portable")),
        (Some(2), Some(0))
    );
}

#[test]
fn rs_and_es_are_verified_by_the_host_and_the_others_portably() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    let all = "[RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]";
    let policy = sample::POLICY.replacen("keys:", &format!("algorithms: {all}\n    keys:"), 1);
    let set = "{ keys: [{ key: rsa, kid: rsa }, { key: p256, kid: p256 }, { key: p384, kid: p384 }, { key: ed25519, kid: ed25519 }] }";
    let places = sample::places(&plan, "one", set, Duration::ZERO).unwrap();
    plan.listener("one", &policy, &places).unwrap();
    let gate = plan.start().unwrap();
    let (mut host, mut portable) = (0, 0);
    for (algorithm, key, by_host) in [
        ("RS256", "rsa", true),
        ("RS384", "rsa", true),
        ("RS512", "rsa", true),
        ("PS256", "rsa", false),
        ("PS384", "rsa", false),
        ("PS512", "rsa", false),
        ("ES256", "p256", true),
        ("ES384", "p384", true),
        ("EdDSA", "ed25519", false),
    ] {
        let token = sample::signed(&keys, key, algorithm).unwrap();
        let request = Prepared::get("/timesheets").bearer(&token);
        let seen = gate.ask("one", RUNNER, &request).unwrap();
        assert_eq!(seen.status, Some(200), "{algorithm}");
        if by_host {
            host += 1;
        } else {
            portable += 1;
        }
        wait_for(&gate, "verify.host", host);
        wait_for(&gate, "verify.portable", portable);
    }
}

#[test]
fn the_access_log_names_decision_reason_route_and_issuer() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    sample::listener(&mut plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let places = sample::places(&plan, "subject", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let telling =
        e2e::corpus::policy::complete(sample::POLICY, &places).unwrap() + "  log_subject: true\n";
    plan.listener("subject", &telling, &places).unwrap();
    let gate = plan.start().unwrap();
    let alice = sample::token(&keys, "alice").unwrap();

    let entry = |listener: &str, request: Prepared| {
        let id = gate.fresh_id();
        gate.send(listener, RUNNER, &request, &id).unwrap();
        let entry = gate.access_log_entry(&id).unwrap();
        ["decision", "reason", "route", "issuer", "subject"]
            .map(|name| entry[name].as_str().unwrap_or("-").to_owned())
    };
    assert_eq!(
        entry("one", Prepared::get("/timesheets").bearer(&alice)),
        ["allow", "-", "/timesheets", "auth0", "-"]
    );
    assert_eq!(
        entry("one", Prepared::get("/admin").bearer(&alice)),
        ["deny", "scope_missing", "/admin", "auth0", "-"]
    );
    assert_eq!(
        entry("one", Prepared::get("/timesheets")),
        ["deny", "credential_missing", "/timesheets", "-", "-"]
    );
    assert_eq!(
        entry("one", Prepared::get("/nothing").bearer(&alice)),
        ["deny", "route_unmatched", "-", "-", "-"]
    );
    assert_eq!(
        entry("one", Prepared::get("/healthz")),
        ["allow", "-", "/healthz", "-", "-"]
    );
    // The subject appears where the policy allows it, and of a verified token alone.
    assert_eq!(
        entry("subject", Prepared::get("/timesheets").bearer(&alice)),
        ["allow", "-", "/timesheets", "auth0", "alice"]
    );
    // An issuer may let its users choose it: what ends a line of a log in plain text does not get there.
    let split = sample::token(&keys, r"x\nforged 200").unwrap();
    assert_eq!(
        entry("subject", Prepared::get("/admin").bearer(&split)),
        [
            "deny",
            "scope_missing",
            "/admin",
            "auth0",
            "x\u{fffd}forged 200"
        ]
    );
    let forged = format!("{}AAAA", &alice[..alice.len() - 4]);
    assert_eq!(
        entry("subject", Prepared::get("/timesheets").bearer(&forged))[4],
        "-"
    );
}

#[test]
fn a_log_at_its_most_talkative_holds_no_token_and_no_claim() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    plan.launch.component_log_level = "wasm:trace".to_owned();
    sample::listener(&mut plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let gate = plan.start().unwrap();
    let subject = "somebody-whose-name-is-no-matter-for-a-log";
    let token = sample::token(&keys, subject).unwrap();
    for path in ["/timesheets", "/admin", "/nothing", "/healthz"] {
        gate.ask("one", RUNNER, &Prepared::get(path).bearer(&token))
            .unwrap();
    }
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    gate.ask("one", RUNNER, &Prepared::get("/timesheets").bearer(&forged))
        .unwrap();
    let log = whole_log(&gate, &["scope_missing", "signature_invalid"]);
    for part in token.split('.').chain([subject]) {
        assert!(!log.contains(part), "the log holds {part}");
    }
}

/// Envoy's log with all of these in it. It writes with a delay, and the answer is there before its lines are.
fn whole_log(gate: &Gate, told: &[&str]) -> String {
    wait::until_some(&format!("the log has all of {told:?}"), || {
        let log = gate.envoy.log();
        told.iter().all(|told| log.contains(told)).then_some(log)
    })
}

#[test]
fn a_websocket_is_opened_with_a_token_and_not_without() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    sample::listener(&mut plan, "one", sample::GOOD_KEYS, Duration::ZERO).unwrap();
    let gate = plan.start().unwrap();
    let token = sample::token(&keys, "alice").unwrap();
    let handshake = |credential: &str| {
        let mut stream = http1::connect(gate.address("one").unwrap()).unwrap();
        let head = format!(
            "GET /timesheets HTTP/1.1\r\nhost: api.example.com\r\nx-case-id: websocket\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{credential}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let answer = http1::read_answer(&mut stream, false).unwrap();
        (answer, stream)
    };
    let (refused, _) = handshake("");
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, vec!["Bearer realm=\"timesheets\""])
    );
    assert_eq!(gate.upstream.seen("websocket").len(), 0);

    let (opened, mut stream) = handshake(&format!(
        "authorization: Bearer {token}\r\nx-auth-sub: admin\r\n"
    ));
    assert_eq!(opened.status, 101);
    stream.write_all(b"hello").unwrap();
    let mut echo = [0; 5];
    stream.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"hello");
    assert_eq!(
        gate.upstream.seen("websocket")[0].header("x-auth-sub"),
        ["alice"]
    );
}

#[track_caller]
fn wait_for(gate: &Gate, name: &str, number: u64) {
    let stat = format!("wasmcustom.scopegate.{name}");
    wait::until(&format!("{name} is {number}"), || {
        gate.envoy.stat(&stat).unwrap() == Some(number)
    });
}
