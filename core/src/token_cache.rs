//! Tokens that were verified before: bounded in octets, and never outliving what made them valid.

mod key;
mod turned_away;

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
pub(crate) use key::TokenKey;
use key::{Hashed, HeldToken, Text};
use turned_away::{Arrival, TurnedAway};

/// What an entry costs besides the octets of its token, its claims, its headers and its `kid`. In wasm, of 32 bits: 152 in the list, 6 to 17 in
/// the table, which doubles as it grows, and 8 or so for what the allocator puts around each of six pieces and rounds up.
const ENTRY_OVERHEAD: usize = 256;

#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<(HeldToken, Held, [usize; 2])>() == 152);

/// Verified tokens, the least recently used of which make room for those that come again sooner.
///
/// Where there is room a token is kept at once. A full cache turns it away, and takes it in when it comes again, if that was sooner
/// than the least recently used one has been waited for by then. LIRS (Jiang and Zhang, 2002) compares the same two. What comes once
/// pushes out nothing.
///
/// Of 1,000 tokens of which the k-th comes with a probability that goes as 1/k, a cache for 100 knows 58 of 100, and of 130 in turn 76.
/// If it is full of tokens that never come again, it knows half of those in turn the third time, and 76 of 100 from the fourth on: tests
/// hold all that. The least recently used one alone would have it know 54 of 100 and none. In a simulation of 3,000 in turn, behind as many
/// others and with room for 2,250, a sketch of frequencies (TinyLFU) knew fewer after eight turns than this after four, and SIEVE, S3-FIFO
/// and `quick_cache` as it comes knew none.
///
/// The key is the whole token. Its SHA-256 would be as safe and smaller, but a lookup by it takes 4 times as long in
/// wasm under V8, and 16 times natively: `cargo run --release -p scopegate-core --example token_key` measures it. A hash
/// that is not cryptographic will do for the table: only tokens that an issuer signed are ever put into it, and
/// which of them share a slot depends on the host's seed.
pub struct TokenCache {
    entries: LruCache<HeldToken, Held, Hashed>,
    hasher: SeedableRandomState,
    turned_away: TurnedAway,
    latest: Arrival,
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

/// An entry, and when it was put there or found last.
struct Held {
    entry: Entry,
    found: Arrival,
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
            turned_away: TurnedAway::new(policy.token_cache_bytes),
            latest: Arrival::default(),
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
        let entry = self.look_up(token)?;
        if !keys.still_finds(&entry.by, now) {
            self.remove(&token);
            return None;
        }
        // What was found last is the most recently used: this looks nothing up again.
        self.entries.peek_mru().map(|(_, held)| &held.entry)
    }

    /// The entry of a token, which is now the one used last.
    fn look_up(&mut self, token: TokenKey<'_>) -> Option<&Entry> {
        let text: &dyn Text = &token;
        let held = self.entries.get_mut(text)?;
        held.found = self.latest;
        Some(&held.entry)
    }

    /// Keeps a verified token where there is room, or where others may be dropped for it.
    pub(crate) fn insert(&mut self, token: TokenKey<'_>, mut entry: Entry) {
        let cost = cost(token.text, &entry);
        if cost > self.limit {
            return;
        }
        self.remove(&token);
        self.latest = self.latest.next();
        if !self.make_room(cost, token) {
            return;
        }
        self.used = self.used.saturating_add(cost);
        entry.claims.shrink();
        let held = HeldToken {
            hash: token.hash,
            text: token.text.into(),
        };
        let found = self.latest;
        self.entries.put(held, Held { entry, found });
    }

    /// Drops the least recently used tokens until this one fits, and says whether it does: it has to be in more use than each of them.
    fn make_room(&mut self, cost: usize, token: TokenKey<'_>) -> bool {
        let has_room = |used: usize| used.saturating_add(cost) <= self.limit;
        if has_room(self.used) {
            return true;
        }
        let Some(turned_away) = self.turned_away.take(token.hash, self.latest) else {
            return false;
        };
        let came_after = self.latest.since(turned_away);
        while !has_room(self.used) {
            let oldest = self.entries.peek_lru();
            let unused = oldest.map_or(0, |(_, held)| self.latest.since(held.found));
            if !is_sooner(came_after, unused) {
                return false;
            }
            if let Some((token, held)) = self.entries.pop_lru() {
                self.used = self
                    .used
                    .saturating_sub(self::cost(&token.text, &held.entry));
            }
        }
        true
    }

    /// Drops a token, if it is held.
    fn remove(&mut self, token: &dyn Text) {
        if let Some(held) = self.entries.pop(token) {
            self.used = self.used.saturating_sub(cost(token.text(), &held.entry));
        }
    }

    /// Drops every token whose key is not worth keeping.
    pub(crate) fn retain(&mut self, keep: impl Fn(&SignedBy) -> bool) {
        let dropped: Vec<HeldToken> = self
            .entries
            .iter()
            .filter(|(_, held)| !keep(&held.entry.by))
            .map(|(token, _)| token.clone())
            .collect();
        for token in dropped {
            self.remove(&token);
        }
    }
}

/// Whether a token that came again after so many arrivals is in more use than one that has not come for so many. By a quarter at least: tokens that
/// come in turn, but for some that overtake others, would take places from each other for nothing.
fn is_sooner(came_after: u32, unused: u32) -> bool {
    came_after < unused.saturating_sub(unused / 4)
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
        (token, entry(number, claims))
    }

    fn entry(number: u8, claims: Verified<Claims>) -> Entry {
        let by = SignedBy {
            issuer: IssuerId(0),
            kid: Some("k".repeat(100).into()),
            algorithm: Algorithm::Ed25519,
            key: [number; 32],
        };
        let identity = IdentityValues::of(&[], &claims);
        Entry {
            by,
            claims,
            identity,
        }
    }

    /// A cache that is full to the last octet with that many tokens of one size.
    fn full_with(tokens: usize) -> (TokenCache, usize) {
        let (token, entry) = verified(1);
        let each = cost(token.as_bytes(), &entry);
        (cache_of(each * tokens), each)
    }

    fn cache_of(limit: usize) -> TokenCache {
        let policy = "{ version: 1, realm: t, routes: [{ path: /, public: true }] }";
        let mut policy = Policy::parse(policy).unwrap();
        policy.token_cache_bytes = limit;
        TokenCache::new(&policy, 7)
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
    fn a_token_that_is_kept_holds_no_more_than_it_is_accounted_with() {
        let (mut cache, _) = full_with(1);
        let (_, before) = verified(1);
        assert!(before.claims.capacity() > before.claims.size());
        insert(&mut cache, [1]);
        let (_, Held { entry, .. }) = cache.entries.peek_mru().unwrap();
        assert_eq!(entry.claims.capacity(), entry.claims.size());
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

    /// A cache for 100 tokens of the usual size.
    fn cache_for_100() -> TokenCache {
        let (_, entry) = verified(1);
        cache_of(100 * cost(text(0).as_bytes(), &entry))
    }

    /// What stands for a token: nothing but its text tells one from another here.
    fn text(number: u32) -> String {
        format!("{number:01000}")
    }

    /// How many in a hundred of these tokens the cache knows.
    fn known(cache: &mut TokenCache, tokens: impl IntoIterator<Item = u32>) -> usize {
        let (_, Entry { claims, .. }) = verified(1);
        let (mut asked, mut known) = (0, 0);
        for token in tokens {
            asked += 1;
            let text = text(token);
            let key = cache.key(text.as_bytes());
            match cache.look_up(key) {
                Some(_) => known += 1,
                None => cache.insert(key, entry(1, claims.clone())),
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
        // The least recently used one alone would make it 54.
        assert!(known(&mut cache_for_100(), zipf().take(3_000)) > 57);
        // Every other token never comes again, and the fifty between them come in turn.
        let mut cache = cache_for_100();
        let mixed = |place: u32| (place % 2 * (1_000 + place)).max(place % 100);
        known(&mut cache, (0..1_500).map(mixed));
        assert!(known(&mut cache, (1_500..2_500).map(mixed)) > 45);
    }

    #[test]
    fn of_tokens_in_turn_those_that_fit_stay_known() {
        let mut cache = cache_for_100();
        let mut rounds = |first: u32| [(); 5].map(|()| known(&mut cache, first..first + 130));
        let [first, others @ ..] = rounds(0);
        assert!(first == 0 && others.iter().all(|known| *known > 70));
        // Others, which find the cache full of tokens that never come again.
        for first in [1_000, 2_000] {
            let [_, _, third, others @ ..] = rounds(first);
            assert!(
                third > 40 && others.iter().all(|known| *known > 70),
                "{third} {others:?}"
            );
        }
    }

    #[test]
    fn a_token_has_to_come_again_sooner_by_a_quarter() {
        for (came_after, unused, expected) in [
            (0, 1, true),
            (1, 1, false),
            (2, 3, true),
            (3, 4, false),
            (2, 4, true),
            (74, 100, true),
            (75, 100, false),
            (u32::MAX, u32::MAX, false),
        ] {
            assert_eq!(
                is_sooner(came_after, unused),
                expected,
                "{came_after}, {unused}"
            );
        }
    }
}
