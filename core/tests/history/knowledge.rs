//! The oracle: what one instance knows of one issuer's keys, and what follows from that by `docs/policy.md`.

use std::collections::BTreeSet;

use scopegate_core::KeyState;

use crate::issuer::Said;
use crate::setting::{Rules, SKEW};
use crate::support::START;
use crate::token::Token;

/// How long metadata counts while the keys that it named keep coming.
pub const METADATA_AGE: u64 = 3_600_000;

#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// The last good set.
    pub set: Option<Set>,
    /// The last time that the issuer was asked: when, and whether in vain.
    pub attempt: Option<(u64, bool)>,
    /// The place that metadata named, and when.
    pub named: Option<(u8, u64)>,
    /// Whether keys could not be had there.
    pub in_doubt: bool,
    /// The next step of the round that has begun.
    pub next: Option<Ask>,
}

#[derive(Clone, Debug)]
pub struct Set {
    pub keys: BTreeSet<u8>,
    pub fetched: u64,
    /// When it was asked for: what the issuer did since may not be in it.
    pub as_of: u64,
    pub age_allowed: u64,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    OpenId,
    OAuth,
    Keys,
}

/// What was learnt from a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Where the keys are.
    Place,
    /// The keys, as many as that.
    Keys(usize),
    Nothing,
}

/// What time alone changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Keys are no longer fresh.
    Young,
    /// They are too old.
    Age,
    /// They are too old also for an outage.
    Stale,
    /// The issuer may be asked again.
    Cooldown,
    /// Metadata is read again.
    Metadata,
}

/// What a request comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passes, and this is fetched behind it.
    Allowed(Option<String>),
    /// 401, for that reason.
    Refused(&'static str),
    /// 503, for that reason, and the seconds after which to ask again.
    Unavailable(&'static str, u64),
    /// It waits for this.
    Waits(String),
}

impl Knowledge {
    pub fn state(&self, rules: &Rules, now: u64) -> KeyState {
        let has_failed = self.attempt.is_some_and(|(_, failed)| failed);
        let untrusted = match has_failed {
            true => KeyState::Unavailable,
            false => KeyState::Awaited,
        };
        let Some(set) = &self.set else {
            return untrusted;
        };
        // A clock that was set back does not tell how old keys are, but for the second by which clocks are slewed.
        let is_past = set.fetched <= now + 1000;
        let age = now.abs_diff(set.fetched);
        match () {
            () if is_past && 5 * age <= 4 * set.age_allowed => KeyState::Fresh,
            () if is_past && age <= set.age_allowed => KeyState::Refreshing,
            () if has_failed && age <= set.age_allowed + rules.max_stale => KeyState::Stale,
            () => untrusted,
        }
    }

    pub fn is_trusted(&self, rules: &Rules, now: u64) -> bool {
        let state = self.state(rules, now);
        matches!(
            state,
            KeyState::Fresh | KeyState::Refreshing | KeyState::Stale
        )
    }

    /// What is fetched behind the scenes.
    pub fn due(&self, rules: &Rules, name: &str, now: u64) -> Option<String> {
        let is_due = self.next.is_some()
            || match self.state(rules, now) {
                KeyState::Fresh => false,
                KeyState::Awaited => self.attempt.is_some(),
                KeyState::Refreshing | KeyState::Stale | KeyState::Unavailable => {
                    self.may_retry(rules, now)
                }
            };
        is_due.then(|| self.url(rules, name, now))
    }

    /// What comes of a request with that token.
    pub fn outcome(&self, rules: &Rules, name: &str, token: &Token, now: u64) -> Outcome {
        let wait = || Outcome::Waits(self.url(rules, name, now));
        let unavailable = |reason| {
            let seconds = self.cooldown_left(rules, now).div_ceil(1000);
            Outcome::Unavailable(reason, seconds.max(1))
        };
        if !self.is_trusted(rules, now) {
            return match self.next.is_some() || self.may_retry(rules, now) {
                true => wait(),
                false => unavailable("keys_unavailable"),
            };
        }
        let set = self.set.as_ref().unwrap();
        if set.keys.contains(&token.kid) {
            return match token.is_forged {
                true => Outcome::Refused("signature_invalid"),
                false => Outcome::Allowed(self.due(rules, name, now)),
            };
        }
        if self.next.is_some() || self.cooldown_left(rules, now) == 0 {
            return wait();
        }
        let has_failed = self.attempt.is_some_and(|(_, failed)| failed);
        // A second of `iat` may be any moment in it. A set that was emptied on purpose says that there are no other keys.
        let is_newer = token.issued.is_some_and(|issued| {
            let as_of = START * 1000 + set.as_of.min(set.fetched);
            let is_past = issued * 1000 <= START * 1000 + now + SKEW * 1000;
            is_past && (issued + 1) * 1000 > as_of && !set.keys.is_empty()
        });
        match (has_failed, is_newer) {
            (true, _) => unavailable("keys_unavailable"),
            (false, true) => unavailable("kid_awaited"),
            (false, false) => Outcome::Refused("kid_unknown"),
        }
    }

    /// What is asked for next: in the round that has begun, or else at the beginning of one.
    pub fn ask(&self, rules: &Rules, now: u64) -> Ask {
        let metadata_counts = self
            .named
            .is_some_and(|(_, read)| now.abs_diff(read) <= METADATA_AGE);
        match self.next {
            Some(ask) => ask,
            None if !rules.discovers || (metadata_counts && !self.in_doubt) => Ask::Keys,
            None => Ask::OpenId,
        }
    }

    pub fn url(&self, rules: &Rules, name: &str, now: u64) -> String {
        let place = self.named.map_or(0, |(place, _)| place);
        let path = match self.ask(rules, now) {
            Ask::OpenId => ".well-known/openid-configuration".to_owned(),
            Ask::OAuth => ".well-known/oauth-authorization-server".to_owned(),
            Ask::Keys => format!("keys/{place}"),
        };
        format!("https://{name}.example/{path}")
    }

    /// Takes in what became of asking for that.
    pub fn learn(
        &mut self,
        rules: &Rules,
        (asked, began): (Ask, u64),
        said: &Said,
        now: u64,
    ) -> Lesson {
        let good_keys = match said {
            Said::Keys { keys, max_age } if !keys.is_empty() || rules.empty_means_nobody => {
                Some((keys, max_age))
            }
            _ => None,
        };
        let (lesson, next) = match (asked, said) {
            (Ask::OpenId | Ask::OAuth, Said::Place(place)) => {
                self.named = Some((*place, now));
                (Lesson::Place, Some(Ask::Keys))
            }
            // Somebody answers there: the other place is worth a try.
            (Ask::OpenId, Said::Useless) => (Lesson::Nothing, Some(Ask::OAuth)),
            // What it said before counts while it cannot be read.
            (Ask::OpenId | Ask::OAuth, _) if self.named.is_some() => {
                (Lesson::Nothing, Some(Ask::Keys))
            }
            (Ask::OpenId | Ask::OAuth, _) => (Lesson::Nothing, None),
            (Ask::Keys, _) => match good_keys {
                Some((keys, max_age)) => {
                    self.set = Some(Set {
                        keys: keys.clone(),
                        fetched: now,
                        as_of: began,
                        age_allowed: rules.age_allowed(*max_age),
                    });
                    (Lesson::Keys(keys.len()), None)
                }
                None => (Lesson::Nothing, None),
            },
        };
        self.next = next;
        if next.is_none() {
            let has_failed = lesson == Lesson::Nothing;
            self.attempt = Some((now, has_failed));
            self.in_doubt = has_failed;
        }
        lesson
    }

    /// Takes in what another instance knew: of sets, of attempts and of names the later one counts, and one of the future is none. Says
    /// whether that was news.
    pub fn absorb(&mut self, left: &Self, now: u64) -> bool {
        let is_later = |mine: Option<u64>, theirs: Option<u64>| {
            theirs > mine.filter(|moment| *moment <= now + 1000)
        };
        let mut is_news = false;
        if is_later(
            self.attempt.map(|(at, _)| at),
            left.attempt.map(|(at, _)| at),
        ) {
            is_news = true;
            self.attempt = left.attempt;
            // That instance has made a round: there is no sense in going on with another.
            self.next = None;
            self.in_doubt = left.attempt.is_some_and(|(_, failed)| failed);
            if is_later(
                self.named.map(|(_, read)| read),
                left.named.map(|(_, read)| read),
            ) {
                self.named = left.named;
            }
        }
        let fetched = |set: &Option<Set>| set.as_ref().map(|set| set.fetched);
        if is_later(fetched(&self.set), fetched(&left.set)) {
            is_news = true;
            self.set.clone_from(&left.set);
        }
        is_news
    }

    /// The first moments after which something is otherwise by itself.
    pub fn edges(&self, rules: &Rules) -> Vec<(Edge, u64)> {
        let mut edges = Vec::new();
        if let Some(set) = &self.set {
            let age = set.age_allowed;
            let last = [
                (Edge::Young, age * 4 / 5),
                (Edge::Age, age),
                (Edge::Stale, age + rules.max_stale),
            ];
            edges.extend(last.map(|(edge, age)| (edge, set.fetched + age + 1)));
        }
        edges.extend(
            self.attempt
                .map(|(at, _)| (Edge::Cooldown, at + rules.cooldown)),
        );
        edges.extend(
            self.named
                .map(|(_, read)| (Edge::Metadata, read + METADATA_AGE + 1)),
        );
        edges
    }

    fn may_retry(&self, rules: &Rules, now: u64) -> bool {
        let has_failed = self.attempt.is_some_and(|(_, failed)| failed);
        !has_failed || self.cooldown_left(rules, now) == 0
    }

    fn cooldown_left(&self, rules: &Rules, now: u64) -> u64 {
        self.attempt
            .map_or(0, |(at, _)| rules.cooldown.saturating_sub(now.abs_diff(at)))
    }
}
