//! Tokens that were verified before: bounded in octets, and never outliving what made them valid.

mod doorkeeper;
mod key;

use std::hash::BuildHasher;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use lru::LruCache;

use crate::claims::Claims;
use crate::identity::{IdentityValues, UnforwardableClaim};
use crate::keys::{KeyCache, SignedBy};
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::verify::Verified;
use doorkeeper::Doorkeeper;
pub(crate) use key::TokenKey;
use key::{Hashed, HeldToken, Text};

/// What an entry costs besides its token and its claims: the list and table slots of both libraries, rounded up.
const ENTRY_OVERHEAD: usize = 256;

/// Verified tokens, the least recently used of which make room for those that are verified a second time.
///
/// Where there is room a token is kept at once. A full cache keeps one that was turned away before, and not long ago: what comes
/// once pushes out nothing, and costs nothing but its verification.
///
/// The key is the whole token. Its SHA-256 would be as safe and smaller, but a lookup by it takes 4 times as long in
/// wasm under V8, and 16 times natively: `cargo run --release -p scopegate-core --example token_key` measures it. A hash
/// that is not cryptographic will do for the table: only tokens that an issuer signed are ever put into it, and
/// which of them share a slot depends on the host's seed.
pub struct TokenCache {
    entries: LruCache<HeldToken, Entry, Hashed>,
    hasher: SeedableRandomState,
    doorkeeper: Doorkeeper,
    policy: [u8; 32],
    limit: usize,
    used: usize,
}

/// A token that was verified, and by what.
pub(crate) struct Entry {
    pub(crate) by: SignedBy,
    pub(crate) claims: Verified<Claims>,
    /// The identity headers that it sets, or the claim that cannot be one.
    pub(crate) identity: Result<IdentityValues, UnforwardableClaim>,
}

/// Whether a request's token was found in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// No token was looked for.
    #[default]
    Unused,
    /// Verified before, and every reason to trust it still holds.
    Hit,
    /// Not there, or no longer to be trusted.
    Miss,
}

impl TokenCache {
    /// An empty cache for `policy`, within the octets that it allows.
    ///
    /// `seed` is a random number of the host's: without one a client could choose tokens that collide.
    pub fn new(policy: &Policy, seed: u64) -> Self {
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        Self {
            entries: LruCache::unbounded_with_hasher(Hashed),
            hasher,
            doorkeeper: Doorkeeper::new(policy.token_cache_bytes),
            policy: policy.fingerprint,
            limit: policy.token_cache_bytes,
            used: 0,
        }
    }

    /// The number of tokens held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no token is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The octets that the tokens held are accounted with; never more than the policy allows.
    pub fn used_bytes(&self) -> usize {
        self.used
    }

    /// A token as it is looked for.
    pub(crate) fn key<'t>(&self, token: &'t [u8]) -> TokenKey<'t> {
        TokenKey {
            hash: self.hasher.hash_one(token),
            text: token,
        }
    }

    /// The entry of a token whose key would still be found for it, under the policy that accepted it.
    ///
    /// One that is not is dropped. Time, audience and scopes are the caller's to check, on every hit.
    pub(crate) fn find(
        &mut self,
        token: TokenKey<'_>,
        policy: &Policy,
        keys: &KeyCache,
        now: Timestamp,
    ) -> Option<&Entry> {
        if self.policy != policy.fingerprint {
            self.retain(|_| false);
            self.policy = policy.fingerprint;
        }
        let held: &dyn Text = &token;
        let entry = self.entries.get(held)?;
        if !keys.still_finds(&entry.by, now) {
            self.remove(&token);
            return None;
        }
        // What was found last is the most recently used: this looks nothing up again.
        self.entries.peek_mru().map(|(_, entry)| entry)
    }

    /// Keeps a verified token where there is room, or where it was turned away before; then the least recently used ones
    /// that no longer fit are dropped.
    pub(crate) fn insert(&mut self, token: TokenKey<'_>, entry: Entry) {
        let cost = cost(token.text, &entry);
        if cost > self.limit {
            return;
        }
        self.remove(&token);
        let is_full = self.used.saturating_add(cost) > self.limit;
        if is_full && !self.doorkeeper.knows(token.hash) {
            return;
        }
        while self.used.saturating_add(cost) > self.limit {
            let Some((token, entry)) = self.entries.pop_lru() else {
                break;
            };
            self.used = self.used.saturating_sub(self::cost(&token.text, &entry));
        }
        self.used = self.used.saturating_add(cost);
        let held = HeldToken {
            hash: token.hash,
            text: token.text.into(),
        };
        self.entries.put(held, entry);
    }

    /// Drops a token, if it is held.
    fn remove(&mut self, token: &dyn Text) {
        if let Some(entry) = self.entries.pop(token) {
            self.used = self.used.saturating_sub(cost(token.text(), &entry));
        }
    }

    /// Drops every token whose key is not worth keeping.
    pub(crate) fn retain(&mut self, keep: impl Fn(&SignedBy) -> bool) {
        let dropped: Vec<HeldToken> = self
            .entries
            .iter()
            .filter(|(_, entry)| !keep(&entry.by))
            .map(|(token, _)| token.clone())
            .collect();
        for token in dropped {
            self.remove(&token);
        }
    }
}

fn cost(token: &[u8], entry: &Entry) -> usize {
    let identity = entry.identity.as_ref().map_or(0, IdentityValues::size);
    ENTRY_OVERHEAD
        .saturating_add(token.len())
        .saturating_add(identity)
        .saturating_add(entry.by.kid.as_ref().map_or(0, |kid| kid.len()))
        .saturating_add(entry.claims.size())
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::IssuerId;
    use crate::token::UnverifiedToken;
    use crate::verify::testing::{jwk, mint, public_key};
    use crate::verify::{Algorithm, Portable, verify};

    fn verified(number: u8) -> (String, Entry) {
        let claims =
            json!({"iss": "https://issuer.example/", "exp": 1_000, "sub": format!("s{number}")});
        let token = mint(Algorithm::Ed25519, json!({}), &claims);
        let key = public_key(&jwk(Algorithm::Ed25519));
        let claims = verify(&Portable, &key, UnverifiedToken::parse(&token).unwrap()).unwrap();
        let by = SignedBy {
            issuer: IssuerId(0),
            kid: Some("k".repeat(100).into()),
            algorithm: Algorithm::Ed25519,
            key: [number; 32],
        };
        let identity = IdentityValues::of(&[], &claims);
        let entry = Entry {
            by,
            claims,
            identity,
        };
        (token, entry)
    }

    /// A cache that is full to the last octet with that many tokens of one size.
    fn full_with(tokens: usize) -> (TokenCache, usize) {
        let policy = Policy::parse("{ version: 1, realm: t, routes: [{ path: /, public: true }] }");
        let mut cache = TokenCache::new(&policy.unwrap(), 7);
        let (token, entry) = verified(1);
        let each = cost(token.as_bytes(), &entry);
        cache.limit = each * tokens;
        (cache, each)
    }

    fn insert(cache: &mut TokenCache, numbers: impl IntoIterator<Item = u8>) {
        for number in numbers {
            let (token, entry) = verified(number);
            let key = cache.key(token.as_bytes());
            cache.insert(key, entry);
        }
    }

    fn holds(cache: &TokenCache, number: u8) -> bool {
        let (token, _) = verified(number);
        let key: &dyn Text = &cache.key(token.as_bytes());
        cache.entries.contains(key)
    }

    #[test]
    fn a_token_costs_more_than_its_text() {
        let (token, entry) = verified(1);
        let least = token.len() + entry.claims.size() + 100;
        assert!(cost(token.as_bytes(), &entry) > least);
    }

    #[test]
    fn a_limit_is_filled_to_the_last_octet_and_not_beyond() {
        let (mut cache, each) = full_with(3);
        assert!(cache.is_empty());
        insert(&mut cache, 1..=3);
        assert_eq!((cache.len(), cache.used_bytes()), (3, 3 * each));
        assert!(!cache.is_empty());
        // The first time nothing makes room for it; then the least recently used one does, and only that one.
        insert(&mut cache, [4]);
        assert!(!holds(&cache, 4));
        insert(&mut cache, [4]);
        assert_eq!((cache.len(), cache.used_bytes()), (3, 3 * each));
        assert!(!holds(&cache, 1));
        assert!(holds(&cache, 2));
        // The same again takes no place twice.
        insert(&mut cache, [4, 4]);
        assert_eq!((cache.len(), cache.used_bytes()), (3, 3 * each));
        cache.retain(|by| by.key == [3; 32]);
        assert_eq!((cache.len(), cache.used_bytes()), (1, each));
    }

    #[test]
    fn a_token_as_large_as_the_limit_is_kept_and_a_larger_one_is_not() {
        let (mut cache, each) = full_with(1);
        insert(&mut cache, [1]);
        assert_eq!(cache.used_bytes(), each);
        cache.limit = each - 1;
        cache.retain(|_| false);
        insert(&mut cache, [1]);
        assert!(cache.is_empty());
    }

    /// How many in a hundred of these tokens a cache for 100 of them knows.
    fn known(tokens: impl IntoIterator<Item = u32>) -> usize {
        let (mut cache, each) = full_with(100);
        cache.doorkeeper = Doorkeeper::new(100 * each);
        let (mut asked, mut known) = (0, 0);
        for token in tokens {
            asked += 1;
            let (text, entry) = verified(1);
            let (_, payload) = text.split_at(8);
            let text = format!("{token:08}{payload}");
            let key = cache.key(text.as_bytes());
            let held: &dyn Text = &key;
            if cache.entries.get(held).is_some() {
                known += 1;
            } else {
                cache.insert(key, entry);
            }
        }
        100 * known / asked
    }

    /// Numbers below 1,000, of which `k` comes with a probability that goes as 1/k: the logarithm is uniform.
    fn zipf() -> impl Iterator<Item = u32> {
        let mut state = 1_u32;
        std::iter::from_fn(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let uniform = f64::from(state) / f64::from(u32::MAX);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(1_000_f64.powf(uniform) as u32)
        })
    }

    #[test]
    fn what_comes_once_pushes_out_nothing() {
        // The least recently used one alone would make it 54, and none of those in turn.
        let (popular, in_turn) = (zipf().take(3_000), (0..1_500).map(|token| token % 300));
        assert!(known(popular) > 57);
        assert!(known(in_turn) > 24);
    }
}
