//! Keys in a real Envoy with four workers: they are fetched once for all, refreshed without traffic, and outlive policies and VMs.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

mod bench;
mod deaths;
mod policies;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bench::{Answer, Bench, all_are, ask_all_workers, lines, stat, status};
use e2e::corpus::{TokenSpec, mint};
use e2e::judge::Prepared;
use e2e::{sample, wait};

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
        waited >= Duration::from_millis(1_500) && waited < Duration::from_millis(4_500),
        "{waited:?}"
    );
    assert_eq!(stat(&gate, "key_fetch.auth0.installed"), Some(1));
    // What the filter would say of shared data that it cannot use.
    assert_eq!(lines(&gate, "not shared"), Vec::<String>::new());
}

#[test]
fn keys_are_discovered_once_for_all_workers() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let issuer = format!("http://{}", bench.issuer.server.address());
    let url = format!("    jwks_uri: {issuer}/keys\n");
    let policy = bench.policy("timeout: 5s");
    assert!(policy.contains(&url), "{policy}");
    let policy = policy
        .replace(&url, "    danger_http_jwks: true\n")
        .replace("https://tenant.example/", &issuer);
    bench
        .issuer
        .set(|state| state.delay = Duration::from_millis(300));
    let mut plan = bench.plan();
    plan.listener("one", &policy, &BTreeMap::new()).unwrap();
    let gate = plan.start().unwrap();
    let spec = format!(
        "{{ key: p256, header: {{ kid: e1 }}, claims: {{ iss: '{issuer}', sub: alice, aud: 'https://timesheets.example.com/api', exp: +300 }} }}"
    );
    let spec: TokenSpec = serde_saphyr::from_str(&spec).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let token = mint::token(&spec, &bench.keys, None, now_ms).unwrap();
    let request = Prepared::get("/timesheets").bearer(&token);
    all_are(&ask_all_workers(&gate, &request), 200, None);
    let state = bench.issuer.state.lock().unwrap();
    let asked: Vec<_> = state.asked.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(
        asked,
        [
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
            "/keys"
        ]
    );
    assert_eq!(stat(&gate, "key_fetch.auth0.discovered"), Some(1));
    assert_eq!(stat(&gate, "key_fetch.auth0.status"), Some(1));
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
        wait::until("all of them wait", || {
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
    wait::until("nobody waits", || {
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
    wait::until("the keys are fetched again", || {
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
    let apart = state.asked[1].0.duration_since(state.asked[0].0);
    assert!(
        apart >= Duration::from_secs(4) && apart < Duration::from_millis(4_800),
        "{apart:?}"
    );
}

#[test]
fn what_one_worker_learns_the_others_know_at_once() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let gate = bench.start("ttl: 10m, cooldown: 1s");
    let request = bench.request();
    all_are(&ask_all_workers(&gate, &request), 200, None);
    bench
        .issuer
        .set(|state| state.answer = Answer::Key("p256-other"));
    std::thread::sleep(Duration::from_millis(1_100));
    // One request, so one worker, has a reason to ask the issuer again.
    let unknown = sample::signed(&bench.keys, "p256", "ES256").unwrap();
    let unknown = Prepared::get("/timesheets").bearer(&unknown);
    assert_eq!(status(&gate, &unknown), Some(401));
    assert_eq!(bench.issuer.asked(), 2);
    std::thread::sleep(Duration::from_millis(500));
    all_are(
        &ask_all_workers(&gate, &request),
        401,
        Some("signature_invalid"),
    );
    assert_eq!(bench.issuer.asked(), 2);
}

#[test]
fn each_change_of_state_is_told_once_and_gauges_say_how_keys_stand() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    let gate = bench.start("ttl: 10s, max_stale: 4s, cooldown: 2s");
    assert_eq!(stat(&gate, "keys.auth0.state"), Some(0));
    let request = bench.request();
    all_are(&ask_all_workers(&gate, &request), 200, None);
    assert_eq!(stat(&gate, "keys.auth0.state"), Some(1));
    assert_eq!(stat(&gate, "keys.auth0.count"), Some(1));
    bench.issuer.set(|state| state.answer = Answer::Status(500));
    for (state, at_least) in [(2, 8), (3, 10), (4, 14)] {
        wait::until("the state changes", || {
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
    wait::until("the keys are fresh", || {
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
fn a_clock_that_is_off_is_told_once() {
    let Some(bench) = Bench::new(Answer::Key("p256")) else {
        return;
    };
    bench
        .issuer
        .set(|state| state.date = Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    let gate = bench.start("ttl: 1s");
    all_are(&ask_all_workers(&gate, &bench.request()), 200, None);
    wait::until("keys were fetched four times", || {
        stat(&gate, "key_fetch.auth0.installed") >= Some(4)
    });
    // Thirty years, at least.
    assert!(stat(&gate, "keys.auth0.clock_behind_seconds") > Some(30 * 365 * 86_400));
    assert_eq!(stat(&gate, "keys.auth0.clock_ahead_seconds"), Some(0));
    let told = lines(&gate, "s behind ours");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("warning"), "{told:?}");
}
