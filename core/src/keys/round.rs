//! One round of fetches: where an issuer's keys are asked for, in at most three steps.

use std::fmt;
use std::time::Duration;

use super::freshness::CLOCK_SLEW;
use crate::discovery::Discovery;
use crate::fetch::{FetchFailure, KeyAnswer};
use crate::time::Timestamp;

/// How long metadata is taken as it was read, while the keys that it named keep coming. An issuer that moves its keys and leaves the
/// old ones where they were is noticed after this, and one that takes them away at once.
const METADATA_AGE: Duration = Duration::from_secs(3600);

/// Where something is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLocation {
    /// By a GET of this URL, redirects not followed.
    Url(String),
    /// From this file of the host's. What it holds is as an answer of status 200 without any fields.
    File(String),
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The metadata of OpenID Connect Discovery.
    OpenId,
    /// The metadata of RFC 8414.
    OAuth,
    /// The keys.
    Keys,
}

/// Where the rounds of an issuer begin.
#[derive(Clone, Debug)]
pub(super) enum Start {
    Keys(KeyLocation),
    Metadata(Discovery),
}

/// How far the asking has come.
pub(super) struct Round {
    pub(super) start: Start,
    /// Where the metadata said that the keys are.
    pub(super) named: Option<Named>,
    /// Whether the keys could not be had there when they were last asked for.
    is_in_doubt: bool,
    /// What comes next; nothing between two rounds.
    under_way: Option<Step>,
}

/// What metadata said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) jwks_uri: String,
    pub(crate) read: Timestamp,
}

/// What comes of a step before the last one.
pub(super) enum Outcome {
    /// Metadata was read; the keys come next.
    Named,
    /// It was not, and there is something else to ask.
    Continues(FetchFailure),
    /// It was not, and the round is over.
    Ended(FetchFailure),
}

impl Round {
    pub(super) fn new(start: Start) -> Self {
        Self {
            start,
            named: None,
            is_in_doubt: false,
            under_way: None,
        }
    }

    /// The step of the round under way.
    pub(super) fn under_way(&self) -> Option<Step> {
        self.under_way
    }

    /// The step that comes next: of the round under way, or else the first one of a new round.
    pub(super) fn next(&self, now: Timestamp) -> Step {
        self.under_way.unwrap_or_else(|| match &self.start {
            Start::Keys(_) => Step::Keys,
            Start::Metadata(_) => match &self.named {
                Some(named) if !self.is_in_doubt && now.distance(named.read) <= METADATA_AGE => {
                    Step::Keys
                }
                Some(_) | None => Step::OpenId,
            },
        })
    }

    /// Where that step goes. Without metadata there are no keys to ask for, so that asking begins with it.
    pub(super) fn location(&self, step: Step) -> KeyLocation {
        match (&self.start, step, &self.named) {
            (Start::Keys(location), ..) => location.clone(),
            (Start::Metadata(_), Step::Keys, Some(named)) => {
                KeyLocation::Url(named.jwks_uri.clone())
            }
            (Start::Metadata(discovery), Step::OpenId | Step::Keys, _) => {
                KeyLocation::Url(discovery.openid.clone())
            }
            (Start::Metadata(discovery), Step::OAuth, _) => {
                KeyLocation::Url(discovery.oauth.clone())
            }
        }
    }

    /// Takes in what became of asking for metadata.
    pub(super) fn metadata(
        &mut self,
        step: Step,
        outcome: Result<KeyAnswer, FetchFailure>,
        now: Timestamp,
    ) -> Outcome {
        let Start::Metadata(discovery) = &self.start else {
            return Outcome::Ended(FetchFailure::Unreachable);
        };
        let failure = match outcome.and_then(|answer| answer.read_metadata(discovery)) {
            Ok(jwks_uri) => {
                self.named = Some(Named {
                    jwks_uri,
                    read: now,
                });
                self.under_way = Some(Step::Keys);
                return Outcome::Named;
            }
            Err(failure) => failure,
        };
        self.under_way = match (step, &self.named) {
            // The other place is at the same host: worth a try where somebody answers.
            (Step::OpenId, _) if failure.is_an_answer() => Some(Step::OAuth),
            // What was read before is better than nothing, as long as there are keys.
            (_, Some(_)) => Some(Step::Keys),
            (_, None) => None,
        };
        match self.under_way {
            Some(_) => Outcome::Continues(failure),
            None => Outcome::Ended(failure),
        }
    }

    /// The round is over: with keys, or without.
    pub(super) fn end(&mut self, has_failed: bool) {
        self.under_way = None;
        self.is_in_doubt = has_failed;
    }

    /// Another instance has made a round since.
    pub(super) fn overtaken(&mut self, named: Option<Named>, has_failed: bool, now: Timestamp) {
        self.end(has_failed);
        let read = self.named.as_ref().map(|known| known.read);
        // One of the future is from before the clock was set back.
        let read = read.filter(|read| *read <= now.after(CLOCK_SLEW));
        if let Some(named) = named
            && read.is_none_or(|read| read < named.read)
        {
            self.named = Some(named);
        }
    }
}

impl fmt::Display for KeyLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::File(path) => f.write_str(path),
        }
    }
}
