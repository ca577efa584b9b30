//! Whatever a key server answers: a set that is no good leaves the old key at work, and a good one puts its own in place.
//!
//! The first line of an input is the status and perhaps a `Cache-Control`, the rest is the content.

use scopegate_core::{FetchFailure, FetchReport, KeyAnswer, MAX_KEY_SET_BYTES};
use serde_json::Value;

use crate::gate::{Asked, Gate, TO_READ, Verdict};
use crate::issuer::{self, MAIN, Signer};

/// The most keys of a set (ARCHITECTURE.md, "Budgets").
const MAX_KEYS: usize = 50;

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let mut lines = input.splitn(2, |octet| *octet == b'\n');
    let (Some(first), Some(body)) = (lines.next(), lines.next()) else {
        return;
    };
    let Ok(first) = str::from_utf8(first) else {
        return;
    };
    let (status, cache_control) = match first.split_once(' ') {
        Some((status, cache_control)) => (status, Some(cache_control)),
        None => (first, None),
    };
    let Ok(status) = status.parse() else {
        return;
    };
    let answer = |body: &[u8]| {
        let fields = cache_control.map(|value| ("cache-control", value));
        Ok(KeyAnswer::new(status, fields, body.to_vec()))
    };

    // The token is verified, and so in the token cache, before the answer comes.
    let read = issuer::named("read").expect("a known token");
    let asked = Asked::with_token(TO_READ, read.token.as_bytes());
    let mut gate = Gate::ready();
    assert!(
        matches!(gate.ask(&asked), Verdict::Allow(_)),
        "before any answer"
    );
    let report = gate.install(MAIN, answer(body));
    let after = gate.ask(&asked);
    assert!(FetchReport::CODES.contains(&report.code()));
    match report {
        FetchReport::Discovered => panic!("the policy says where the keys are"),
        FetchReport::Failed(_) => {
            assert!(
                matches!(after, Verdict::Allow(_)),
                "{report}: the old key is gone, {after:?}"
            );
        }
        FetchReport::Installed { keys, .. } => {
            assert_eq!(status, 200);
            check_installed(body, keys, &after);
            let mut full = body.to_vec();
            full.resize(MAX_KEY_SET_BYTES, b' ');
            check_budget(&mut gate, answer(&full), report);
            full.push(b' ');
            let too_large = FetchReport::Failed(FetchFailure::TooLarge);
            check_budget(&mut gate, answer(&full), too_large);
        }
    }
    assert_eq!(
        gate.install(MAIN, answer(body)),
        report,
        "the same answer is read in two ways"
    );
    // Keys that were asked for at this moment are not asked for again at this moment, whoever asks.
    for token in ["read", "forged", "crossed"] {
        let known = issuer::named(token).expect("a known token");
        let verdict = gate.ask(&Asked::with_token(TO_READ, known.token.as_bytes()));
        assert!(
            !matches!(verdict, Verdict::NeedKeys(_)),
            "{token}: asked twice at one moment"
        );
    }
}

/// A key set has keys, and the old token passes only if its key is among them.
fn check_installed(body: &[u8], keys: usize, after: &Verdict) {
    let set: Value = serde_json::from_slice(body).expect("JSON");
    let members = set["keys"].as_array().expect("an array of keys");
    assert!(
        (1..=MAX_KEYS.min(members.len())).contains(&keys),
        "{keys} keys"
    );
    if let Verdict::Allow(_) = after {
        let x = issuer::x(Signer::Main);
        let named = |member: &&Value| member["x"] == x.as_str() && member["kid"] == "k1";
        let member = members
            .iter()
            .find(named)
            .expect("a token passes whose key is gone");
        assert_eq!(
            (&member["kty"], &member["crv"]),
            (&"OKP".into(), &"Ed25519".into())
        );
        assert!(
            member.get("alg").is_none_or(|alg| alg == "EdDSA"),
            "{}",
            member["alg"]
        );
    }
}

/// White space fills a good set up to its budget, and not beyond.
fn check_budget(gate: &mut Gate, answer: Result<KeyAnswer, FetchFailure>, expected: FetchReport) {
    assert_eq!(gate.install(MAIN, answer), expected, "a set at its budget");
}
