//! The keys of one issuer, as they are held and asked for.

use std::time::Duration;

use super::freshness::{Attempt, CLOCK_SLEW, Fetched, KeyState, Times};
use super::round::{KeyLocation, Named, Outcome, Round, Start, Step};
use super::{KeyRequest, KeyStatus};
use crate::fetch::{FetchFailure, FetchReport, KeyAnswer};
use crate::jwks::{KeySet, OnEmpty};
use crate::key_record::{KeyRecord, RecordedSet};
use crate::policy::{Freshness, Issuer, IssuerId, KeyOrigin};
use crate::time::Timestamp;

/// One issuer's keys.
pub(super) enum IssuerKeys {
    /// They stand in the policy, and are trusted as long as it is.
    Inline(KeySet),
    Fetched(Box<FetchedKeys>),
}

/// Keys that were fetched, or will be.
pub(super) struct FetchedKeys {
    id: IssuerId,
    issuer: String,
    rules: Freshness,
    held: Option<Held>,
    times: Times,
    round: Round,
}

struct Held {
    keys: KeySet,
    /// What the issuer said, for the record.
    max_age: Option<Duration>,
    body: Vec<u8>,
}

impl IssuerKeys {
    pub(super) fn new(id: IssuerId, issuer: &Issuer) -> Self {
        let start = match &issuer.key_origin {
            KeyOrigin::Inline(keys) => return Self::Inline(keys.clone()),
            KeyOrigin::Address(url) => Start::Keys(KeyLocation::Url(url.clone())),
            KeyOrigin::File(path) => Start::Keys(KeyLocation::File(path.clone())),
            KeyOrigin::Metadata(discovery) => Start::Metadata(discovery.clone()),
        };
        Self::Fetched(Box::new(FetchedKeys {
            id,
            issuer: issuer.issuer.clone(),
            rules: issuer.keys,
            held: None,
            times: Times::default(),
            round: Round::new(start),
        }))
    }

    /// The keys that may be used now.
    pub(super) fn trusted(&self, now: Timestamp) -> Option<&KeySet> {
        match self {
            Self::Inline(keys) => Some(keys),
            Self::Fetched(fetched) => {
                let held = fetched.held.as_ref()?;
                fetched.state(now).is_trusted().then_some(&held.keys)
            }
        }
    }

    pub(super) fn fetched(&self) -> Option<&FetchedKeys> {
        match self {
            Self::Inline(_) => None,
            Self::Fetched(fetched) => Some(fetched),
        }
    }

    pub(super) fn fetched_mut(&mut self) -> Option<&mut FetchedKeys> {
        match self {
            Self::Inline(_) => None,
            Self::Fetched(fetched) => Some(fetched),
        }
    }

    pub(super) fn status(&self, now: Timestamp) -> KeyStatus {
        match self {
            Self::Inline(keys) => KeyStatus {
                state: KeyState::Fresh,
                keys: keys.len(),
                age: None,
            },
            Self::Fetched(fetched) => KeyStatus {
                state: fetched.state(now),
                keys: fetched.held.as_ref().map_or(0, |held| held.keys.len()),
                age: fetched
                    .times
                    .fetched
                    .map(|fetched| now.distance(fetched.at)),
            },
        }
    }
}

impl FetchedKeys {
    pub(super) fn state(&self, now: Timestamp) -> KeyState {
        self.times.state(self.rules, now)
    }

    /// Takes in what a fetch brought: a good set takes the place of the one held, and anything else leaves that as it is.
    pub(super) fn install(
        &mut self,
        request: &KeyRequest,
        outcome: Result<KeyAnswer, FetchFailure>,
        now: Timestamp,
    ) -> FetchReport {
        let &KeyRequest { step, asked, .. } = request;
        if step != Step::Keys {
            return match self.round.metadata(step, outcome, now) {
                Outcome::Named => FetchReport::Discovered,
                Outcome::Continues(failure) => FetchReport::Failed(failure),
                Outcome::Ended(failure) => self.failed(failure, now),
            };
        }
        let on_empty = self.rules.on_empty;
        let read = outcome.and_then(|answer| Ok((answer.read_keys(on_empty)?, answer)));
        let ((keys, max_age), answer) = match read {
            Ok(read) => read,
            Err(failure) => return self.failed(failure, now),
        };
        self.round.end(false);
        self.times = Times {
            fetched: Some(self.fetched_at(now, asked.before(answer.age()), max_age)),
            attempt: Some(Attempt {
                at: now,
                has_failed: false,
            }),
        };
        let report = FetchReport::Installed {
            keys: keys.len(),
            clock: answer.clock_drift(now),
        };
        self.held = Some(Held {
            keys,
            max_age,
            body: answer.into_body(),
        });
        report
    }

    fn failed(&mut self, failure: FetchFailure, now: Timestamp) -> FetchReport {
        self.round.end(true);
        self.times.attempt = Some(Attempt {
            at: now,
            has_failed: true,
        });
        FetchReport::Failed(failure)
    }

    fn fetched_at(&self, at: Timestamp, as_of: Timestamp, max_age: Option<Duration>) -> Fetched {
        Fetched {
            at,
            // A clock that was set back in between would make it the future.
            as_of: as_of.min(at),
            age_allowed: self.rules.age_allowed(max_age),
        }
    }

    /// The set that is held, whether it may be used or not.
    pub(super) fn held(&self) -> Option<&KeySet> {
        self.held.as_ref().map(|held| &held.keys)
    }

    /// Of when it is.
    pub(super) fn as_of(&self) -> Option<Timestamp> {
        self.times.fetched.map(|fetched| fetched.as_of)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.times.has_failed()
    }

    pub(super) fn cooldown_left(&self, now: Timestamp) -> Duration {
        self.times.cooldown_left(self.rules, now)
    }

    /// What to fetch for a request that has no keys; nothing while the issuer must not be asked.
    pub(super) fn wanted(&self, now: Timestamp) -> Option<KeyRequest> {
        let may_ask = self.round.under_way().is_some() || self.times.may_ask(self.rules, now);
        may_ask.then(|| self.request(now))
    }

    /// What to fetch for a token whose key the set does not have; nothing within the cool-down.
    pub(super) fn wanted_anew(&self, now: Timestamp) -> Option<KeyRequest> {
        let may_ask = self.round.under_way().is_some() || self.cooldown_left(now).is_zero();
        may_ask.then(|| self.request(now))
    }

    /// What to fetch although no request waits for it.
    pub(super) fn due(&self, now: Timestamp) -> Option<KeyRequest> {
        let is_due = self.round.under_way().is_some() || self.times.are_due(self.rules, now);
        is_due.then(|| self.request(now))
    }

    /// What to fetch next in the round that has begun.
    pub(super) fn continuation(&self, now: Timestamp) -> Option<KeyRequest> {
        let has_begun = self.round.under_way().is_some();
        has_begun.then(|| self.request(now))
    }

    /// What to fetch next, whether it is time or not.
    pub(super) fn request(&self, now: Timestamp) -> KeyRequest {
        let step = self.round.next(now);
        KeyRequest {
            issuer: self.id,
            location: self.round.location(step),
            timeout: self.rules.timeout,
            step,
            asked: now,
        }
    }

    /// The name under which a record of these keys is known: `issuer`, and where a round begins. Nothing for those of a file,
    /// which everybody can read.
    pub(super) fn recorded_as(&self) -> Option<(&str, &str)> {
        let start = match &self.round.start {
            Start::Keys(KeyLocation::File(_)) => return None,
            Start::Keys(KeyLocation::Url(url)) => url,
            Start::Metadata(discovery) => &discovery.openid,
        };
        Some((&self.issuer, start))
    }

    pub(super) fn on_empty(&self) -> OnEmpty {
        self.rules.on_empty
    }

    pub(super) fn record(&self) -> Option<Vec<u8>> {
        let (issuer, url) = self.recorded_as()?;
        let attempt = self.times.attempt?;
        let set = match (&self.held, self.times.fetched) {
            (Some(held), Some(fetched)) => Some(RecordedSet {
                fetched: fetched.at,
                as_of: fetched.as_of,
                max_age: held.max_age,
                body: held.body.clone(),
            }),
            _ => None,
        };
        let record = KeyRecord {
            attempted: attempt.at,
            has_failed: attempt.has_failed,
            named: self.round.named.clone(),
            set,
        };
        record.write(issuer, url)
    }

    /// Takes in what another instance left; see [`super::KeyCache::restore`].
    pub(super) fn restore(&mut self, record: &[u8], now: Timestamp) -> bool {
        let Some((issuer, url)) = self.recorded_as() else {
            return false;
        };
        let Some(record) = KeyRecord::read(record, issuer, url) else {
            return false;
        };
        let is_past = |time| time <= now.after(CLOCK_SLEW);
        let may_be_named = |named: &Named| is_past(named.read) && self.may_be_named(named);
        if !is_past(record.attempted) || !record.named.as_ref().is_none_or(may_be_named) {
            return false;
        }
        // Times of the future are from before the clock was set back: whatever was learnt since is later.
        let fetched = self.times.fetched.map(|fetched| fetched.at);
        let fetched = fetched.filter(|at| is_past(*at));
        let newer_set = record
            .set
            .filter(|set| fetched.is_none_or(|fetched| fetched < set.fetched));
        let on_empty = self.rules.on_empty;
        let newer_set = match newer_set.map(|set| (KeySet::parse(&set.body, on_empty), set)) {
            None => None,
            Some((Ok(keys), set)) => Some((keys, set)),
            Some((Err(_), _)) => return false,
        };
        let attempt = self.times.attempt.map(|attempt| attempt.at);
        let attempt = attempt.filter(|at| is_past(*at));
        let has_newer_attempt = attempt.is_none_or(|attempt| attempt < record.attempted);
        if has_newer_attempt {
            self.times.attempt = Some(Attempt {
                at: record.attempted,
                has_failed: record.has_failed,
            });
            self.round.overtaken(record.named, record.has_failed, now);
        }
        let Some((keys, set)) = newer_set else {
            return has_newer_attempt;
        };
        self.times.fetched = Some(self.fetched_at(set.fetched, set.as_of, set.max_age));
        self.held = Some(Held {
            keys,
            max_age: set.max_age,
            body: set.body,
        });
        true
    }

    /// Whether metadata of this issuer may have named that address: a record is believed no more than an answer.
    fn may_be_named(&self, named: &Named) -> bool {
        match &self.round.start {
            Start::Keys(_) => false,
            Start::Metadata(discovery) => {
                discovery.key_url(&named.jwks_uri).as_ref() == Ok(&named.jwks_uri)
            }
        }
    }
}
