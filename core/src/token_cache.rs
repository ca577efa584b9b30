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
use crate::octets::are_same;
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::token::KnownHeaders;
use crate::verify::Verified;
pub(crate) use key::TokenKey;
use key::{Hashed, HeldToken, Text};
use turned_away::{Arrival, TurnedAway};

/// What an entry costs besides the octets of its token, its claims, its headers and its `kid`. In wasm, of 32 bits: 160 in the list, 6 to 17 in
/// the table, which doubles as it grows, and 8 or so for what the allocator puts around each of six pieces and rounds up.
const ENTRY_OVERHEAD: usize = 256;

/// How many octets of a token are hashed: 384 bits of its signature.
const HASHED: usize = 64;

#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<(HeldToken, Held, [usize; 2])>() == 160);

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
    /// For tokens that are not held, and bounded by itself.
    pub(crate) headers: KnownHeaders,
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
    /// The route that it met last, by its place in the policy: its claims do not change, and neither does what the route wants of them.
    pub(crate) met: Option<usize>,
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
            headers: KnownHeaders::default(),
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

    /// A token as it is looked for. It is hashed by its end alone, where it has its signature: no two that an issuer signed have the same
    /// one, and nobody else can choose what stands there.
    pub(crate) fn key<'t>(&self, token: &'t [u8]) -> TokenKey<'t> {
        let end = token.last_chunk::<HASHED>();
        TokenKey {
            hash: self
                .hasher
                .hash_one(end.map_or(token, |end| end.as_slice())),
            text: token,
        }
    }

    /// The entry of a token whose key would still be found for it, under the policy that accepted it.
    ///
    /// One that is not is dropped. Time and issuer are the caller's to check on every hit, and what else a route wants on each that is not of the route met last.
    pub(crate) fn find(
        &mut self,
        token: TokenKey<'_>,
        policy: &Policy,
        keys: &KeyCache,
        now: Timestamp,
    ) -> Option<&mut Entry> {
        if !are_same(&self.policy, &policy.fingerprint) {
            self.retain(|_| false);
            self.policy = policy.fingerprint;
        }
        let entry = self.look_up(token)?;
        if !keys.still_finds(&entry.by, now) {
            self.remove(&token);
            return None;
        }
        // What was found last is the most recently used: this looks nothing up again.
        self.entries
            .iter_mut()
            .next()
            .map(|(_, held)| &mut held.entry)
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
mod tests;
