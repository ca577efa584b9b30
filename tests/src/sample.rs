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
    let main: KeySet = serde_saphyr::from_str(main)?;
    let partner: KeySet = serde_saphyr::from_str("{ keys: [{ key: p256-other, kid: e1 }] }")?;
    let mut places = BTreeMap::new();
    places.insert(
        "main".to_owned(),
        plan.key_set(listener, "main", &main, delay)?,
    );
    places.insert(
        "partner".to_owned(),
        plan.key_set(listener, "partner", &partner, Duration::ZERO)?,
    );
    Ok(places)
}

/// A good token of `auth0` for that subject.
///
/// # Errors
/// The key is missing.
pub fn token(keys: &BTreeMap<String, TestKey>, subject: &str) -> Result<String> {
    made(keys, "p256", "https://tenant.example/", subject)
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
    let spec = format!(
        "{{ {signer}, claims: {{ iss: '{issuer}', sub: \"{subject}\", aud: 'https://timesheets.example.com/api', exp: +300 }} }}"
    );
    let spec: TokenSpec = serde_saphyr::from_str(&spec).context("the token of a test")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    mint::token(&spec, keys, None, u64::try_from(now.as_millis())?)
}
