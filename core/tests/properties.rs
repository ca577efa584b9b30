//! What holds for every history of requests, fetches and time.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use proptest::prelude::*;
use scopegate_core::TokenCache;
use support::{Gate, key_set, token_until};

#[derive(Clone, Debug)]
enum Step {
    /// Seconds pass, or a clock is set back.
    Wait(i64),
    /// A request with the token of that key, which the host answers with that fetch.
    Ask { key: u8, fetch: Fetch },
}

#[derive(Clone, Debug)]
enum Fetch {
    Keys(Vec<u8>),
    Nothing,
    Status(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fetch = prop_oneof![
        proptest::collection::vec(1..4_u8, 0..3).prop_map(Fetch::Keys),
        Just(Fetch::Nothing),
        prop_oneof![Just(302), Just(500)].prop_map(Fetch::Status),
    ];
    let step = prop_oneof![
        prop_oneof![0..40_i64, 500..5_000_i64, -900..0_i64].prop_map(Step::Wait),
        (1..4_u8, fetch).prop_map(|(key, fetch)| Step::Ask { key, fetch }),
    ];
    proptest::collection::vec(step, 1..40)
}

fn kid(key: u8) -> String {
    format!("k{key}")
}

proptest! {
    /// One question, one fetch, one answer: the same URL is never asked for twice at one `now`. A key that
    /// the last good key set does not hold never lets a token through.
    #[test]
    fn one_fetch_at_a_time_and_no_removed_key(steps in steps()) {
        let mut gate = Gate::new();
        let mut held: Vec<u8> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(seconds) => {
                    gate.elapsed = gate.elapsed.saturating_add_signed(seconds * 1000);
                }
                Step::Ask { key, fetch } => {
                    let token = token_until(support::START + 1_000_000, &kid(key), key, "");
                    if let Some(wanted) = gate.wanted("/any", &token) {
                        match fetch {
                            Fetch::Keys(keys) => {
                                let names: Vec<_> = keys.iter().map(|key| kid(*key)).collect();
                                let set: Vec<_> = names.iter().map(String::as_str).zip(keys.iter().copied()).collect();
                                gate.give(wanted.issuer, &key_set(&set));
                                if !keys.is_empty() {
                                    held = keys;
                                }
                            }
                            Fetch::Nothing => {
                                gate.fail(wanted.issuer);
                            }
                            Fetch::Status(status) => {
                                gate.answer(wanted.issuer, status, None, &key_set(&[("k1", 1)]));
                            }
                        }
                    }
                    let answer = gate.ask("/any", &token);
                    prop_assert_eq!(gate.wanted("/any", &token), None, "asked twice");
                    if answer == "allow" {
                        prop_assert!(held.contains(&key), "key {key} is not in {held:?}");
                    }
                }
            }
        }
    }

    /// What the token cache lets through is let through without it, and the other way round.
    #[test]
    fn the_token_cache_changes_no_answer(
        waits in proptest::collection::vec((-60..200_i64, 0..4_u8, any::<bool>()), 1..30)
    ) {
        let without = support::POLICY.replace("realm: test", "realm: test\ntoken_cache: 0KiB");
        let mut cached = Gate::new();
        let mut plain = Gate::with(&without);
        for (seconds, key, present) in waits {
            for gate in [&mut cached, &mut plain] {
                gate.elapsed = gate.elapsed.saturating_add_signed(seconds * 1000);
            }
            // Key 0 stands for a token of key 1 that names no key: it needs one that fits alone.
            let named = match key {
                0 => String::new(),
                key => kid(key),
            };
            let token = token_until(support::START + 1_500, &named, key.max(1), "");
            let keys = match present {
                true => key_set(&[("k1", 1), ("k2", 2), ("k3", 3)]),
                false => key_set(&[("k1", 1)]),
            };
            let left = cached.ask_with("/any", &token, &keys);
            let right = plain.ask_with("/any", &token, &keys);
            prop_assert_eq!(left, right);
        }
    }

    /// Nothing is let through at its `exp` plus the skew or later, or before its `nbf` less the skew, from the cache or not.
    #[test]
    fn nothing_passes_out_of_its_time(
        begins in 0..400_u64,
        lasts in 0..2_000_u64,
        waits in proptest::collection::vec(-300_000..300_000_i64, 1..30),
    ) {
        const SKEW_MS: u64 = 10_000;
        let mut gate = Gate::new();
        let (begins, expires) = (support::START + begins, support::START + begins + lasts);
        let token = token_until(expires, "k1", 1, &format!(r#""nbf":{begins},"#));
        let keys = key_set(&[("k1", 1)]);
        for wait in waits {
            gate.elapsed = gate.elapsed.saturating_add_signed(wait);
            let now = gate.now().millis();
            let in_time = now + SKEW_MS >= begins * 1000 && now < expires * 1000 + SKEW_MS;
            let answer = gate.ask_with("/any", &token, &keys);
            prop_assert_eq!(answer == "allow", in_time, "{} at {}", answer, now);
        }
    }

    /// A cache that has seen other policies changes no answer: what one policy accepted is nothing to the next.
    #[test]
    fn a_changed_policy_begins_anew(
        asks in proptest::collection::vec((0..POLICIES.len(), 0..3_usize, 0..200_u64), 1..30)
    ) {
        let mut gates: Vec<Gate> = POLICIES
            .iter()
            .map(|(from, to)| Gate::with(&support::POLICY.replacen(from, to, 1)))
            .collect();
        let keys = key_set(&[("k1", 1), ("k2", 2)]);
        // The keys are there under each policy, also where nothing asks for them: they are not what keeps a token out.
        let issuer = Gate::new().wanted("/any", &token_until(support::START + 1, "k1", 1, "")).unwrap().issuer;
        for gate in &mut gates {
            gate.give(issuer, &keys);
        }
        let tokens = [
            token_until(support::START + 2_000, "k1", 1, r#""scope":"read","#),
            token_until(support::START + 2_000, "k2", 2, r#""client":"c","#),
            token_until(support::START + 2_000, "k1", 2, ""),
        ];
        // The one cache that goes from policy to policy.
        let mut shared = TokenCache::new(&gates[0].policy, 7);
        let mut elapsed = 0;
        for (policy, token, seconds) in asks {
            elapsed += seconds * 1000;
            let gate = &mut gates[policy];
            gate.elapsed = elapsed;
            for path in ["/any", "/read"] {
                let expected = gate.ask_with(path, &tokens[token], &keys);
                gate.tokens = TokenCache::new(&gate.policy, 7);
                let fresh = gate.ask(path, &tokens[token]);
                prop_assert_eq!(&fresh, &expected);
                std::mem::swap(&mut shared, &mut gate.tokens);
                let answer = gate.ask(path, &tokens[token]);
                std::mem::swap(&mut shared, &mut gate.tokens);
                prop_assert_eq!(answer, expected, "{} as {:?}", path, POLICIES[policy]);
            }
        }
    }
}

/// Policies of which each accepts something that another refuses: what stands in the first place of [`support::POLICY`], and what
/// takes its place.
const POLICIES: [(&str, &str); 7] = [
    ("", ""),
    ("audiences: [api]", "audiences: [other]"),
    (
        "issuer: https://one.example/",
        "issuer: https://three.example/",
    ),
    ("algorithms: [EdDSA]", "algorithms: [RS256]"),
    ("clock_skew: 10s", "audience_claim: client"),
    ("authenticated: true", "scopes: [write]"),
    ("clock_skew: 10s", "token_type: at+jwt"),
];
