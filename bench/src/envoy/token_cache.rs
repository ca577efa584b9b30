//! How large the gate's token cache has to be to hold as many tokens as Envoy's own: ours is bounded in octets, Envoy's in tokens.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use scopegate_core::{
    Decision, FetchFailure, KeyAnswer, KeyCache, Policy, Portable, Request, Timestamp, TokenCache,
    decide,
};

use crate::envoy::policy;
use crate::envoy::workload::Load;
use crate::issuer::{Algorithm, Issuer};

/// What a policy may allow at most, in KiB; enough for every token here.
const LARGEST: u64 = 64 * 1024;

/// For each algorithm the size of both caches: its signatures have a length of their own.
#[derive(Clone, Debug)]
pub(crate) struct CacheSizes(BTreeMap<Algorithm, CacheSize>);

impl CacheSizes {
    /// The sizes for about so many tokens.
    pub(crate) fn for_tokens(
        wanted: u64,
        issuer: &Issuer,
        algorithms: &[Algorithm],
    ) -> Result<Self> {
        let sizes = algorithms.iter().map(|algorithm| {
            let samples = issuer.distinct(*algorithm, 8)?;
            let size = CacheSize::for_tokens(wanted, issuer, &samples)?;
            Ok((*algorithm, size))
        });
        Ok(Self(sizes.collect::<Result<_>>()?))
    }

    /// The size for the tokens of that load.
    pub(crate) fn of(&self, load: Load) -> Result<CacheSize> {
        let size = self.0.get(&load.algorithm());
        size.copied().context("tokens that were never measured")
    }
}

/// A size of both caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CacheSize {
    /// Of the gate's.
    pub(crate) kibibytes: u64,
    /// Of Envoy's; and how many tokens of this benchmark the gate's holds.
    pub(crate) tokens: u64,
}

impl CacheSize {
    /// The size for about so many tokens, each of which the gate accounts with as many octets as these.
    pub(crate) fn for_tokens(wanted: u64, issuer: &Issuer, tokens: &[String]) -> Result<Self> {
        let each = most_octets(issuer, tokens)?;
        let kibibytes = (wanted * each).div_ceil(1024);
        Ok(Self {
            kibibytes,
            tokens: kibibytes * 1024 / each,
        })
    }
}

/// What one of these tokens takes in the cache at most. The core itself says, outside of Envoy.
fn most_octets(issuer: &Issuer, tokens: &[String]) -> Result<u64> {
    let text = policy::few_routes(issuer, LARGEST);
    let policy = Policy::parse(&text).map_err(|invalid| anyhow!("{invalid}"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = Timestamp::from_millis(u64::try_from(now)?);
    let mut keys = KeyCache::new(&policy);
    let mut cache = TokenCache::new(&policy, 0);
    let mut most = 0;
    for token in tokens {
        let authorization = format!("Bearer {token}");
        let fields = [("authorization", authorization.as_str())];
        let request = Request::new(b"GET", Some(b"/timesheets".as_slice()), fields);
        let before = cache.used_bytes();
        let wanted = match decide(&policy, &request, &keys, &mut cache, &Portable, now) {
            Decision::NeedKeys(needed) => Some(needed.keys.clone()),
            _ => None,
        };
        if let Some(wanted) = wanted {
            let answer = fetched(issuer)?;
            keys.install(&mut cache, &wanted, Ok::<_, FetchFailure>(answer), now);
            drop(decide(&policy, &request, &keys, &mut cache, &Portable, now));
        }
        most = most.max(cache.used_bytes().saturating_sub(before));
    }
    if cache.len() != tokens.len() {
        bail!("the core did not keep every token that it was shown");
    }
    Ok(u64::try_from(most)?)
}

fn fetched(issuer: &Issuer) -> Result<KeyAnswer> {
    let path = issuer.jwks_uri();
    let path = path.splitn(4, '/').nth(3).context("a URL without a path")?;
    let answer = e2e::http1::fetch(issuer.address(), &format!("/{path}"))?;
    Ok(KeyAnswer::of_file(answer.body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_tokens_fit() {
        let issuer = Issuer::start(&[Algorithm::EdDsa]).unwrap();
        let tokens = issuer.distinct(Algorithm::EdDsa, 3).unwrap();
        let size = CacheSize::for_tokens(1000, &issuer, &tokens).unwrap();
        assert!((1000..1010).contains(&size.tokens), "{size:?}");
        // More than the text of each, and less than twice what was measured when this was written.
        assert!((500..5000).contains(&size.kibibytes), "{size:?}");
    }
}
