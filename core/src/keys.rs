//! Freshness of key sets: which keys may be trusted now, and when to ask the issuer again.

use std::time::Duration;

use crate::fetch::{FetchFailure, FetchReport, KeyAnswer};
use crate::jwks::{Key, KeySet, Selection};
use crate::key_record::{self, KeyRecord, RecordedSet};
use crate::policy::{Freshness, IssuerId, Policy};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::token_cache::TokenCache;
use crate::verify::Algorithm;

/// However short an issuer's `max-age`, its keys are good for this long: an issuer that says 0 would
/// otherwise be asked for every request.
const SHORTEST_AGE: Duration = Duration::from_secs(60);

/// How far a clock may run back without having been set back.
const CLOCK_SLEW: Duration = Duration::from_secs(1);

/// Keys are asked for again when this part of the age allowed is over, behind the requests that they still serve:
/// where there is traffic, nobody waits for a refresh, and one that hangs is known to have failed in time.
const DUE_AFTER: (u32, u32) = (4, 5);

/// The key sets of all issuers of one policy.
///
/// It fetches nothing. [`crate::decide`] says what is wanted, the host fetches it and hands the outcome
/// to [`KeyCache::install`], then asks again.
pub struct KeyCache {
    /// Whose issuers these are: an `IssuerId` means nothing to another policy.
    policy: [u8; 32],
    issuers: Vec<IssuerKeys>,
}

/// What one issuer's key set is, and two times that must not be one: when it was fetched (how far to
/// trust it) and when it was last asked for (how often to ask). With one, a failed refresh would make old keys young.
struct IssuerKeys {
    issuer: String,
    url: String,
    freshness: Freshness,
    held: Option<Held>,
    attempt: Option<Attempt>,
}

/// The last time that the issuer was asked.
#[derive(Clone, Copy)]
struct Attempt {
    at: Timestamp,
    has_failed: bool,
}

struct Held {
    keys: KeySet,
    fetched: Timestamp,
    age_allowed: Duration,
    /// What the issuer said, for [`KeyCache::record`].
    max_age: Option<Duration>,
    body: Vec<u8>,
}

/// What verified a token: with that, it can be told later whether the same key would verify it again.
pub(crate) struct SignedBy {
    pub(crate) issuer: IssuerId,
    /// The token's `kid` and `alg`, by which its key was found.
    pub(crate) kid: Option<String>,
    pub(crate) algorithm: Algorithm,
    /// The identity of that key: [`Key::thumbprint`].
    pub(crate) key: [u8; 32],
}

/// A key set that a decision needs, for the host to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// Whose keys.
    pub issuer: IssuerId,
    /// Where they are published (the `jwks_uri` of OpenID Connect Discovery 1.0 section 3).
    pub url: String,
    /// How long the fetch may take, and a request may wait for it.
    pub timeout: Duration,
}

/// The outcome of looking for the key that a token names.
pub(crate) enum Lookup<'a> {
    Found(&'a Key),
    Fetch(KeyRequest),
    Refused(Reason),
    Unavailable { retry_after: Duration },
}

impl KeyCache {
    /// No keys yet, for every issuer of the policy.
    pub fn new(policy: &Policy) -> Self {
        let issuers = policy.issuers.iter().map(|issuer| IssuerKeys {
            issuer: issuer.issuer.clone(),
            url: issuer.jwks_uri.clone(),
            freshness: issuer.keys,
            held: None,
            attempt: None,
        });
        Self {
            policy: policy.fingerprint,
            issuers: issuers.collect(),
        }
    }

    /// Takes in what a fetch brought: a good key set replaces the old one, anything else leaves it as it is.
    ///
    /// Tokens that a removed key had verified leave the token cache at once.
    pub fn install(
        &mut self,
        tokens: &mut TokenCache,
        issuer: IssuerId,
        outcome: Result<KeyAnswer<'_>, FetchFailure>,
        now: Timestamp,
    ) -> FetchReport {
        let Some(entry) = self.issuers.get_mut(issuer.0) else {
            return FetchReport::Failed(FetchFailure::Unreachable);
        };
        let outcome = outcome.and_then(|answer| Ok((answer.read()?, answer.body)));
        entry.attempt = Some(Attempt {
            at: now,
            has_failed: outcome.is_err(),
        });
        let (fetched, body) = match outcome {
            Ok(fetched) => fetched,
            Err(failure) => return FetchReport::Failed(failure),
        };
        let report = FetchReport::Installed {
            keys: fetched.keys.len(),
        };
        tokens.retain(|by| by.issuer != issuer || by.is_found_in(&fetched.keys));
        entry.held = Some(Held {
            keys: fetched.keys,
            fetched: now,
            age_allowed: entry.freshness.age_allowed(fetched.max_age),
            max_age: fetched.max_age,
            body: body.to_vec(),
        });
        report
    }

    /// What this instance knows of an issuer's keys, for another one to take in: to be left by [`KeyCache::record_name`] in a store
    /// that both can reach. Nothing where nobody has asked for them yet.
    pub fn record(&self, issuer: IssuerId) -> Option<Vec<u8>> {
        let entry = self.issuers.get(issuer.0)?;
        let attempt = entry.attempt?;
        let record = KeyRecord {
            issuer: &entry.issuer,
            url: &entry.url,
            attempted: attempt.at,
            has_failed: attempt.has_failed,
            set: entry.held.as_ref().map(|held| RecordedSet {
                fetched: held.fetched,
                max_age: held.max_age,
                body: held.body.clone(),
            }),
        };
        record.write()
    }

    /// The name of an issuer's record: letters, digits and `-`, 79 of them. It depends on `issuer` and the URL of its keys; it is empty
    /// for the id of another policy.
    pub fn record_name(&self, issuer: IssuerId) -> String {
        let entry = self.issuers.get(issuer.0);
        entry.map_or_else(String::new, |entry| {
            key_record::name(&entry.issuer, &entry.url)
        })
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
        let Some(entry) = self.issuers.get_mut(issuer.0) else {
            return false;
        };
        let Some(record) = KeyRecord::read(record, &entry.issuer, &entry.url) else {
            return false;
        };
        if record.attempted > now.after(CLOCK_SLEW) {
            return false;
        }
        let held = entry.held.as_ref().map(|held| held.fetched);
        let newer_set = record
            .set
            .filter(|set| held.is_none_or(|held| held < set.fetched));
        let newer_set = match newer_set.map(|set| (KeySet::parse(&set.body), set)) {
            None => None,
            Some((Ok(keys), set)) => Some((keys, set)),
            Some((Err(_), _)) => return false,
        };
        let attempt = entry.attempt.map(|attempt| attempt.at);
        let has_newer_attempt = attempt.is_none_or(|attempt| attempt < record.attempted);
        if has_newer_attempt {
            entry.attempt = Some(Attempt {
                at: record.attempted,
                has_failed: record.has_failed,
            });
        }
        let Some((keys, set)) = newer_set else {
            return has_newer_attempt;
        };
        tokens.retain(|by| by.issuer != issuer || by.is_found_in(&keys));
        entry.held = Some(Held {
            keys,
            fetched: set.fetched,
            age_allowed: entry.freshness.age_allowed(set.max_age),
            max_age: set.max_age,
            body: set.body,
        });
        true
    }

    /// The key for a token of `issuer`, by `kid` and algorithm.
    pub(crate) fn find(
        &self,
        issuer: IssuerId,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Lookup<'_> {
        let Some(entry) = self.issuers.get(issuer.0) else {
            return Lookup::Refused(Reason::IssuerUnknown);
        };
        let Some(keys) = entry.trusted(now) else {
            return match entry.may_refresh(now) {
                true => Lookup::Fetch(entry.request(issuer)),
                false => Lookup::Unavailable {
                    retry_after: entry.cooldown_left(now),
                },
            };
        };
        match keys.select(kid, algorithm) {
            Selection::Found(key) => Lookup::Found(key),
            Selection::Unknown => match entry.cooldown_left(now) {
                Duration::ZERO => Lookup::Fetch(entry.request(issuer)),
                // The key may be one that we could not fetch: that is our trouble, not the token's.
                retry_after if entry.has_failed() => Lookup::Unavailable { retry_after },
                _ => Lookup::Refused(Reason::KidUnknown),
            },
            Selection::Unusable => Lookup::Refused(Reason::KeyUnusable),
            Selection::Ambiguous => Lookup::Refused(Reason::KeyAmbiguous),
        }
    }

    /// What to fetch behind a request of that issuer's, which the keys held still serve.
    pub(crate) fn due(&self, issuer: IssuerId, now: Timestamp) -> Option<KeyRequest> {
        let entry = self.issuers.get(issuer.0)?;
        entry.is_due(now).then(|| entry.request(issuer))
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
        self.policy == policy.fingerprint
    }
}

impl SignedBy {
    fn is_found_in(&self, keys: &KeySet) -> bool {
        match keys.select(self.kid.as_deref(), self.algorithm) {
            Selection::Found(key) => key.thumbprint == self.key,
            Selection::Unknown | Selection::Unusable | Selection::Ambiguous => false,
        }
    }
}

impl IssuerKeys {
    /// The keys that may be used now: fresh ones, and for `max_stale` longer those whose last refresh failed.
    ///
    /// Keys that are too old although nothing failed were simply not asked for: after a quiet hour, the first
    /// request waits for what the issuer says now rather than trust what it said then. The same holds for keys of the
    /// future: a clock that was set back no longer tells how old they are.
    fn trusted(&self, now: Timestamp) -> Option<&KeySet> {
        let held = self.held.as_ref()?;
        let age = now.distance(held.fetched);
        let is_fresh = age <= held.age_allowed && held.fetched <= now.after(CLOCK_SLEW);
        let is_bounded = age <= held.age_allowed.saturating_add(self.freshness.max_stale);
        (is_fresh || (is_bounded && self.has_failed())).then_some(&held.keys)
    }

    /// Whether keys should be asked for behind the requests that they still serve.
    fn is_due(&self, now: Timestamp) -> bool {
        let (part, whole) = DUE_AFTER;
        self.held.as_ref().is_some_and(|held| {
            let young = held.age_allowed.saturating_mul(part).checked_div(whole);
            young.is_none_or(|young| now.distance(held.fetched) > young)
        }) && self.may_refresh(now)
    }

    /// Whether keys that are no longer young may be asked for: after a success at any time, after a failure once
    /// per cool-down.
    fn may_refresh(&self, now: Timestamp) -> bool {
        !self.has_failed() || self.cooldown_left(now).is_zero()
    }

    /// Whether the last attempt brought no keys.
    fn has_failed(&self) -> bool {
        self.attempt.is_some_and(|attempt| attempt.has_failed)
    }

    /// How long until the cool-down since the last attempt is over; zero when it is.
    fn cooldown_left(&self, now: Timestamp) -> Duration {
        self.attempt.map_or(Duration::ZERO, |attempt| {
            let since = now.distance(attempt.at);
            self.freshness.cooldown.saturating_sub(since)
        })
    }

    fn request(&self, issuer: IssuerId) -> KeyRequest {
        KeyRequest {
            issuer,
            url: self.url.clone(),
            timeout: self.freshness.timeout,
        }
    }
}

impl Freshness {
    /// min(`ttl`, max(60 s, `max-age`)): the issuer may shorten what the policy allows, within reason.
    fn age_allowed(self, max_age: Option<Duration>) -> Duration {
        max_age.map_or(self.ttl, |sent| self.ttl.min(sent.max(SHORTEST_AGE)))
    }
}
