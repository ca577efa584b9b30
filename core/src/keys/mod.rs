//! Freshness of key sets: which keys may be trusted now, and when to ask the issuer again.

mod freshness;
mod issuer_keys;
mod round;

use std::sync::Arc;
use std::time::Duration;

use crate::claims::NumericDate;
use crate::fetch::{FetchFailure, FetchReport, KeyAnswer};
use crate::jwks::{Key, KeySet, OnEmpty, Selection};
use crate::key_record;
use crate::octets::are_same;
use crate::policy::{IssuerId, Policy};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::token_cache::TokenCache;
use crate::verify::Algorithm;
pub use freshness::KeyState;
use issuer_keys::{FetchedKeys, IssuerKeys};
pub use round::KeyLocation;
pub(crate) use round::Named;
use round::Step;

/// A whole second may stand for any moment in it: `iat` has no fractions at most issuers.
const SECOND: Duration = Duration::from_secs(1);

/// The key sets of all issuers of one policy.
///
/// It fetches nothing. [`crate::decide`] and [`KeyCache::due`] say what is wanted, the host fetches it, hands the outcome
/// to [`KeyCache::install`], and asks again.
pub struct KeyCache {
    /// Whose issuers these are: an `IssuerId` means nothing to another policy.
    policy: [u8; 32],
    issuers: Vec<IssuerKeys>,
}

/// What verified a token: with that, it can be told later whether the same key would verify it again.
pub(crate) struct SignedBy {
    pub(crate) issuer: IssuerId,
    /// The token's `kid` and `alg`, by which its key was found.
    pub(crate) kid: Option<Arc<str>>,
    pub(crate) algorithm: Algorithm,
    /// The identity of that key: [`Key::thumbprint`].
    pub(crate) key: [u8; 32],
}

/// Something that a decision needs, for the host to fetch: a key set, or the metadata that says where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// Whose keys.
    pub issuer: IssuerId,
    /// Where it is.
    pub location: KeyLocation,
    /// How long the fetch may take, and a request may wait for it.
    pub timeout: Duration,
    step: Step,
    /// When it was wanted. What the issuer has done since may not be in its answer.
    asked: Timestamp,
}

/// How the keys of an issuer stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// How far they may be trusted.
    pub state: KeyState,
    /// How many usable keys are held, trusted or not.
    pub keys: usize,
    /// How long ago they were fetched; nothing without keys, and for those of the policy itself.
    pub age: Option<Duration>,
}

/// The outcome of looking for the key that a token names.
pub(crate) enum Lookup<'a> {
    Found(&'a Key),
    /// There are no keys to look in.
    NoKeys(Missing),
    /// The keys at hand have none for it; nothing more where newer ones would not either.
    UnknownKid(Option<Missing>),
    /// There is a key, but not for this token.
    Refused(Reason),
}

/// What can be done about keys that are not at hand.
pub(crate) enum Missing {
    Fetch(KeyRequest),
    Unavailable {
        reason: Reason,
        retry_after: Duration,
    },
}

impl KeyRequest {
    /// How much of the time that is left for a whole round this fetch may take: all of it, or half where the keys come after it.
    pub fn share_of(&self, left: Duration) -> Duration {
        let parts = if self.step == Step::Keys { 1 } else { 2 };
        left.checked_div(parts).unwrap_or(left)
    }
}

impl KeyCache {
    /// No keys yet, for every issuer of the policy but those whose keys stand in it.
    pub fn new(policy: &Policy) -> Self {
        let issuers = policy.issuers.iter().enumerate();
        Self {
            policy: policy.fingerprint,
            issuers: issuers
                .map(|(place, issuer)| IssuerKeys::new(IssuerId(place), issuer))
                .collect(),
        }
    }

    /// Takes in what a fetch brought: a good key set replaces the old one, anything else leaves it as it is.
    ///
    /// Tokens that a removed key had verified leave the token cache at once. Metadata is a step on the way: then
    /// [`KeyCache::under_way`] and [`KeyCache::due`] have the next one.
    pub fn install(
        &mut self,
        tokens: &mut TokenCache,
        request: &KeyRequest,
        outcome: Result<KeyAnswer, FetchFailure>,
        now: Timestamp,
    ) -> FetchReport {
        let Some(entry) = self.fetched_mut(request.issuer) else {
            return FetchReport::Failed(FetchFailure::Unreachable);
        };
        let report = entry.install(request, outcome, now);
        if let FetchReport::Installed { .. } = report {
            entry.evict(tokens, request.issuer);
        }
        report
    }

    /// What this instance knows of an issuer's keys, for another one to take in: to be left by [`KeyCache::record_name`] in a store
    /// that both can reach. Nothing where nobody has asked for them yet, or where they are not fetched over HTTP.
    pub fn record(&self, issuer: IssuerId) -> Option<Vec<u8>> {
        self.fetched(issuer)?.record()
    }

    /// Whether the last time that an issuer was asked brought no keys.
    pub fn has_failed(&self, issuer: IssuerId) -> bool {
        self.fetched(issuer).is_some_and(FetchedKeys::has_failed)
    }

    /// The name of an issuer's record: letters, digits and `-`, 79 of them. It depends on `issuer`, on where its keys are asked for, on
    /// `via`, what leads there (an Envoy cluster; on Spin nothing does), and on what an empty set means: where that differs, one policy could
    /// not read what another has left. Nothing where there is no record.
    pub fn record_name(&self, issuer: IssuerId, via: &str) -> Option<String> {
        let entry = self.fetched(issuer)?;
        let (issuer, url) = entry.recorded_as()?;
        let on_empty = match entry.on_empty() {
            OnEmpty::Keep => "keep",
            OnEmpty::Refuse => "refuse",
        };
        Some(key_record::name([issuer, url, via, on_empty]))
    }

    /// Takes in what another instance left, if it knows more than this one: then it is worth asking [`crate::decide`] again before
    /// anything is fetched.
    ///
    /// Its keys are trusted as long as if this instance had fetched them when that one did, and its attempts count like this one's: of each
    /// the later counts. What cannot be read, is of the future, or older than what is known here changes nothing.
    pub fn restore(
        &mut self,
        tokens: &mut TokenCache,
        issuer: IssuerId,
        record: &[u8],
        now: Timestamp,
    ) -> bool {
        let Some(entry) = self.fetched_mut(issuer) else {
            return false;
        };
        let is_news = entry.restore(record, now);
        if is_news {
            entry.evict(tokens, issuer);
        }
        is_news
    }

    /// What to fetch first for an issuer, whether it is time or not; nothing for one whose keys stand in the policy.
    pub fn request(&self, issuer: IssuerId, now: Timestamp) -> Option<KeyRequest> {
        Some(self.fetched(issuer)?.request(now))
    }

    /// What to fetch next in the round of an issuer's that has begun; nothing between two rounds.
    pub fn under_way(&self, issuer: IssuerId, now: Timestamp) -> Option<KeyRequest> {
        self.fetched(issuer)?.continuation(now)
    }

    /// What to fetch now behind the scenes, for all issuers: keys that are old enough to be asked for again, those that could not be had
    /// and whose cool-down is over, and the next step of what has begun. Never for an issuer whose keys no request has needed yet.
    pub fn due(&self, now: Timestamp) -> Vec<KeyRequest> {
        let fetched = self.issuers.iter().filter_map(IssuerKeys::fetched);
        fetched.filter_map(|entry| entry.due(now)).collect()
    }

    /// How an issuer's keys stand. Nothing for the id of another policy.
    pub fn status(&self, issuer: IssuerId, now: Timestamp) -> Option<KeyStatus> {
        let entry = self.issuers.get(issuer.0)?;
        Some(entry.status(now))
    }

    /// The key for a token of `issuer`, by `kid` and algorithm. `issued` is its `iat`, if that has come.
    pub(crate) fn find(
        &self,
        issuer: IssuerId,
        kid: Option<&str>,
        algorithm: Algorithm,
        issued: Option<NumericDate>,
        now: Timestamp,
    ) -> Lookup<'_> {
        let Some(entry) = self.issuers.get(issuer.0) else {
            return Lookup::Refused(Reason::IssuerUnknown);
        };
        let Some(keys) = entry.trusted(now) else {
            let missing = entry.fetched().map(|entry| no_keys(entry, now));
            return missing.map_or(Lookup::UnknownKid(None), Lookup::NoKeys);
        };
        match keys.select(kid, algorithm) {
            Selection::Found(key) => Lookup::Found(key),
            Selection::Unknown => {
                let newer = entry
                    .fetched()
                    .and_then(|entry| newer_keys(entry, keys, issued, now));
                Lookup::UnknownKid(newer)
            }
            Selection::Unusable => Lookup::Refused(Reason::KeyUnusable),
            Selection::Ambiguous => Lookup::Refused(Reason::KeyAmbiguous),
        }
    }

    /// What to fetch behind a request of that issuer's, which the keys held still serve.
    pub(crate) fn due_for(&self, issuer: IssuerId, now: Timestamp) -> Option<KeyRequest> {
        self.fetched(issuer)?.due(now)
    }

    /// Whether [`KeyCache::find`] would give the same key now, without a fetch, for a token that it verified.
    pub(crate) fn still_finds(&self, by: &SignedBy, now: Timestamp) -> bool {
        let keys = self
            .issuers
            .get(by.issuer.0)
            .and_then(|entry| entry.trusted(now));
        keys.is_some_and(|keys| by.is_found_in(keys))
    }

    /// Whether these are the keys of that policy's issuers.
    pub(crate) fn belongs_to(&self, policy: &Policy) -> bool {
        are_same(&self.policy, &policy.fingerprint)
    }

    fn fetched(&self, issuer: IssuerId) -> Option<&FetchedKeys> {
        self.issuers.get(issuer.0)?.fetched()
    }

    fn fetched_mut(&mut self, issuer: IssuerId) -> Option<&mut FetchedKeys> {
        self.issuers.get_mut(issuer.0)?.fetched_mut()
    }
}

/// What to do for a request that finds no keys at all.
fn no_keys(entry: &FetchedKeys, now: Timestamp) -> Missing {
    match entry.wanted(now) {
        Some(request) => Missing::Fetch(request),
        None => Missing::Unavailable {
            reason: Reason::KeysUnavailable,
            retry_after: entry.cooldown_left(now),
        },
    }
}

/// What to do for a token whose key is not in the set; nothing where it is the token's own trouble.
fn newer_keys(
    entry: &FetchedKeys,
    keys: &KeySet,
    issued: Option<NumericDate>,
    now: Timestamp,
) -> Option<Missing> {
    if let Some(request) = entry.wanted_anew(now) {
        return Some(Missing::Fetch(request));
    }
    // Within the cool-down. A key may be one that we could not fetch; or the issuer may have begun to sign with it since we asked, so
    // that to call the token invalid would send its user to log in again, for another token of the same key.
    let is_newer = issued
        .zip(entry.as_of())
        .is_some_and(|(issued, as_of)| issued.is_after(as_of, SECOND));
    // A set that was emptied on purpose has no newer keys.
    let reason = match entry.has_failed() {
        true => Reason::KeysUnavailable,
        false if is_newer && keys.len() > 0 => Reason::KidAwaited,
        false => return None,
    };
    Some(Missing::Unavailable {
        reason,
        retry_after: entry.cooldown_left(now),
    })
}

impl FetchedKeys {
    /// Drops the tokens that the keys held would no longer verify.
    fn evict(&self, tokens: &mut TokenCache, issuer: IssuerId) {
        let Some(keys) = self.held() else { return };
        tokens.retain(|by| by.issuer != issuer || by.is_found_in(keys));
    }
}

impl SignedBy {
    fn is_found_in(&self, keys: &KeySet) -> bool {
        match keys.select(self.kid.as_deref(), self.algorithm) {
            Selection::Found(key) => are_same(&key.thumbprint, &self.key),
            Selection::Unknown | Selection::Unusable | Selection::Ambiguous => false,
        }
    }
}
