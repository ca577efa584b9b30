//! What holds for every history of requests, fetches and time.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use proptest::prelude::*;
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
}
