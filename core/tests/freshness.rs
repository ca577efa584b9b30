//! Keys over time: when they are trusted, when they are asked for, and what a failure changes.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::time::Duration;

use scopegate_core::{CacheUse, FetchReport, IssuerId, KeyCache, Policy};
use support::{Gate, key_set, token, token_of, token_until};

const URL: &str = "fetch https://one.example/jwks.json";
const LONG: u64 = support::START + 1_000_000;

fn one(gate: &mut Gate) -> IssuerId {
    gate.wanted("/any", &token("a", 1, "")).unwrap().issuer
}

/// A gate that holds key 1 as `a`, and its issuer.
fn holding() -> (Gate, IssuerId) {
    let mut gate = Gate::new();
    let issuer = one(&mut gate);
    gate.give(issuer, &key_set(&[("a", 1)]));
    (gate, issuer)
}

#[test]
fn the_first_token_asks_for_keys_once() {
    let mut gate = Gate::new();
    let token = token("a", 1, "");
    assert_eq!(gate.ask("/any", &token), URL);
    assert_eq!(
        gate.wanted("/any", &token).unwrap().timeout,
        Duration::from_secs(5)
    );
    assert_eq!(
        gate.ask_with("/any", &token, &key_set(&[("a", 1)])),
        "allow"
    );
    assert_eq!(gate.ask("/any", &token), "allow");
}

#[test]
fn a_token_that_cannot_pass_never_asks_for_keys() {
    let mut gate = Gate::new();
    for (shown, token, expected) in [
        (
            "expired",
            token_until(support::START - 10, "a", 1, ""),
            "token_expired",
        ),
        (
            "not yet valid",
            token("a", 1, r#""nbf":1800000011,"#),
            "token_not_yet_valid",
        ),
        (
            "another type",
            token("a", 1, r#""sub":1,"#),
            "claim_malformed",
        ),
        ("garbage", "abc".to_owned(), "token_malformed"),
        ("nothing", String::new(), "credential_missing"),
    ] {
        assert_eq!(gate.ask("/any", &token), expected, "{shown}");
    }
}

#[test]
fn keys_are_asked_for_again_after_their_time_to_live() {
    let (mut gate, _) = holding();
    let token = token_until(LONG, "a", 1, "");
    gate.wait(600);
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.wait(1);
    assert_eq!(gate.ask("/any", &token), URL);
}

#[test]
fn max_age_shortens_the_time_to_live_but_not_below_a_minute() {
    for (cache_control, good_for) in [
        ("max-age=120", 120),
        ("max-age=0", 60),
        ("max-age=9999", 600),
    ] {
        let mut gate = Gate::new();
        let issuer = one(&mut gate);
        let token = token_until(LONG, "a", 1, "");
        gate.answer(issuer, 200, Some(cache_control), &key_set(&[("a", 1)]));
        gate.wait(good_for);
        assert_eq!(gate.ask("/any", &token), "allow", "{cache_control}");
        gate.wait(1);
        assert_eq!(gate.ask("/any", &token), URL, "{cache_control}");
    }
}

#[test]
fn keys_are_refreshed_behind_the_requests_before_they_are_too_old() {
    let (mut gate, issuer) = holding();
    let token = token_until(LONG, "a", 1, "");
    gate.wait(480);
    assert_eq!(gate.wanted("/any", &token), None, "four fifths of 10 min");
    gate.wait(1);
    for _ in 0..2 {
        assert_eq!(gate.ask("/any", &token), "allow", "first seen, then cached");
        assert_eq!(gate.wanted("/any", &token).unwrap().issuer, issuer);
    }
    gate.give(issuer, &key_set(&[("a", 1)]));
    assert_eq!(gate.wanted("/any", &token), None);
    gate.wait(600);
    assert_eq!(gate.ask("/any", &token), "allow");
}

#[test]
fn a_refresh_that_fails_in_time_makes_nobody_wait() {
    let (mut gate, issuer) = holding();
    let token = token_until(LONG, "a", 1, "");
    gate.wait(500);
    gate.fail(issuer);
    assert_eq!(gate.wanted("/any", &token), None, "within the cool-down");
    gate.wait(4_200 - 500);
    assert_eq!(
        gate.ask("/any", &token),
        "allow",
        "the last second of max_stale"
    );
    assert_eq!(gate.wanted("/any", &token).unwrap().issuer, issuer);
    gate.wait(1);
    assert_eq!(gate.ask("/any", &token), URL);
}

#[test]
fn old_keys_serve_through_an_outage_for_max_stale_and_then_503() {
    let (mut gate, issuer) = holding();
    let token = token_until(LONG, "a", 1, "");
    gate.wait(601);
    assert_eq!(gate.ask("/any", &token), URL, "nobody has asked since");
    gate.fail(issuer);
    assert_eq!(gate.ask("/any", &token), "allow");
    assert_eq!(gate.wanted("/any", &token), None, "within the cool-down");
    gate.wait(30);
    assert_eq!(
        gate.ask("/any", &token),
        "allow",
        "and asks again behind it"
    );
    assert_eq!(gate.wanted("/any", &token).unwrap().issuer, issuer);
    gate.wait(4_200 - 631);
    gate.fail(issuer);
    assert_eq!(
        gate.ask("/any", &token),
        "allow",
        "the last second of max_stale"
    );
    gate.wait(1);
    let response = gate.refusal("/any", &token);
    assert_eq!(response.status, 503);
    let retry_after = ("retry-after", "29".into());
    assert!(response.headers.contains(&retry_after), "{response:?}");
}

#[test]
fn a_failed_refresh_does_not_make_old_keys_young() {
    let (mut gate, issuer) = holding();
    let token = token_until(LONG, "a", 1, "");
    for _ in 0..200 {
        gate.wait(31);
        gate.fail(issuer);
    }
    assert_eq!(gate.ask("/any", &token), "keys_unavailable");
}

#[test]
fn recovery_needs_nothing_but_an_answer() {
    let mut gate = Gate::new();
    let issuer = one(&mut gate);
    let token = token("a", 1, "");
    gate.fail(issuer);
    assert_eq!(gate.ask("/any", &token), "keys_unavailable");
    gate.wait(30);
    assert_eq!(
        gate.ask_with("/any", &token, &key_set(&[("a", 1)])),
        "allow"
    );
}

#[test]
fn no_bad_answer_replaces_good_keys() {
    let token = token_until(LONG, "a", 1, "");
    for (shown, status, body, code) in [
        ("an error", 500, String::new(), "status"),
        ("a redirect", 302, key_set(&[("b", 2)]), "redirect"),
        ("a page", 200, "<html></html>".to_owned(), "invalid"),
        ("an empty set", 200, r#"{"keys":[]}"#.to_owned(), "invalid"),
        (
            "too much",
            200,
            format!("{}{}", key_set(&[("b", 2)]), " ".repeat(65_536)),
            "too_large",
        ),
    ] {
        let (mut gate, issuer) = holding();
        let report = gate.answer(issuer, status, None, &body);
        assert!(matches!(report, FetchReport::Failed(_)), "{shown}");
        assert_eq!(report.code(), code, "{shown}");
        assert_eq!(gate.ask("/any", &token), "allow", "{shown}");
    }
}

#[test]
fn an_unknown_kid_refetches_once_per_cool_down() {
    let (mut gate, issuer) = holding();
    let other = token("b", 2, "");
    assert_eq!(gate.ask("/any", &other), "kid_unknown");
    gate.wait(30);
    assert_eq!(gate.ask("/any", &other), URL);
    gate.give(issuer, &key_set(&[("a", 1)]));
    assert_eq!(gate.ask("/any", &other), "kid_unknown");
    gate.wait(29);
    assert_eq!(gate.ask("/any", &other), "kid_unknown");
    gate.wait(1);
    assert_eq!(
        gate.ask_with("/any", &other, &key_set(&[("a", 1), ("b", 2)])),
        "allow"
    );
}

#[test]
fn a_key_that_left_the_set_takes_its_cached_tokens_along() {
    let (mut gate, issuer) = holding();
    let token = token("a", 1, "");
    assert_eq!(gate.ask("/any", &token), "allow");
    assert_eq!(gate.tokens.len(), 1);
    gate.give(issuer, &key_set(&[("b", 2)]));
    assert_eq!(gate.tokens.len(), 0);
    assert_eq!(gate.ask("/any", &token), "kid_unknown");
}

#[test]
fn a_kid_that_now_names_another_key_takes_its_cached_tokens_along() {
    let (mut gate, issuer) = holding();
    let token = token("a", 1, "");
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.give(issuer, &key_set(&[("a", 2)]));
    assert_eq!(gate.ask("/any", &token), "signature_invalid");
}

#[test]
fn a_cached_token_is_refused_once_it_expires() {
    let (mut gate, _) = holding();
    let token = token_until(support::START + 20, "a", 1, "");
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.wait(29);
    assert_eq!(gate.ask("/any", &token), "allow", "within the skew of 10 s");
    gate.wait(1);
    assert_eq!(gate.ask("/any", &token), "token_expired");
}

#[test]
fn a_cached_token_asks_for_keys_when_they_are_no_longer_fresh() {
    let (mut gate, issuer) = holding();
    let token = token_until(LONG, "a", 1, "");
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.wait(601);
    assert_eq!(gate.ask("/any", &token), URL);
    gate.fail(issuer);
    assert_eq!(gate.ask("/any", &token), "allow");
}

#[test]
fn a_changed_policy_forgets_every_token() {
    let (mut gate, _) = holding();
    let old = token("a", 1, r#""jti":"old","#);
    assert_eq!(gate.ask("/any", &old), "allow");
    let other = support::POLICY.replace("realm: test", "realm: other");
    gate.policy = Policy::parse(&other).unwrap();
    gate.keys = KeyCache::new(&gate.policy);
    assert_eq!(
        gate.ask_with("/any", &token("a", 1, ""), &key_set(&[("a", 1)])),
        "allow"
    );
    assert_eq!(gate.tokens.len(), 1, "the new one alone");
}

#[test]
fn a_cached_token_still_needs_the_scope_of_each_route() {
    let (mut gate, _) = holding();
    let reader = token("a", 1, r#""scope":"read","#);
    let other = token("a", 1, r#""scope":"write","#);
    for _ in 0..2 {
        assert_eq!(gate.ask("/any", &other), "allow");
        assert_eq!(gate.ask("/read", &other), "scope_missing");
        assert_eq!(gate.ask("/read", &reader), "allow");
    }
}

#[test]
fn a_clock_set_back_does_not_keep_keys_young() {
    for seconds in [2, 590, 100_000] {
        let mut gate = Gate::new();
        let issuer = one(&mut gate);
        gate.wait(seconds);
        gate.give(issuer, &key_set(&[("a", 1)]));
        let token = token_until(LONG, "a", 1, "");
        gate.elapsed -= 1_000;
        assert_eq!(gate.ask("/any", &token), "allow", "a slewed clock");
        gate.elapsed = 0;
        assert_eq!(gate.ask("/any", &token), URL, "back by {seconds} s");
    }
}

#[test]
fn the_same_kid_at_another_issuer_is_another_key() {
    let (mut gate, one) = holding();
    let forged = token_of("https://two.example/", "a", 1);
    let two = gate.wanted("/any", &forged).unwrap().issuer;
    assert_ne!(one, two);
    gate.give(two, &key_set(&[("a", 2)]));
    assert_eq!(gate.ask("/any", &forged), "signature_invalid");
    assert_eq!(
        gate.ask("/any", &token_of("https://two.example/", "a", 2)),
        "allow"
    );
    assert_eq!(gate.ask("/any", &token("a", 1, "")), "allow");
}

#[test]
fn a_cached_token_is_refused_once_two_keys_fit_it() {
    let (mut gate, issuer) = holding();
    let token = token("", 1, "");
    assert_eq!(gate.ask("/any", &token), "allow", "no kid, one fitting key");
    gate.give(issuer, &key_set(&[("a", 1), ("b", 2)]));
    assert_eq!(gate.tokens.len(), 0);
    assert_eq!(gate.ask("/any", &token), "key_ambiguous");
}

#[test]
fn an_unknown_kid_is_our_trouble_while_the_issuer_cannot_be_reached() {
    let (mut gate, issuer) = holding();
    let other = token("b", 2, "");
    gate.wait(30);
    assert_eq!(gate.ask("/any", &other), URL);
    gate.fail(issuer);
    assert_eq!(gate.ask("/any", &other), "keys_unavailable");
    assert_eq!(gate.ask("/any", &token("a", 1, "")), "allow");
}

#[test]
fn keys_of_another_policy_let_nothing_pass() {
    let (mut gate, _) = holding();
    let token = token("a", 1, "");
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.policy = Policy::parse(&support::POLICY.replace("realm: test", "realm: other")).unwrap();
    assert_eq!(gate.ask("/any", &token), "host_failure");
    assert_eq!(gate.ask("/open", ""), "allow");
}

#[test]
fn shadow_mode_never_waits_and_never_refuses() {
    let mut gate = Gate::new();
    let reader = token("a", 1, r#""scope":"read","#);
    assert_eq!(gate.ask("/shadow", &reader), "shadow keys_unavailable");
    let wanted = gate.wanted("/shadow", &reader).unwrap();
    gate.give(wanted.issuer, &key_set(&[("a", 1)]));
    assert_eq!(gate.ask("/shadow", &reader), "allow");
    assert_eq!(
        gate.ask("/shadow", &token("a", 1, "")),
        "shadow scope_missing"
    );
    assert_eq!(gate.ask("/shadow", ""), "shadow credential_missing");
}

#[test]
fn the_token_cache_stays_within_its_budget() {
    let small = support::POLICY.replace("realm: test", "realm: test\ntoken_cache: 8KiB");
    let mut gate = Gate::with(&small);
    let issuer = one(&mut gate);
    gate.give(issuer, &key_set(&[("a", 1)]));
    for number in 0..100 {
        let token = token("a", 1, &format!(r#""jti":"{number}","#));
        assert_eq!(gate.ask("/any", &token), "allow");
        assert!(gate.tokens.used_bytes() <= 8 * 1024);
    }
    assert!(gate.tokens.len() > 2, "{} tokens held", gate.tokens.len());
}

#[test]
fn a_token_cache_of_nothing_holds_nothing() {
    let none = support::POLICY.replace("realm: test", "realm: test\ntoken_cache: 0KiB");
    let mut gate = Gate::with(&none);
    let issuer = one(&mut gate);
    gate.give(issuer, &key_set(&[("a", 1)]));
    assert_eq!(gate.ask("/any", &token("a", 1, "")), "allow");
    assert!(gate.tokens.is_empty());
}

#[test]
fn a_token_is_verified_once_while_its_key_stays() {
    let (mut gate, one) = holding();
    let first = token("a", 1, "");
    let second = token_of("https://two.example/", "b", 2);
    let two = gate.wanted("/any", &second).unwrap().issuer;
    gate.give(two, &key_set(&[("b", 2)]));
    for token in [&first, &second] {
        assert_eq!(gate.cache_use("/any", token), CacheUse::Miss);
        assert_eq!(gate.cache_use("/any", token), CacheUse::Hit);
    }
    // The same key in a new set: the token is known still, and so is the other issuer's.
    gate.give(one, &key_set(&[("c", 3), ("a", 1)]));
    for token in [&first, &second] {
        assert_eq!(gate.cache_use("/any", token), CacheUse::Hit);
    }
    assert_eq!(gate.cache_use("/open", &first), CacheUse::Unused);
    // What has the characters of a token was looked for, whatever it is.
    for (credential, expected) in [
        ("", CacheUse::Unused),
        ("abc, Bearer abc", CacheUse::Unused),
        ("a b", CacheUse::Unused),
        ("abc", CacheUse::Miss),
    ] {
        assert_eq!(gate.cache_use("/any", credential), expected);
    }
    // Another key of the same name: the other issuer's token alone is known.
    gate.give(one, &key_set(&[("a", 3)]));
    assert_eq!(gate.ask("/any", &first), "signature_invalid");
    assert_eq!(gate.cache_use("/any", &second), CacheUse::Hit);
}
