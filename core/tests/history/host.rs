//! One instance of the gate, as a host of it acts, and the oracle beside it.

use scopegate_core::{
    Decision, FetchFailure, FetchReport, KeyAnswer, KeyCache, KeyRequest, Timestamp, TokenCache,
    decide,
};

use crate::issuer::{NAMES, Said};
use crate::knowledge::{Ask, Knowledge, Lesson, Outcome};
use crate::promises::Given;
use crate::setting::{Setting, credential, request};
use crate::support::START;
use crate::token::{SameKey, Token};

pub struct Instance<'s> {
    setting: &'s Setting,
    keys: KeyCache,
    tokens: TokenCache,
    /// What follows from what it was told, by issuer.
    pub known: [Knowledge; 2],
    /// The sets that it was given, by issuer.
    pub given: [Option<Given>; 2],
    /// What it has asked for and not got yet, by issuer.
    pub flying: [Option<Flight>; 2],
    /// Requests that wait for that.
    pub waiting: Vec<Token>,
}

/// What has been asked for, in the core's words and in the oracle's.
pub struct Flight {
    pub request: KeyRequest,
    pub ask: Ask,
    /// When.
    pub began: u64,
}

/// What one instance leaves for others, and what that means.
pub struct Left {
    record: Vec<u8>,
    pub known: Knowledge,
    given: Option<Given>,
}

impl<'s> Instance<'s> {
    pub fn new(setting: &'s Setting) -> Self {
        Self {
            setting,
            keys: KeyCache::new(&setting.policy),
            tokens: TokenCache::new(&setting.policy, 7),
            known: Default::default(),
            given: Default::default(),
            flying: Default::default(),
            waiting: Vec::new(),
        }
    }

    /// What the core says of that token, which must be what the oracle says; and what to fetch for it, or behind it.
    pub fn ask(&mut self, token: &Token, now: u64) -> (Outcome, Option<KeyRequest>) {
        let credential = credential(token);
        let request = request(&credential);
        let policy = &self.setting.policy;
        let decision = decide(
            policy,
            &request,
            &self.keys,
            &mut self.tokens,
            &SameKey,
            time(now),
        );
        let answered = match decision {
            Decision::Allow(allow) => {
                let behind = allow.fetch.as_ref().map(|fetch| fetch.location.to_string());
                (Outcome::Allowed(behind), allow.fetch)
            }
            Decision::NeedKeys(needed) => (
                Outcome::Waits(needed.keys.location.to_string()),
                Some(needed.keys),
            ),
            Decision::Deny(deny) => {
                let response = deny.response(policy, &request);
                let retry = response
                    .headers
                    .iter()
                    .find(|(name, _)| *name == "retry-after");
                let outcome = match (response.status, retry) {
                    (401, None) => Outcome::Refused(deny.reason.code()),
                    (503, Some((_, seconds))) => {
                        Outcome::Unavailable(deny.reason.code(), seconds.parse().unwrap())
                    }
                    other => panic!("{other:?}"),
                };
                (outcome, None)
            }
        };
        let known = &self.known[token.issuer];
        let expected = known.outcome(&self.setting.rules, NAMES[token.issuer], token, now);
        assert_eq!(answered.0, expected, "{token:?} at {now}, {known:?}");
        answered
    }

    /// Hands in what became of a fetch.
    pub fn install(
        &mut self,
        issuer: usize,
        flight: &Flight,
        (said, outcome): (Said, Result<KeyAnswer, FetchFailure>),
        now: u64,
    ) {
        let known = &mut self.known[issuer];
        let rules = &self.setting.rules;
        let Flight {
            request,
            ask,
            began,
        } = flight;
        // Metadata may take half of the time, so that some is left for the keys.
        let parts = if *ask == Ask::Keys { 1 } else { 2 };
        assert_eq!(request.share_of(request.timeout) * parts, request.timeout);
        let lesson = known.learn(rules, (*ask, *began), &said, now);
        let report = self
            .keys
            .install(&mut self.tokens, request, outcome, time(now));
        let reported = match report {
            FetchReport::Installed { keys, .. } => Lesson::Keys(keys),
            FetchReport::Discovered => Lesson::Place,
            FetchReport::Failed(_) => Lesson::Nothing,
        };
        assert_eq!(reported, lesson, "{report:?}");
    }

    /// Takes in what another instance left. Says whether that was news.
    pub fn restore(&mut self, issuer: usize, left: &Left, now: u64) -> bool {
        let id = self.setting.ids[issuer];
        let mine = &mut self.given[issuer];
        let at = |given: &Option<Given>| given.as_ref().map(|given| given.at);
        if at(&left.given) > at(mine) {
            mine.clone_from(&left.given);
        }
        let is_news = self
            .keys
            .restore(&mut self.tokens, id, &left.record, time(now));
        assert_eq!(
            is_news,
            self.known[issuer].absorb(&left.known, now),
            "{:?}",
            left.known
        );
        is_news
    }

    /// What it leaves for others: something as soon as the issuer was asked.
    pub fn leave(&self, issuer: usize) -> Option<Left> {
        let record = self.keys.record(self.setting.ids[issuer]);
        let known = self.known[issuer].clone();
        assert_eq!(record.is_some(), known.attempt.is_some(), "{known:?}");
        Some(Left {
            record: record?,
            known,
            given: self.given[issuer].clone(),
        })
    }

    /// Holds what it leaves to what it knows: an instance that takes it in trusts the keys neither more nor less.
    pub fn check_record(&self, issuer: usize, now: u64) {
        let Some(left) = self.leave(issuer) else {
            return;
        };
        let mut other = Self::new(self.setting);
        assert!(other.restore(issuer, &left, now));
        let status = |keys: &KeyCache| keys.status(self.setting.ids[issuer], time(now));
        assert_eq!(status(&other.keys), status(&self.keys));
        assert!(!other.restore(issuer, &left, now));
    }

    /// The next step of a round that has begun.
    pub fn under_way(&self, issuer: usize, now: u64) -> Option<KeyRequest> {
        self.keys.under_way(self.setting.ids[issuer], time(now))
    }

    /// What is due, with the issuer that it belongs to.
    pub fn due(&self, now: u64) -> Vec<(usize, KeyRequest)> {
        let place = |request: &KeyRequest| {
            self.setting
                .ids
                .iter()
                .position(|id| *id == request.issuer)
                .unwrap()
        };
        let due = self.keys.due(time(now)).into_iter();
        due.map(|request| (place(&request), request)).collect()
    }

    /// Compares all that can be seen of the keys with the oracle.
    pub fn check(&self, now: u64) {
        let rules = &self.setting.rules;
        let mut due = self.due(now).into_iter().peekable();
        for (issuer, known) in self.known.iter().enumerate() {
            let status = self
                .keys
                .status(self.setting.ids[issuer], time(now))
                .unwrap();
            let keys = known.set.as_ref().map_or(0, |set| set.keys.len());
            let age = known.set.as_ref().map(|set| now.abs_diff(set.fetched));
            assert_eq!(status.state, known.state(rules, now), "at {now}, {known:?}");
            assert_eq!(status.keys, keys);
            assert_eq!(status.age.map(|age| age.as_millis()), age.map(u128::from));
            let url = due.next_if(|(whose, _)| *whose == issuer);
            let url = url.map(|(_, request)| request.location.to_string());
            assert_eq!(
                url,
                known.due(rules, NAMES[issuer], now),
                "due at {now}, {known:?}"
            );
            assert_eq!(self.under_way(issuer, now).is_some(), known.next.is_some());
        }
        assert_eq!(due.next(), None);
    }
}

pub fn time(now: u64) -> Timestamp {
    Timestamp::from_millis(START * 1000 + now)
}
