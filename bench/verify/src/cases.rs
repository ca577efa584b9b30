//! What is verified: for each algorithm a token as issuers make them, signed with one of the project's keys for tests.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bench_verify_guest::Case;
use e2e::corpus::{TokenSpec, mint};
use e2e::test_key::{self, TestKey};

/// The names of all cases.
pub(crate) const NAMES: [&str; 7] = [
    "RS256",
    "RS256-3072",
    "RS256-4096",
    "PS256",
    "ES256",
    "ES384",
    "EdDSA",
];

/// A case, and who else verifies it.
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) case: Case,
    /// The libraries that are measured natively and in WebAssembly.
    pub(crate) libraries: &'static [&'static str],
}

/// Makes the cases of these names.
pub(crate) fn make(names: &[&'static str]) -> Result<Vec<Named>> {
    let mut keys = test_key::load()?;
    // They only serve to measure, and the tests need none so large.
    for (name, text) in [
        ("rsa-3072", include_str!("../keys/rsa-3072.json")),
        ("rsa-4096", include_str!("../keys/rsa-4096.json")),
    ] {
        keys.insert(name.to_owned(), TestKey::parse(text.as_bytes())?);
    }
    names.iter().map(|name| one(name, &keys)).collect()
}

fn one(name: &'static str, keys: &BTreeMap<String, TestKey>) -> Result<Named> {
    let (algorithm, key, libraries): (_, _, &[_]) = match name {
        "RS256-3072" => ("RS256", "rsa-3072", &["rsa"]),
        "RS256-4096" => ("RS256", "rsa-4096", &["rsa"]),
        "RS256" | "PS256" => (name, "rsa", &["rsa"]),
        "ES256" => (name, "p256", &["p256"]),
        "ES384" => (name, "p384", &["p384"]),
        _ => (name, "ed25519", &["ed25519-dalek", "ed25519-compact"]),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now_ms = u64::try_from(now)?;
    // Its issuer and audience are those of the policy with which the core is asked.
    let spec = format!(
        "{{ key: {key}, alg: {algorithm}, header: {{ kid: {key} }}, claims: {{ iss: 'https://vectors.example/', \
         sub: 'auth0|507f1f77bcf86cd799439011', aud: [vectors, 'https://vectors.example/userinfo'], iat: -60, exp: +604800, \
         azp: my_client_id, scope: 'openid profile email read:timesheets create:timesheets' }} }}"
    );
    let spec: TokenSpec = serde_saphyr::from_str(&spec).context("a token")?;
    Ok(Named {
        name,
        case: Case {
            algorithm: algorithm.to_owned(),
            key: {
                let mut jwk = keys.get(key).context("a key that signs")?.public_jwk();
                jwk.insert("kid".to_owned(), key.into());
                jwk
            },
            token: mint::token(&spec, keys, None, now_ms)?,
            now_ms,
        },
        libraries,
    })
}

#[cfg(test)]
mod tests {
    use bench_verify_guest::{Order, prepare};

    use super::*;

    #[test]
    fn every_case_is_verified_in_every_way_and_refused_when_forged() {
        for named in make(&NAMES).unwrap() {
            for way in ["portable", "first"].iter().chain(named.libraries) {
                let case = named.case.clone();
                let way = (*way).to_owned();
                let what = format!("{} by {way}", named.name);
                // Preparing tries the token, and a forged one.
                let prepared = prepare(&Order { way, case });
                let prepared = prepared.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(prepared.run(3), 3, "{what}");
            }
        }
    }

    #[test]
    fn what_is_forged_already_is_no_case() {
        let mut named = make(&["ES256"]).unwrap().remove(0);
        named.case.token = named.case.token.replacen("ey", "ez", 1);
        for way in ["portable", "first", "p256", "rsa"] {
            let case = named.case.clone();
            let way = way.to_owned();
            assert!(prepare(&Order { way, case }).is_err());
        }
    }
}
