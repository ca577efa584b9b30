//! The states of an issuer's keys: when each begins and ends, what is due in it, and what an unknown `kid` comes to.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::time::Duration;

use scopegate_core::KeyState::{self, Awaited, Fresh, Refreshing, Stale, Unavailable};
use scopegate_core::{FetchReport, KeyAnswer, KeyLocation};
use support::{Gate, POLICY, START, key_set, token, token_until};

const URL: &str = "https://one.example/jwks.json";

/// A gate with other words in the rules of issuer one.
fn with(from: &str, to: &str) -> Gate {
    assert!(POLICY.contains(from), "{from}");
    Gate::with(&POLICY.replacen(from, to, 1))
}

fn refusing() -> Gate {
    with("timeout: 5s", "timeout: 5s, on_empty: refuse")
}

/// Holds key 1 as `a` from now on.
fn give(gate: &mut Gate) {
    gate.give(gate.first(), &key_set(&[("a", 1)]));
}

/// That many milliseconds after the keys came, and with that failure at an earlier moment.
fn check(failed_at: Option<u64>, elapsed: u64, state: KeyState, is_due: bool) {
    let mut gate = Gate::new();
    give(&mut gate);
    if let Some(at) = failed_at {
        gate.elapsed = at;
        gate.fail(gate.first());
    }
    gate.elapsed = elapsed;
    assert_eq!(gate.state(), state, "{failed_at:?}, {elapsed}");
    let due: &[&str] = if is_due { &[URL] } else { &[] };
    assert_eq!(gate.due(), due, "{failed_at:?}, {elapsed}");
}

#[test]
fn keys_that_nobody_asks_for_again() {
    check(None, 0, Fresh, false);
    check(None, 480_000, Fresh, false);
    check(None, 480_001, Refreshing, true);
    check(None, 600_000, Refreshing, true);
    check(None, 600_001, Awaited, true);
    check(None, 4_200_001, Awaited, true);
}

#[test]
fn keys_that_cannot_be_had_again() {
    let failed = Some(500_000);
    check(Some(100), 480_000, Fresh, false);
    check(failed, 529_999, Refreshing, false);
    check(failed, 530_000, Refreshing, true);
    check(failed, 600_000, Refreshing, true);
    check(Some(590_000), 600_001, Stale, false);
    check(failed, 600_001, Stale, true);
    check(failed, 4_200_000, Stale, true);
    check(failed, 4_200_001, Unavailable, true);
    check(Some(4_199_000), 4_200_001, Unavailable, false);
    check(Some(4_199_000), 4_229_000, Unavailable, true);
}

#[test]
fn keys_that_could_not_be_had_yet() {
    let mut gate = Gate::new();
    assert_eq!((gate.state(), gate.due().len()), (Awaited, 0));
    assert!(!gate.keys.has_failed(gate.first()));
    gate.fail(gate.first());
    assert_eq!((gate.state(), gate.due().len()), (Unavailable, 0));
    assert!(gate.keys.has_failed(gate.first()));
    gate.elapsed = 29_999;
    assert_eq!((gate.state(), gate.due().len()), (Unavailable, 0));
    gate.elapsed = 30_000;
    assert_eq!(
        gate.due(),
        [URL],
        "of the other issuer nobody has asked for anything"
    );
    give(&mut gate);
    assert_eq!((gate.state(), gate.due().len()), (Fresh, 0));
    assert!(!gate.keys.has_failed(gate.first()));
}

#[test]
fn every_issuer_s_keys_are_due() {
    let mut gate = Gate::new();
    for issuer in gate.policy.issuer_ids() {
        gate.give(issuer, &key_set(&[("a", 1)]));
    }
    gate.wait(700);
    assert_eq!(gate.due(), [URL, "https://two.example/jwks.json"]);
}

#[test]
fn without_max_stale_keys_end_with_their_age() {
    let mut gate = with("max_stale: 1h", "max_stale: 0s");
    give(&mut gate);
    gate.elapsed = 590_000;
    gate.fail(gate.first());
    gate.elapsed = 600_000;
    assert_eq!(gate.state(), Refreshing);
    gate.elapsed = 600_001;
    assert_eq!(gate.state(), Unavailable);
}

#[test]
fn the_state_has_a_word() {
    let words = [Awaited, Fresh, Refreshing, Stale, Unavailable].map(KeyState::code);
    let expected = ["awaited", "fresh", "refreshing", "stale", "unavailable"];
    assert_eq!(words, expected);
}

#[test]
fn status_counts_keys_and_tells_their_age() {
    let mut gate = Gate::new();
    let status = |gate: &Gate| {
        let status = gate.keys.status(gate.first(), gate.now()).unwrap();
        (status.keys, status.age)
    };
    assert_eq!(status(&gate), (0, None));
    gate.give(gate.first(), &key_set(&[("a", 1), ("b", 2)]));
    gate.wait(5_000);
    // Also of those that are trusted no longer, and after a failure.
    assert_eq!(status(&gate), (2, Some(Duration::from_secs(5_000))));
    gate.fail(gate.first());
    assert_eq!(status(&gate), (2, Some(Duration::from_secs(5_000))));
}

#[test]
fn an_issuer_of_another_policy_has_no_status() {
    let gate = Gate::new();
    let last = gate.policy.issuer_ids().last().unwrap();
    let rest = "  two:\n    issuer: https://two.example/\n    audiences: [api]\n    jwks_uri: https://two.example/jwks.json\n    algorithms: [EdDSA]\n";
    let small = with(rest, "");
    assert_eq!(small.keys.status(last, small.now()), None);
    assert_eq!(small.keys.request(last, small.now()), None);
    assert_eq!(small.keys.under_way(last, small.now()), None);
    assert!(!small.keys.has_failed(last));
}

/// What a token of an unknown key comes to that was issued then, in seconds since the start. The last fetch was at 100.7 s; it is 110.2 s now.
fn check_unknown(issued: Option<&str>, expected: &str) {
    let mut gate = Gate::new();
    gate.elapsed = 100_700;
    give(&mut gate);
    gate.elapsed = 110_200;
    let issued = issued.map_or(String::new(), |issued| format!("\"iat\":{issued},"));
    let token = token("b", 2, &issued);
    assert_eq!(gate.ask("/any", &token), expected, "{issued}");
    assert!(gate.is_unknown_kid("/any", &token));
    if expected == "kid_awaited" {
        let answer = gate.refusal("/any", &token);
        assert_eq!(answer.status, 503);
        let retry = ("retry-after", "21".into());
        assert!(answer.headers.contains(&retry), "{answer:?}");
    }
}

#[test]
fn an_unknown_kid_of_a_token_that_is_younger_than_the_keys_is_awaited() {
    for (issued, expected) in [
        (None, "kid_unknown"),
        (Some("1800000000"), "kid_unknown"),
        (Some("1800000099"), "kid_unknown"),
        // Any moment of that second.
        (Some("1800000100"), "kid_awaited"),
        (Some("1800000101"), "kid_awaited"),
        (Some("1800000110"), "kid_awaited"),
        // The issuer's clock may be ahead by the skew of 10 s; beyond it somebody only says so.
        (Some("1800000120"), "kid_awaited"),
        (Some("1800000121"), "kid_unknown"),
        (Some("9000000000"), "kid_unknown"),
        (Some("1e300"), "kid_unknown"),
        (Some("-1"), "kid_unknown"),
        (Some("1800000099.7"), "kid_unknown"),
        (Some("1800000099.701"), "kid_awaited"),
    ] {
        check_unknown(issued, expected);
    }
}

#[test]
fn an_awaited_kid_is_asked_for_after_the_cool_down() {
    let mut gate = Gate::new();
    give(&mut gate);
    let new = token("b", 2, &format!("\"iat\":{},", START + 1));
    gate.elapsed = 29_999;
    assert_eq!(gate.ask("/any", &new), "kid_awaited");
    assert_eq!(gate.refusal("/any", &new).status, 503);
    gate.elapsed = 30_000;
    assert_eq!(gate.ask("/any", &new), format!("fetch {URL}"));
    assert!(gate.is_unknown_kid("/any", &new));
    let keys = key_set(&[("a", 1), ("b", 2)]);
    assert_eq!(gate.ask_with("/any", &new, &keys), "allow");
    assert!(!gate.is_unknown_kid("/any", &new));
}

#[test]
fn a_kid_that_was_not_found_by_a_later_fetch_is_nobody_s() {
    let mut gate = Gate::new();
    give(&mut gate);
    let forged = token("b", 2, &format!("\"iat\":{},", START + 1));
    gate.wait(30);
    let keys = key_set(&[("a", 1)]);
    assert_eq!(gate.ask_with("/any", &forged, &keys), "kid_unknown");
}

#[test]
fn after_a_failure_an_unknown_kid_is_our_trouble_whatever_its_age() {
    let mut gate = Gate::new();
    give(&mut gate);
    gate.wait(30);
    gate.fail(gate.first());
    for issued in ["", "\"iat\":1799999000,", "\"iat\":1800000029,"] {
        let token = token("b", 2, issued);
        assert_eq!(gate.ask("/any", &token), "keys_unavailable");
    }
}

#[test]
fn a_key_that_is_there_is_never_awaited() {
    let mut gate = Gate::new();
    give(&mut gate);
    let forged = token("a", 2, &format!("\"iat\":{},", START + 1));
    assert_eq!(gate.ask("/any", &forged), "signature_invalid");
    assert!(!gate.is_unknown_kid("/any", &forged));
}

#[test]
fn a_set_without_keys_means_nobody_where_the_policy_says_so() {
    let mut gate = refusing();
    give(&mut gate);
    let old = token("a", 1, "");
    assert_eq!(gate.ask("/any", &old), "allow");
    gate.wait(500);
    let report = gate.give(gate.first(), r#"{"keys":[]}"#);
    let installed = FetchReport::Installed {
        keys: 0,
        clock: None,
    };
    assert_eq!(report, installed);
    assert_eq!(gate.tokens.len(), 0);
    assert_eq!(gate.state(), Fresh);
    let new = token("b", 2, &format!("\"iat\":{},", START + 501));
    for token in [&old, &new] {
        assert_eq!(gate.ask("/any", token), "kid_unknown");
    }
    gate.wait(30);
    assert_eq!(gate.ask("/any", &new), format!("fetch {URL}"));
    let keys = key_set(&[("b", 2)]);
    assert_eq!(gate.ask_with("/any", &new, &keys), "allow");
}

#[test]
fn what_is_no_key_set_is_a_failure_whatever_the_policy_says() {
    for body in ["", "{}", r#"{"keys":{}}"#, "<html></html>"] {
        let mut gate = refusing();
        give(&mut gate);
        assert!(matches!(
            gate.give(gate.first(), body),
            FetchReport::Failed(_)
        ));
        assert_eq!(gate.ask("/any", &token("a", 1, "")), "allow");
    }
}

#[test]
fn an_emptied_set_is_left_for_others_who_hold_it_for_what_their_policy_says() {
    let mut left = refusing();
    left.give(left.first(), r#"{"keys":[]}"#);
    let record = left.record(left.first());
    let mut gate = refusing();
    assert!(gate.restore(gate.first(), &record));
    assert_eq!(gate.ask("/any", &token("a", 1, "")), "kid_unknown");
    let mut keeping = Gate::new();
    assert!(!keeping.restore(keeping.first(), &record));
    assert_eq!(keeping.state(), Awaited);
}

#[test]
fn keys_of_the_policy_are_never_asked_for() {
    let inline = format!("jwks: {}", key_set(&[("a", 1)]));
    let policy = POLICY.replacen("jwks_uri: https://one.example/jwks.json", &inline, 1);
    let mut gate = Gate::with(&policy.replace(
        "    keys: { ttl: 10m, max_stale: 1h, cooldown: 30s, timeout: 5s }\n",
        "",
    ));
    let first = gate.first();
    gate.wait(1_000_000);
    let until = START + 2_000_000;
    assert_eq!(gate.ask("/any", &token_until(until, "a", 1, "")), "allow");
    let new = token_until(until, "b", 2, &format!("\"iat\":{},", START + 1_000_000));
    assert_eq!(gate.ask("/any", &new), "kid_unknown");
    assert_eq!(gate.due(), Vec::<String>::new());
    let status = gate.keys.status(first, gate.now()).unwrap();
    assert_eq!((status.state, status.keys, status.age), (Fresh, 1, None));
    assert_eq!(gate.keys.request(first, gate.now()), None);
    assert_eq!(gate.keys.under_way(first, gate.now()), None);
    assert_eq!(gate.keys.record(first), None);
    assert_eq!(gate.keys.record_name(first, ""), None);
    assert!(!gate.restore(first, b"{}"));
    assert!(!gate.keys.has_failed(first));
}

#[test]
fn keys_of_a_file_are_read_again_and_left_for_nobody() {
    let mut gate = with(
        "jwks_uri: https://one.example/jwks.json",
        "jwks_file: keys/one.json",
    );
    let first = gate.first();
    let token = token_until(START + 10_000, "a", 1, "");
    let wanted = gate.wanted("/any", &token).unwrap();
    assert_eq!(
        wanted.location,
        KeyLocation::File("keys/one.json".to_owned())
    );
    give(&mut gate);
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.wait(601);
    assert_eq!(gate.ask("/any", &token), "fetch keys/one.json");
    assert_eq!(gate.keys.record(first), None);
    assert_eq!(gate.keys.record_name(first, ""), None);
    assert!(!gate.restore(first, b"{}"));
}

#[test]
fn a_token_is_newer_than_a_set_that_a_cache_had_kept() {
    let mut gate = Gate::new();
    let issuer = gate.first();
    gate.wait(1_000);
    let answer = |age: &str| {
        let body = key_set(&[("a", 1)]).into_bytes();
        KeyAnswer::new(200, [("age", age)], body)
    };
    let newer = |seconds_ago: u64| {
        let issued = START + 1_000 - seconds_ago;
        token("b", 2, &format!(r#""iat":{issued},"#))
    };
    for (age, seconds_ago, expected) in [
        ("300", 299, "kid_awaited"),
        ("300", 302, "kid_unknown"),
        ("0", 2, "kid_unknown"),
        ("soon", 2, "kid_unknown"),
        ("99999999999", 2, "kid_unknown"),
    ] {
        gate.install(issuer, Ok(answer(age)));
        assert_eq!(gate.ask("/any", &newer(seconds_ago)), expected, "{age}");
    }
}

#[test]
fn a_token_is_newer_than_a_set_that_was_on_its_way() {
    let mut gate = Gate::new();
    let issuer = gate.first();
    let request = gate.keys.request(issuer, gate.now()).unwrap();
    gate.wait(4);
    let answer = KeyAnswer::of_file(key_set(&[("a", 1)]).into_bytes());
    let now = gate.now();
    gate.keys
        .install(&mut gate.tokens, &request, Ok(answer), now);
    for (issued, expected) in [(START + 1, "kid_awaited"), (START - 2, "kid_unknown")] {
        let token = token("b", 2, &format!(r#""iat":{issued},"#));
        assert_eq!(gate.ask("/any", &token), expected);
    }
}
