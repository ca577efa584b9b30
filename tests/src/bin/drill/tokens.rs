//! The tokens of the drill, made before they are sent, and the key sets that go with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use e2e::corpus::key_set::KeyEntry;
use e2e::corpus::{KeyAnswer, TokenSpec, key_set, mint};
use e2e::test_key::{self, TestKey};

use crate::record::Kid;
use crate::verdict::{Brought, Issuer};

/// The tenant's keys in turn: one of each kind, so that signatures are verified by Envoy and by the filter itself.
const TENANT: [&str; 3] = ["p256", "ed25519", "rsa"];
const PARTNER: &str = "p256-other";

/// A token and what is right or wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) brought: Brought,
    pub(crate) text: String,
}

/// Tokens of one kind. Never empty.
pub(crate) type Stock = Arc<Vec<Token>>;

/// Makes them.
pub(crate) struct Mint {
    keys: BTreeMap<String, TestKey>,
}

impl Mint {
    /// With the test keys.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn open() -> Result<Self> {
        Ok(Self {
            keys: test_key::load()?,
        })
    }

    /// That many good tokens, all for different people.
    ///
    /// # Errors
    /// The time is out of range.
    pub(crate) fn sound(&self, issuer: Issuer, kid: Kid, count: usize) -> Result<Stock> {
        let key = material(issuer, kid);
        self.stock(count, Brought::Sound(issuer, kid), |number| {
            spec(issuer, &kid_text(kid), key, number, "[]")
        })
    }

    /// Tokens that name the tenant's key, with a signature that was changed, or made with the key that the partner has under the
    /// same `kid`.
    ///
    /// # Errors
    /// The time is out of range.
    pub(crate) fn forged(&self, kid: Kid, count: usize) -> Result<Stock> {
        self.stock(count, Brought::Forged(kid), |number| {
            let (key, tamper) = match number % 2 {
                0 => (material(Issuer::Tenant, kid), "[flip-signature-bit]"),
                _ => (PARTNER, "[]"),
            };
            spec(Issuer::Tenant, &kid_text(kid), key, number, tamper)
        })
    }

    /// Well-signed tokens with a `kid` that nobody ever published, each another one.
    ///
    /// # Errors
    /// The time is out of range.
    pub(crate) fn strangers(&self, count: usize) -> Result<Stock> {
        self.stock(count, Brought::Stranger, |number| {
            let kid = format!("stranger-{number}");
            spec(Issuer::Tenant, &kid, TENANT[0], number, "[]")
        })
    }

    /// The key set of an issuer with these keys.
    ///
    /// # Errors
    /// There is no such test key.
    pub(crate) fn key_set(&self, issuer: Issuer, kids: &BTreeSet<Kid>) -> Result<Vec<u8>> {
        let entries = kids.iter().map(|kid| KeyEntry {
            key: Some(material(issuer, *kid).to_owned()),
            members: [("kid".to_owned(), kid_text(*kid).into())]
                .into_iter()
                .collect(),
        });
        let set = KeyAnswer {
            keys: Some(entries.collect()),
            ..KeyAnswer::default()
        };
        key_set::body(&set, &self.keys)
    }

    fn stock(
        &self,
        count: usize,
        brought: Brought,
        spec: impl Fn(usize) -> String,
    ) -> Result<Stock> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let now_ms = u64::try_from(now.as_millis())?;
        let tokens = (0..count).map(|number| {
            let spec: TokenSpec =
                serde_saphyr::from_str(&spec(number)).context("a token of the drill")?;
            Ok(Token {
                brought,
                text: mint::token(&spec, &self.keys, None, now_ms)?,
            })
        });
        tokens.collect::<Result<Vec<_>>>().map(Arc::new)
    }
}

fn material(issuer: Issuer, kid: Kid) -> &'static str {
    match issuer {
        // The remainder is below the length, whatever the width.
        Issuer::Tenant => TENANT[kid as usize % TENANT.len()],
        Issuer::Partner => PARTNER,
    }
}

fn kid_text(kid: Kid) -> String {
    format!("key-{kid}")
}

fn spec(issuer: Issuer, kid: &str, key: &str, number: usize, tamper: &str) -> String {
    let issuer = match issuer {
        Issuer::Tenant => "https://tenant.example/",
        Issuer::Partner => "https://partner.example/",
    };
    // A day: no soak is longer.
    format!(
        "{{ key: {key}, header: {{ kid: {kid} }}, tamper: {tamper}, \
         claims: {{ iss: '{issuer}', sub: user-{number}, aud: 'https://timesheets.example.com/api', iat: 0, exp: 86400 }} }}"
    )
}
