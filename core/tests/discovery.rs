//! Keys that are found by the issuer's metadata: where is asked, in which order, and what a failure on the way changes.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::time::Duration;

use scopegate_core::{FetchFailure, FetchReport, KeyAnswer};
use support::{Gate, POLICY, key_set, token_until};

const OPENID: &str = "https://one.example/.well-known/openid-configuration";
const OAUTH: &str = "https://one.example/.well-known/oauth-authorization-server";
const KEYS: &str = "https://one.example/keys";
const HOUR: u64 = 3_600_000;

fn gate() -> Gate {
    Gate::with(&POLICY.replacen("    jwks_uri: https://one.example/jwks.json\n", "", 1))
}

/// A token of key 1 as `a` that lasts.
fn good() -> String {
    token_until(support::START + 1_000_000, "a", 1, "")
}

fn naming(url: &str) -> String {
    format!(r#"{{"issuer":"https://one.example/","jwks_uri":"{url}"}}"#)
}

/// What is fetched for a good token, and `""` when nothing is.
fn wanted(gate: &mut Gate) -> String {
    let wanted = gate.wanted("/any", &good());
    wanted.map_or(String::new(), |request| request.location.to_string())
}

fn give(gate: &mut Gate, body: &str) -> FetchReport {
    gate.give(gate.first(), body)
}

fn not_found(gate: &mut Gate) -> FetchReport {
    gate.answer(gate.first(), 404, None, "")
}

/// A gate that has read metadata, and after it key 1 as `a`.
fn holding() -> Gate {
    let mut gate = gate();
    give(&mut gate, &naming(KEYS));
    give(&mut gate, &key_set(&[("a", 1)]));
    gate
}

#[test]
fn metadata_says_where_the_keys_are() {
    let mut gate = gate();
    assert_eq!(wanted(&mut gate), OPENID);
    assert_eq!(give(&mut gate, &naming(KEYS)), FetchReport::Discovered);
    assert_eq!(wanted(&mut gate), KEYS);
    give(&mut gate, &key_set(&[("a", 1)]));
    assert_eq!(gate.ask("/any", &good()), "allow");
}

#[test]
fn a_key_set_is_no_metadata_and_metadata_no_key_set() {
    let mut gate = gate();
    let report = give(&mut gate, &key_set(&[("a", 1)]));
    assert_eq!(report.code(), "metadata");
    give(&mut gate, &naming(KEYS));
    assert_eq!(give(&mut gate, &naming(KEYS)).code(), "invalid");
    assert_eq!(gate.ask("/any", &good()), "keys_unavailable");
}

#[test]
fn the_other_place_is_asked_where_something_else_is_answered() {
    let elsewhere = naming("https://other.example/keys");
    let foreign = naming(KEYS).replace("https://one.example/\"", "https://two.example/\"");
    let too_much = " ".repeat(64 * 1024 + 1);
    for (shown, status, body, code) in [
        ("another status", 404, "", "status"),
        ("a redirect", 302, "", "redirect"),
        ("a page", 200, "<html></html>", "metadata"),
        ("another issuer's", 200, &foreign, "metadata"),
        ("keys at another host", 200, &elsewhere, "metadata"),
        ("too much", 200, &too_much, "too_large"),
    ] {
        let mut gate = gate();
        let report = gate.answer(gate.first(), status, None, body);
        assert_eq!(report.code(), code, "{shown}");
        assert_eq!(wanted(&mut gate), OAUTH, "{shown}");
        give(&mut gate, &naming(KEYS));
        assert_eq!(wanted(&mut gate), KEYS, "{shown}");
    }
}

#[test]
fn where_nobody_answers_no_other_place_is_asked() {
    for failure in [
        FetchFailure::Timeout,
        FetchFailure::Unreachable,
        FetchFailure::Truncated,
    ] {
        let mut gate = gate();
        gate.install(gate.first(), Err(failure));
        assert_eq!(gate.ask("/any", &good()), "keys_unavailable");
        assert_eq!(gate.due(), Vec::<String>::new());
    }
}

#[test]
fn a_round_has_at_most_three_urls_and_no_cool_down_within() {
    let mut gate = holding();
    gate.elapsed = HOUR + 1;
    for url in [OPENID, OAUTH, KEYS] {
        assert_eq!(wanted(&mut gate), url, "for a request");
        assert_eq!(gate.due(), [url], "behind the scenes");
        let first = gate.first();
        let next = gate.keys.request(first, gate.now()).unwrap();
        let has_begun = gate.keys.under_way(first, gate.now());
        assert_eq!(has_begun, (url != OPENID).then_some(next));
        not_found(&mut gate);
    }
    assert_eq!(gate.keys.under_way(gate.first(), gate.now()), None);
    assert_eq!(gate.ask("/any", &good()), "allow", "stale");
    assert_eq!(wanted(&mut gate), "");
    gate.wait(30);
    assert_eq!(wanted(&mut gate), OPENID);
}

#[test]
fn a_round_without_any_metadata_is_a_failure() {
    let mut gate = gate();
    not_found(&mut gate);
    assert!(!gate.keys.has_failed(gate.first()), "there is more to ask");
    not_found(&mut gate);
    assert!(gate.keys.has_failed(gate.first()));
    assert_eq!(gate.ask("/any", &good()), "keys_unavailable");
    gate.elapsed += 29_999;
    assert_eq!(gate.ask("/any", &good()), "keys_unavailable");
    gate.elapsed += 1;
    assert_eq!(wanted(&mut gate), OPENID);
}

#[test]
fn metadata_counts_for_an_hour() {
    for (elapsed, url) in [(601_000, KEYS), (HOUR, KEYS), (HOUR + 1, OPENID)] {
        let mut gate = holding();
        gate.elapsed = elapsed;
        assert_eq!(wanted(&mut gate), url, "{elapsed}");
    }
}

#[test]
fn what_metadata_said_counts_while_it_cannot_be_read() {
    let no_answer: fn(&mut Gate) = |gate| {
        gate.fail(gate.first());
    };
    let two_answers: fn(&mut Gate) = |gate| {
        not_found(gate);
        not_found(gate);
    };
    let second_hangs: fn(&mut Gate) = |gate| {
        not_found(gate);
        gate.fail(gate.first());
    };
    for fail in [no_answer, two_answers, second_hangs] {
        let mut gate = holding();
        gate.elapsed = HOUR + 1;
        fail(&mut gate);
        assert_eq!(wanted(&mut gate), KEYS);
        give(&mut gate, &key_set(&[("a", 1)]));
        assert_eq!(gate.ask("/any", &good()), "allow");
        gate.wait(601);
        assert_eq!(wanted(&mut gate), OPENID, "it is old all the same");
    }
}

#[test]
fn keys_that_went_away_from_there_put_what_metadata_said_in_doubt() {
    let mut gate = holding();
    gate.wait(601);
    not_found(&mut gate);
    assert_eq!(gate.ask("/any", &good()), "allow", "stale");
    gate.wait(30);
    assert_eq!(gate.due(), [OPENID]);
    give(&mut gate, &naming("https://one.example/new"));
    assert_eq!(gate.due(), ["https://one.example/new"]);
    give(&mut gate, &key_set(&[("a", 1)]));
    gate.wait(601);
    assert_eq!(wanted(&mut gate), "https://one.example/new", "no doubt");
}

#[test]
fn keys_at_hand_serve_while_a_round_goes_on() {
    let mut gate = holding();
    // In the last part of their age, and after the hour.
    gate.elapsed = HOUR - 1;
    give(&mut gate, &key_set(&[("a", 1)]));
    gate.wait(500);
    assert_eq!(gate.ask("/any", &good()), "allow");
    assert_eq!(wanted(&mut gate), OPENID, "behind it");
    give(&mut gate, &naming(KEYS));
    assert_eq!(gate.ask("/any", &good()), "allow");
    assert_eq!(wanted(&mut gate), KEYS, "behind it");
    let unknown = token_until(support::START + 1_000_000, "b", 2, "");
    assert_eq!(gate.ask("/any", &unknown), format!("fetch {KEYS}"));
}

#[test]
fn metadata_takes_half_of_the_time_at_most() {
    let mut gate = gate();
    let second = Duration::from_secs(1);
    let share = |gate: &mut Gate| gate.wanted("/any", &good()).unwrap().share_of(second);
    assert_eq!(share(&mut gate), second / 2);
    not_found(&mut gate);
    assert_eq!(share(&mut gate), second / 2);
    give(&mut gate, &naming(KEYS));
    assert_eq!(share(&mut gate), second);
}

#[test]
fn a_record_says_where_the_keys_are() {
    let left = holding();
    let record = left.record(left.first());
    let mut gate = gate();
    gate.wait(700);
    assert!(gate.restore(gate.first(), &record));
    assert_eq!(wanted(&mut gate), KEYS);
    gate.elapsed = HOUR;
    assert_eq!(wanted(&mut gate), KEYS);
    gate.elapsed = HOUR + 1;
    assert_eq!(wanted(&mut gate), OPENID, "an hour from the reading");
}

#[test]
fn a_record_of_a_failure_puts_it_in_doubt_here_too() {
    let mut left = holding();
    left.wait(601);
    not_found(&mut left);
    let record = left.record(left.first());
    let mut gate = holding();
    gate.wait(631);
    assert!(gate.restore(gate.first(), &record));
    assert_eq!(wanted(&mut gate), OPENID);
}

#[test]
fn a_record_names_no_other_host() {
    let left = holding();
    let record = String::from_utf8(left.record(left.first())).unwrap();
    assert!(record.contains(KEYS));
    for url in [
        "https://other.example/keys",
        "https://one.example:8443/keys",
        "http://one.example/keys",
        OPENID,
        "",
    ] {
        let planted = record.replace(KEYS, url);
        let mut gate = gate();
        assert!(!gate.restore(gate.first(), planted.as_bytes()), "{url}");
        assert_eq!(wanted(&mut gate), OPENID);
    }
}

#[test]
fn a_record_names_nothing_where_the_policy_does() {
    let mut named = Gate::with(&POLICY.replace("one.example/jwks.json", "one.example/keys"));
    let first = named.first();
    named.give(first, &key_set(&[("a", 1)]));
    let record = String::from_utf8(named.record(first)).unwrap();
    let name = format!(
        r#""named":{{"jwks_uri":"{KEYS}","read_ms":{}}}"#,
        support::START * 1000
    );
    let planted = record.replace(r#""named":null"#, &name);
    assert_ne!(planted, record);
    let policy = &POLICY.replace("one.example/jwks.json", "one.example/keys");
    assert!(!Gate::with(policy).restore(first, planted.as_bytes()));
    assert!(Gate::with(policy).restore(first, record.as_bytes()));
    assert!(
        !gate().restore(first, record.as_bytes()),
        "where it is discovered"
    );
}

#[test]
fn a_record_names_nothing_of_the_future() {
    let left = holding();
    let record = String::from_utf8(left.record(left.first())).unwrap();
    let read = |at: u64| record.replace("\"read_ms\":1800000000000", &format!("\"read_ms\":{at}"));
    let now = support::START * 1000;
    for (at, is_news) in [(now + 1_000, true), (now + 1_001, false)] {
        let mut gate = gate();
        let written = read(at);
        assert_eq!(
            gate.restore(gate.first(), written.as_bytes()),
            is_news,
            "{at}"
        );
    }
}

#[test]
fn a_record_from_the_middle_of_a_round_is_as_good_as_from_its_end() {
    let mut left = holding();
    left.elapsed = HOUR + 1;
    give(&mut left, &naming("https://one.example/new"));
    let record = left.record(left.first());
    let mut gate = gate();
    gate.elapsed = HOUR + 1;
    assert!(gate.restore(gate.first(), &record));
    assert_eq!(wanted(&mut gate), "https://one.example/new");
}

#[test]
fn a_round_of_another_instance_ends_ours() {
    let mut gate = gate();
    not_found(&mut gate);
    assert_eq!(wanted(&mut gate), OAUTH);
    let left = holding();
    assert!(gate.restore(gate.first(), &left.record(left.first())));
    assert_eq!(gate.keys.under_way(gate.first(), gate.now()), None);
    assert_eq!(gate.ask("/any", &good()), "allow");
}

#[test]
fn a_newer_name_takes_the_place_of_an_older_one() {
    let (mut early, mut late) = (gate(), gate());
    late.wait(10);
    for (gate, url) in [(&mut early, KEYS), (&mut late, "https://one.example/new")] {
        give(gate, &naming(url));
        give(gate, &key_set(&[("a", 1)]));
    }
    let record = late.record(late.first());
    early.wait(700);
    assert!(early.restore(early.first(), &record));
    assert_eq!(wanted(&mut early), "https://one.example/new");
    // A later failure of one that knows the older name only.
    let mut other = holding();
    other.wait(601);
    other.fail(other.first());
    let record = other.record(other.first());
    late.wait(700);
    assert!(late.restore(late.first(), &record));
    late.fail(late.first());
    assert_eq!(wanted(&mut late), "https://one.example/new");
}

#[test]
fn a_name_of_the_same_moment_changes_nothing() {
    let (mut mine, mut other) = (gate(), gate());
    for (gate, url) in [(&mut mine, KEYS), (&mut other, "https://one.example/new")] {
        give(gate, &naming(url));
        give(gate, &key_set(&[("a", 1)]));
    }
    other.wait(500);
    give(&mut other, &key_set(&[("a", 1)]));
    let record = other.record(other.first());
    mine.wait(500);
    assert!(mine.restore(mine.first(), &record));
    mine.wait(601);
    assert_eq!(wanted(&mut mine), KEYS);
}

#[test]
fn the_two_places_are_read_as_answers() {
    let mut gate = gate();
    let document = naming(KEYS).into_bytes();
    let answer = KeyAnswer::new(201, Vec::<(&str, &str)>::new(), document);
    let report = gate.install(gate.first(), Ok(answer));
    assert_eq!(report, FetchReport::Failed(FetchFailure::Status(201)));
}
