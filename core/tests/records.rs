//! Key sets that one instance leaves for another: as good as fetched, and no better.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use scopegate_core::IssuerId;
use support::{Gate, POLICY, key_set, token, token_of, token_until};

const URL: &str = "fetch https://one.example/jwks.json";
const LONG: u64 = support::START + 1_000_000;

fn one(gate: &mut Gate) -> IssuerId {
    gate.wanted("/any", &token("a", 1, "")).unwrap().issuer
}

/// What a gate leaves that fetched key 1 as `a` at [`support::START`].
fn left() -> (IssuerId, Vec<u8>) {
    let mut gate = Gate::new();
    let issuer = one(&mut gate);
    gate.answer(issuer, 200, Some("max-age=300"), &key_set(&[("a", 1)]));
    (issuer, gate.record(issuer))
}

/// A gate of that age, in seconds, that has nothing yet.
fn fresh(age: u64) -> Gate {
    let mut gate = Gate::new();
    gate.wait(age);
    gate
}

#[test]
fn restored_keys_serve_at_once_and_as_long_as_fetched_ones() {
    let (issuer, record) = left();
    let token = token_until(LONG, "a", 1, "");
    let mut gate = fresh(100);
    assert!(gate.restore(issuer, &record));
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.wait(200);
    assert_eq!(
        gate.ask("/any", &token),
        "allow",
        "the max-age that was sent"
    );
    gate.wait(1);
    assert_eq!(gate.ask("/any", &token), URL);
}

#[test]
fn restored_keys_are_not_younger_than_they_are() {
    let (issuer, record) = left();
    let mut gate = fresh(301);
    assert!(gate.restore(issuer, &record));
    assert_eq!(gate.ask("/any", &token_until(LONG, "a", 1, "")), URL);
}

#[test]
fn the_cool_down_of_another_instance_is_this_one_s() {
    let (issuer, record) = left();
    let unknown = token("b", 1, "");
    let mut gate = fresh(10);
    assert!(gate.restore(issuer, &record));
    assert_eq!(gate.ask("/any", &unknown), "kid_unknown");
    gate.wait(20);
    assert_eq!(gate.ask("/any", &unknown), URL);
}

#[test]
fn an_outage_that_another_instance_saw_is_survived_here_too() {
    let mut first = Gate::new();
    let issuer = one(&mut first);
    first.give(issuer, &key_set(&[("a", 1)]));
    first.wait(700);
    first.fail(issuer);
    let record = first.record(issuer);
    let token = token_until(LONG, "a", 1, "");
    let mut gate = fresh(710);
    assert!(gate.restore(issuer, &record));
    assert_eq!(gate.ask("/any", &token), "allow", "stale, but bounded");
    gate.wait(4_200 - 710);
    assert_eq!(gate.ask("/any", &token), "allow");
    gate.wait(1);
    assert_eq!(
        gate.ask("/any", &token),
        URL,
        "max_stale counts from the fetch"
    );
}

#[test]
fn what_this_instance_knows_already_is_no_news() {
    let (issuer, record) = left();
    let mut gate = fresh(0);
    assert!(gate.restore(issuer, &record));
    assert!(!gate.restore(issuer, &record), "the same");
    let mut gate = fresh(50);
    gate.give(issuer, &key_set(&[("c", 3)]));
    assert!(!gate.restore(issuer, &record), "older");
    assert_eq!(gate.ask("/any", &token("c", 3, "")), "allow");
}

#[test]
fn keys_that_another_instance_had_serve_where_a_fetch_has_failed() {
    let (issuer, record) = left();
    let mut gate = fresh(50);
    gate.fail(issuer);
    let token = token_until(LONG, "a", 1, "");
    assert_eq!(gate.ask("/any", &token), "keys_unavailable");
    assert!(gate.restore(issuer, &record));
    assert_eq!(gate.ask("/any", &token), "allow");
    // The failure is the later attempt: it counts, and goes on with the keys to the next one.
    let merged = gate.record(issuer);
    let mut next = fresh(60);
    assert!(next.restore(issuer, &merged));
    assert_eq!(next.ask("/any", &token), "allow");
    next.wait(300);
    assert_eq!(next.ask("/any", &token), "allow", "stale, after a failure");
}

#[test]
fn a_newer_failure_with_an_older_set_takes_no_keys_away() {
    let mut first = Gate::new();
    let issuer = one(&mut first);
    first.give(issuer, &key_set(&[("a", 1)]));
    first.wait(700);
    first.fail(issuer);
    let record = first.record(issuer);
    let mut gate = fresh(690);
    gate.give(issuer, &key_set(&[("c", 3)]));
    gate.wait(20);
    assert!(gate.restore(issuer, &record), "the failure is news");
    assert_eq!(gate.ask("/any", &token("c", 3, "")), "allow");
    assert_eq!(gate.ask("/any", &token("a", 1, "")), "keys_unavailable");
}

#[test]
fn a_failure_without_any_keys_is_everyone_s_cool_down() {
    let mut first = Gate::new();
    let issuer = one(&mut first);
    first.fail(issuer);
    let record = first.record(issuer);
    let token = token("a", 1, "");
    let mut gate = fresh(10);
    assert!(gate.restore(issuer, &record));
    assert_eq!(gate.ask("/any", &token), "keys_unavailable");
    let answer = gate.refusal("/any", &token);
    assert!(answer.headers.contains(&("retry-after", "20".into())));
    gate.wait(20);
    assert_eq!(gate.ask("/any", &token), URL);
}

#[test]
fn a_removed_key_goes_when_the_newer_set_is_restored() {
    let mut gate = Gate::new();
    let issuer = one(&mut gate);
    let (a, b) = (token("a", 1, ""), token("b", 2, ""));
    gate.give(issuer, &key_set(&[("a", 1)]));
    assert_eq!(gate.ask("/any", &a), "allow");
    let mut other = fresh(60);
    other.give(issuer, &key_set(&[("b", 2)]));
    let record = other.record(issuer);
    gate.wait(60);
    assert!(gate.restore(issuer, &record));
    assert_eq!(gate.tokens.len(), 0);
    assert_eq!(gate.ask("/any", &a), "kid_unknown", "cached before");
    assert_eq!(gate.ask("/any", &b), "allow");
}

#[test]
fn records_of_the_future_are_not_believed() {
    let mut ahead = fresh(3_600);
    let issuer = one(&mut ahead);
    ahead.give(issuer, &key_set(&[("a", 1)]));
    let record = ahead.record(issuer);
    let mut gate = fresh(0);
    assert!(!gate.restore(issuer, &record));
    assert_eq!(gate.ask("/any", &token("a", 1, "")), URL);
}

#[test]
fn a_record_of_another_issuer_or_url_is_none() {
    let (issuer, record) = left();
    let mut gate = fresh(0);
    let two = gate
        .wanted("/any", &token_of("https://two.example/", "a", 1))
        .unwrap()
        .issuer;
    assert_ne!(
        gate.keys.record_name(issuer, ""),
        gate.keys.record_name(two, "")
    );
    assert!(!gate.restore(two, &record));
    let mut moved = Gate::with(&POLICY.replace("one.example/jwks", "one.example/other"));
    assert_ne!(
        gate.keys.record_name(issuer, ""),
        moved.keys.record_name(issuer, "")
    );
    assert!(!moved.restore(issuer, &record));
}

#[test]
fn rubbish_changes_nothing() {
    let (issuer, record) = left();
    let text = String::from_utf8(record).unwrap();
    let token = token("a", 1, "");
    for (shown, rubbish) in [
        ("no key set", text.replace("\\\"keys\\\"", "\\\"cups\\\"")),
        ("no usable key", text.replace("Ed25519", "Ed25518")),
        ("half of it", text.chars().take(text.len() / 2).collect()),
        ("octets", "\0\u{1}\u{fffd}".to_owned()),
    ] {
        let mut gate = fresh(0);
        assert_ne!(rubbish, text, "{shown}");
        assert!(!gate.restore(issuer, rubbish.as_bytes()), "{shown}");
        assert_eq!(gate.ask("/any", &token), URL, "{shown}");
    }
    let mut gate = fresh(0);
    assert!(
        gate.restore(issuer, text.as_bytes()),
        "the rubbish was made of a good one"
    );
}

#[test]
fn where_nobody_has_asked_there_is_nothing_to_leave() {
    let mut gate = Gate::new();
    let issuer = one(&mut gate);
    assert_eq!(gate.keys.record(issuer), None);
}

#[test]
fn policies_that_read_an_empty_set_differently_share_no_record() {
    let refusing = POLICY.replacen("cooldown: 30s", "cooldown: 30s, on_empty: refuse", 1);
    let mut gate = Gate::new();
    let issuer = one(&mut gate);
    let refusing = Gate::with(&refusing);
    assert_ne!(
        gate.keys.record_name(issuer, ""),
        refusing.keys.record_name(issuer, "")
    );
}

#[test]
fn after_a_clock_was_set_back_what_others_learnt_since_counts() {
    let mut gate = fresh(7_200);
    let issuer = gate.first();
    gate.give(issuer, &key_set(&[("a", 1)]));
    gate.elapsed = 3_600_000;
    let mut other = fresh(3_600);
    other.give(issuer, &key_set(&[("b", 2)]));
    assert!(gate.restore(issuer, &other.record(issuer)));
    assert_eq!(gate.ask("/any", &token_until(LONG, "b", 2, "")), "allow");
    assert!(
        !gate.restore(issuer, &other.record(issuer)),
        "no news twice"
    );
}
