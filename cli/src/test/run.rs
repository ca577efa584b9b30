//! Runs a user's tests: mints their tokens, asks the core, and compares.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use scopegate_core::outline::{Issuer, KeySource, Routed};
use scopegate_core::{KeyCache, Policy, Timestamp};
use serde_json::{Map, Value, json};

use super::file::{Expected, TestCase, TestFile, TokenFile};
use crate::explain::{Asked, Explanation, Verdict, explain};
use crate::issuer::KeyPair;
use crate::streams::Streams;
use crate::{clock, document, keys};

/// Friday, 15 January 2027, 08:00:00 UTC: the same on every day.
const AT: Timestamp = Timestamp::from_secs(1_800_000_000);

/// How long a token lasts, in seconds, where nothing is said.
const LIFETIME: i64 = 3_600;

/// A token is at most 8 KiB; what is longer is refused by the gate in its own words.
const MAX_TOKEN_FILE_BYTES: usize = 64 * 1024;

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// What it shows.
    pub name: String,
    /// Everything that was not as expected, as sentences.
    pub differences: Vec<String>,
    /// What was decided, and why.
    pub explanation: Explanation,
    /// The place of the route that decided in the policy, if one did.
    pub route: Option<usize>,
}

/// Everything that the requests of a file are put to.
pub struct Bench<'p> {
    policy: &'p Policy,
    keys: KeyCache,
    tokens: BTreeMap<String, String>,
    now: Timestamp,
}

impl<'p> Bench<'p> {
    /// Keys and tokens of the file, which is in that folder.
    ///
    /// # Errors
    /// A key or a token that cannot be had.
    pub fn new(
        policy: &'p Policy,
        file: &TestFile,
        folder: &Path,
        streams: &mut Streams,
    ) -> anyhow::Result<Self> {
        let now = match &file.at {
            None => AT,
            Some(text) => clock::parse(text)?,
        };
        let mut cache = KeyCache::new(policy);
        let mut made = BTreeMap::new();
        for (id, issuer) in policy.issuer_ids().zip(policy.issuers()) {
            let set = match (file.jwks.get(&issuer.name), issuer.key_source()) {
                (_, KeySource::Inline { .. }) => continue,
                (Some(path), _) => document::octets(
                    &folder.join(path),
                    scopegate_core::MAX_KEY_SET_BYTES,
                    streams,
                )?,
                (None, _) => {
                    let pair = key_pair(issuer)?;
                    let set = json!({ "keys": [pair.public_jwk()?] });
                    made.insert(issuer.name.as_str(), pair);
                    set.to_string().into_bytes()
                }
            };
            keys::install(policy, &mut cache, id, set, now).map_err(|why| {
                anyhow::anyhow!(
                    "the keys of `{}` are no key set that a gate would take: {why}",
                    issuer.name
                )
            })?;
        }
        if let Some(unknown) = file
            .jwks
            .keys()
            .find(|name| !policy.issuer_names().any(|known| known == *name))
        {
            bail!("`jwks` names `{unknown}`, which is no issuer of the policy");
        }
        let mut tokens = BTreeMap::new();
        for (name, token) in &file.tokens {
            let text = match &token.file {
                Some(path) => {
                    let octets =
                        document::octets(&folder.join(path), MAX_TOKEN_FILE_BYTES, streams)?;
                    String::from_utf8(octets)
                        .with_context(|| format!("{path} holds no token"))?
                        .trim()
                        .to_owned()
                }
                None => {
                    mint(policy, token, &made, now).with_context(|| format!("token `{name}`"))?
                }
            };
            tokens.insert(name.clone(), text);
        }
        Ok(Self {
            policy,
            keys: cache,
            tokens,
            now,
        })
    }

    /// Runs one test.
    ///
    /// # Errors
    /// It cannot be run as it is written.
    pub fn run(&self, case: &TestCase) -> anyhow::Result<Tested> {
        let name = case.name.clone().unwrap_or_else(|| match &case.token {
            None => case.request.clone(),
            Some(token) => format!("{} as {token}", case.request),
        });
        let expected = case
            .expect
            .expected()
            .with_context(|| format!("test `{name}`"))?;
        let Some((method, path)) = case.request.split_once(' ') else {
            bail!(
                "test `{name}`: `{}` is no request; write `GET /path`",
                case.request
            );
        };
        let token = match &case.token {
            None => None,
            Some(token) => match self.tokens.get(token) {
                Some(text) => Some(text.clone()),
                None => bail!("test `{name}`: there is no token `{token}` under `tokens:`"),
            },
        };
        let headers = case.headers.iter();
        let headers: Vec<(String, String)> = headers
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect();
        if headers.iter().any(|(name, _)| name == "authorization") {
            bail!("test `{name}`: write the token under `tokens:`, and its name in `token:`");
        }
        let asked = Asked {
            method: method.to_owned(),
            path: path.trim_start().to_owned(),
            headers,
            token,
        };
        let explanation = explain(self.policy, &asked, &self.keys, self.now);
        let routed = self
            .policy
            .route_for(asked.method.as_bytes(), asked.path.as_bytes());
        Ok(Tested {
            name,
            route: match routed {
                Routed::Route(place, _) => Some(place),
                Routed::NoPath | Routed::NoMethod { .. } | Routed::Ambiguous { .. } => None,
            },
            differences: differences(&expected, &explanation),
            explanation,
        })
    }
}

/// The quickest key to make that the issuer's tokens may be signed with.
fn key_pair(issuer: &Issuer) -> anyhow::Result<KeyPair> {
    use scopegate_core::Algorithm::{Ed25519, Es256, Es384};
    let quick = [Ed25519, Es256, Es384].into_iter();
    let mut quick = quick.filter(|algorithm| issuer.algorithms.contains(algorithm));
    let algorithm = quick.next().or(issuer.algorithms.first().copied());
    KeyPair::generate(algorithm.unwrap_or(Ed25519))
}

fn mint(
    policy: &Policy,
    token: &TokenFile,
    made: &BTreeMap<&str, KeyPair>,
    now: Timestamp,
) -> anyhow::Result<String> {
    let issuer = match (&token.issuer, policy.issuers()) {
        (Some(name), issuers) => issuers
            .iter()
            .find(|issuer| issuer.name == *name)
            .with_context(|| format!("the policy has no issuer `{name}`"))?,
        (None, [only]) => only,
        (None, _) => bail!("the policy has several issuers: write `issuer:` with the name of one"),
    };
    let claims = claims(issuer, token, now);
    let pair = made.get(issuer.name.as_str()).with_context(|| {
        format!("the private keys of `{}` are not known, so that no token of its can be made: name one in a `file:`", issuer.name)
    })?;
    let signed = pair.sign(claims.clone())?;
    if !token.forged {
        return Ok(signed);
    }
    // All of it as it should be, the `kid` too, but for who has signed.
    let stranger = key_pair(issuer)?.sign(claims)?;
    let (input, signature) = (signed.rsplit_once('.'), stranger.rsplit_once('.'));
    let (Some((input, _)), Some((_, signature))) = (input, signature) else {
        bail!("a signed token has no signature");
    };
    Ok(format!("{input}.{signature}"))
}

fn claims(issuer: &Issuer, token: &TokenFile, now: Timestamp) -> Map<String, Value> {
    let now =
        i64::try_from(now.millis().checked_div(1_000).unwrap_or_default()).unwrap_or(i64::MAX);
    let expires = now.saturating_add(token.expires_in.unwrap_or(LIFETIME));
    // Before the keys were had, so that a `kid` that is not among them is unknown, and not perhaps a newer one.
    let issued = now.min(expires).saturating_sub(1);
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(issuer.issuer));
    claims.insert(
        issuer.audience_claim.clone(),
        json!(issuer.audiences.first()),
    );
    claims.insert("iat".into(), json!(issued));
    claims.insert("exp".into(), json!(expires));
    claims.extend(token.claims.clone());
    claims.retain(|_, value| !value.is_null());
    claims
}

fn differences(expected: &Expected, seen: &Explanation) -> Vec<String> {
    let Expected {
        allowed,
        status,
        reason,
        route,
        upstream,
    } = expected;
    let mut found = Vec::new();
    let mut compare = |what: &str, wanted: String, seen: String| {
        if wanted != seen {
            found.push(format!("{what}: expected {wanted}, saw {seen}"));
        }
    };
    let word = |is_allowed: bool| if is_allowed { "allowed" } else { "refused" }.to_owned();
    if let Some(allowed) = allowed {
        compare("decision", word(*allowed), word(seen.upstream.is_some()));
    }
    if let Some(status) = status {
        let answer = seen.client.as_ref();
        let seen = answer.map_or_else(
            || "none: it is allowed".into(),
            |answer| answer.status.to_string(),
        );
        compare("status", status.to_string(), seen);
    }
    if let Some(reason) = reason {
        let seen = match &seen.verdict {
            Verdict::Allowed => "none: it is allowed".to_owned(),
            Verdict::Shadowed(reason) | Verdict::Refused(reason) => reason.code().to_owned(),
            Verdict::NeedsKeys { .. } => "keys_unavailable".to_owned(),
        };
        compare("reason", reason.clone(), seen);
    }
    if let Some(route) = route {
        let seen = seen.route.clone();
        compare(
            "route",
            route.clone(),
            seen.unwrap_or_else(|| "none".into()),
        );
    }
    for (name, value) in upstream {
        let set = seen.upstream.iter().flat_map(|upstream| &upstream.set);
        let mut values = set.filter(|(set, _)| set.eq_ignore_ascii_case(name));
        let seen = values.next().map_or("absent", |(_, value)| value.as_str());
        compare(
            &format!("upstream's {name}"),
            value.clone(),
            seen.to_owned(),
        );
    }
    found
}
