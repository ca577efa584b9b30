//! What is promised whatever happens, by what the issuer did and what clients and issuers saw: no word of how the gate comes to it.

use std::collections::BTreeSet;

use crate::issuer::{Health, Issuer, Metadata, Said};
use crate::knowledge::{METADATA_AGE, Outcome};
use crate::setting::{Rules, Setting};
use crate::support::START;
use crate::token::Token;

/// What one issuer was asked for, and what it gave: by one instance, or by all that share what they know.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// What was asked for at that moment.
    asked_at: (u64, BTreeSet<String>),
    /// What was asked for in the round under way.
    round: Vec<String>,
    began: u64,
    /// When the last round began that has ended, and when it ended.
    pub last: Option<(u64, u64)>,
}

/// The last good set that an instance was given: by the issuer, or by another instance.
#[derive(Clone, Debug)]
pub struct Given {
    pub at: u64,
    keys: BTreeSet<u8>,
    age_allowed: u64,
    /// The issuer had no others at that moment.
    is_all: bool,
}

impl Ledger {
    /// The same URL is never asked for twice at one moment, nor in one round; there are at most three URLs in a round, and a pause
    /// between two of them.
    pub fn asks(&mut self, rules: &Rules, url: &str, begins: bool, now: u64) {
        if self.asked_at.0 != now {
            self.asked_at = (now, BTreeSet::new());
        }
        assert!(
            self.asked_at.1.insert(url.to_owned()),
            "{url} is asked for twice at {now}"
        );
        if begins {
            if let Some((_, ended)) = self.last {
                let pause = now.abs_diff(ended);
                assert!(pause >= rules.least_pause(), "asked again after {pause} ms");
            }
            self.began = now;
            self.round.clear();
        }
        assert!(
            !self.round.iter().any(|asked| asked == url),
            "{url} twice in a round"
        );
        self.round.push(url.to_owned());
        assert!(self.round.len() <= 3, "{:?}", self.round);
    }

    pub fn ends(&mut self, now: u64) {
        self.last = Some((self.began, now));
    }
}

impl Given {
    /// What the issuer said, if that is a good set.
    pub fn by(issuer: &Issuer, said: &Said, rules: &Rules, now: u64) -> Option<Self> {
        match said {
            Said::Keys { keys, max_age } if !keys.is_empty() || rules.empty_means_nobody => {
                Some(Self {
                    at: now,
                    keys: keys.clone(),
                    age_allowed: rules.age_allowed(*max_age),
                    is_all: *keys == issuer.keys,
                })
            }
            _ => None,
        }
    }

    /// No key is trusted past fetch + age + `max_stale`, and none that the last set does not have.
    fn vouches(&self, rules: &Rules, kid: u8, now: u64) -> bool {
        self.keys.contains(&kid) && now.abs_diff(self.at) <= self.age_allowed + rules.max_stale
    }

    /// Whether this key serves whatever has become of its issuer.
    fn serves(&self, kid: u8, now: u64) -> bool {
        self.keys.contains(&kid) && now.abs_diff(self.at) <= self.age_allowed
    }
}

/// Checks an answer of an instance that was given those keys.
pub fn check_answer(
    rules: &Rules,
    issuer: &Issuer,
    given: Option<&Given>,
    token: &Token,
    outcome: &Outcome,
    now: u64,
) {
    let serves = given.is_some_and(|given| given.serves(token.kid, now));
    check_passing(rules, given, token, outcome, now);
    match outcome {
        Outcome::Allowed(_) => {}
        Outcome::Refused(reason) => {
            let is_ours = has_been_there(issuer, token, now) && !is_misled(rules, given);
            assert!(
                !is_ours,
                "{reason} for {token:?}, whose key has been there all the time"
            );
        }
        Outcome::Unavailable(_, seconds) => {
            assert!(*seconds >= 1 && *seconds * 1000 <= rules.cooldown.next_multiple_of(1000));
            assert!(!serves, "503 with keys at hand");
        }
        Outcome::Waits(_) => assert!(!serves, "waits with keys at hand"),
    }
}

/// What holds whatever the clock shows: nothing passes that is forged, or that nothing vouches for.
pub fn check_passing(
    rules: &Rules,
    given: Option<&Given>,
    token: &Token,
    outcome: &Outcome,
    now: u64,
) {
    if let Outcome::Allowed(_) = outcome {
        assert!(!token.is_forged, "a forged token passed");
        let vouches = given.is_some_and(|given| given.vouches(rules, token.kid, now));
        assert!(vouches, "nothing vouches for {token:?}");
    }
}

/// Whether an issuer that does well must be noticed by now: a good token then passes.
///
/// One cool-down after the last change of anything there, whatever was asked before. Where metadata had named another address, the first to
/// ask may find nothing there; a cool-down after that it is over. And an issuer that leaves old keys at an old address is found out when
/// metadata is read again.
pub fn must_be_served(
    setting: &Setting,
    issuer: &Issuer,
    ledger: &Ledger,
    token: &Token,
    now: u64,
) -> bool {
    let rules = &setting.rules;
    let is_good = !token.is_forged && issuer.keys.contains(&token.kid);
    let can_be_found = match issuer.metadata {
        _ if !rules.discovers => issuer.place == 0,
        Metadata::OpenId | Metadata::OAuth => true,
        Metadata::Nowhere | Metadata::Foreign => false,
    };
    if !is_good || !can_be_found || issuer.health != Health::Well || !setting.is_instant {
        return false;
    }
    if !rules.discovers {
        return now >= issuer.changed + rules.cooldown;
    }
    let noticed = match issuer.left_behind {
        None => issuer.changed,
        Some(_) => issuer.changed + METADATA_AGE + 1,
    };
    ledger
        .last
        .is_some_and(|(began, ended)| began > noticed && now >= ended + rules.cooldown)
}

/// Whether the token's key has been in the issuer's set from the second in which the token was issued until now.
fn has_been_there(issuer: &Issuer, token: &Token, now: u64) -> bool {
    let since = issuer.since.get(&token.kid);
    !token.is_forged
        && token.issued.zip(since).is_some_and(|(issued, since)| {
            let second = (issued - START) * 1000;
            second <= now && *since < second + 1000
        })
}

/// Whether the issuer itself gave out that its keys are others: at an old address, or by a set without any where that means nobody.
fn is_misled(rules: &Rules, given: Option<&Given>) -> bool {
    given.is_some_and(|given| !given.is_all || (rules.empty_means_nobody && given.keys.is_empty()))
}
