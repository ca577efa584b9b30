//! A policy, its keys and its tokens, for tests beyond the corpus: two issuers, one of them with keys that a test chooses.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::corpus::mint;
use crate::corpus::policy::Place;
use crate::corpus::{KeySet, TokenSpec};
use crate::gate::Plan;
use crate::test_key::TestKey;

/// Two issuers, `auth0` and `partner`, and the routes `/timesheets` (any token), `/admin` (the scope `admin`) and `/healthz` (public).
pub const POLICY: &str = "\
version: 1
realm: timesheets
issuers:
  auth0:
    issuer: https://tenant.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: ${jwks:main}
    keys: { timeout: 2s }
  partner:
    issuer: https://partner.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: ${jwks:partner}
forward: { sub: x-auth-sub }
routes:
  - { path: /timesheets, authenticated: true }
  - { path: /admin, scopes: [admin] }
  - { path: /healthz, public: true }
";

/// The keys of `auth0` when nothing is wrong with them.
pub const GOOD_KEYS: &str = "{ keys: [{ key: p256, kid: e1 }] }";

/// Adds a listener of that name with [`POLICY`]: `main` is the key set of `auth0`, and it answers after `delay`.
///
/// # Errors
/// A key set that cannot be read.
pub fn listener(plan: &mut Plan<'_>, name: &str, main: &str, delay: Duration) -> Result<()> {
    let places = places(plan, name, main, delay)?;
    plan.listener(name, POLICY, &places)
}

/// The places of both key sets.
///
/// # Errors
/// A key set that cannot be read.
pub fn places(
    plan: &Plan<'_>,
    listener: &str,
    main: &str,
    delay: Duration,
) -> Result<BTreeMap<String, Place>> {
    let mut places = BTreeMap::new();
    for (name, set) in key_sets(main)? {
        let delay = match name.as_str() {
            "main" => delay,
            _ => Duration::ZERO,
        };
        let place = plan.key_set(listener, &name, &set, delay)?;
        places.insert(name, place);
    }
    Ok(places)
}

/// The key sets of both issuers: `main`, which is that of `auth0`, and `partner`.
///
/// # Errors
/// A key set that cannot be read.
pub fn key_sets(main: &str) -> Result<BTreeMap<String, KeySet>> {
    let sets = [
        ("main", main),
        ("partner", "{ keys: [{ key: p256-other, kid: e1 }] }"),
    ];
    sets.into_iter()
        .map(|(name, set)| Ok((name.to_owned(), serde_saphyr::from_str(set)?)))
        .collect()
}

/// A good token of `auth0` for that subject.
///
/// # Errors
/// The key is missing.
pub fn token(keys: &BTreeMap<String, TestKey>, subject: &str) -> Result<String> {
    made(keys, "p256", "https://tenant.example/", subject)
}

/// A good token of another issuer, signed with the key of `auth0`.
///
/// # Errors
/// The key is missing.
pub fn token_of(keys: &BTreeMap<String, TestKey>, issuer: &str) -> Result<String> {
    made(keys, "p256", issuer, "alice")
}

/// A good token of `partner`.
///
/// # Errors
/// The key is missing.
pub fn partner_token(keys: &BTreeMap<String, TestKey>) -> Result<String> {
    made(keys, "p256-other", "https://partner.example/", "bob")
}

/// A good token of `auth0`, signed with that key and algorithm; its `kid` is the key's name.
///
/// # Errors
/// The key is missing, or cannot sign so.
pub fn signed(keys: &BTreeMap<String, TestKey>, key: &str, algorithm: &str) -> Result<String> {
    let signer = format!("key: {key}, alg: {algorithm}, header: {{ kid: {key} }}");
    minted(keys, &signer, "https://tenant.example/", "alice")
}

/// A token of `auth0` for `alice`, made at that time, signed with that key under that `kid`.
///
/// # Errors
/// The key is missing.
pub fn token_at(
    keys: &BTreeMap<String, TestKey>,
    key: &str,
    kid: &str,
    now_ms: u64,
) -> Result<String> {
    let signer = format!("key: {key}, header: {{ kid: {kid} }}");
    minted_at(keys, &signer, "https://tenant.example/", "alice", now_ms)
}

fn made(
    keys: &BTreeMap<String, TestKey>,
    key: &str,
    issuer: &str,
    subject: &str,
) -> Result<String> {
    minted(
        keys,
        &format!("key: {key}, header: {{ kid: e1 }}"),
        issuer,
        subject,
    )
}

fn minted(
    keys: &BTreeMap<String, TestKey>,
    signer: &str,
    issuer: &str,
    subject: &str,
) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now_ms = u64::try_from(now.as_millis())?;
    minted_at(keys, signer, issuer, subject, now_ms)
}

fn minted_at(
    keys: &BTreeMap<String, TestKey>,
    signer: &str,
    issuer: &str,
    subject: &str,
    now_ms: u64,
) -> Result<String> {
    let spec = format!(
        "{{ {signer}, claims: {{ iss: '{issuer}', sub: \"{subject}\", aud: 'https://timesheets.example.com/api', exp: +300 }} }}"
    );
    let spec: TokenSpec = serde_saphyr::from_str(&spec).context("the token of a test")?;
    mint::token(&spec, keys, None, now_ms)
}
