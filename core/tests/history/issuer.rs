//! An issuer: its keys, where it has them, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use scopegate_core::{FetchFailure, KeyAnswer};

use crate::step::Event;
use crate::token::{STRANGE, key_set};

/// The issuers' names in the policy.
pub const NAMES: [&str; 2] = ["one", "two"];

/// How its server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Well,
    /// No connection.
    Refuses,
    /// No answer in time.
    Hangs,
    /// Status 500 for everything.
    Errs,
    /// Status 200, and a page that is no document of ours.
    Pages,
    /// A redirect to where keys are.
    Redirects,
}

/// Where it publishes its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    OpenId,
    OAuth,
    Nowhere,
    /// In the name of another issuer.
    Foreign,
}

#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its place in the policy.
    number: usize,
    /// The keys that it publishes.
    pub keys: BTreeSet<u8>,
    /// Since when each of them has been there without a break.
    pub since: BTreeMap<u8, u64>,
    /// The key that it signs with.
    pub signs_with: u8,
    pub health: Health,
    pub metadata: Metadata,
    /// The keys are at `/keys/PLACE`.
    pub place: u8,
    /// What still stands at the places before that.
    pub left_behind: Option<BTreeSet<u8>>,
    /// `max-age`, in seconds.
    pub max_age: Option<u64>,
    /// When anything of that changed last.
    pub changed: u64,
}

/// What a fetch brings, in the oracle's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Keys {
        keys: BTreeSet<u8>,
        max_age: Option<u64>,
    },
    /// The keys are at that place.
    Place(u8),
    /// Something else than was asked for.
    Useless,
    Nothing,
}

impl Issuer {
    pub fn new(number: usize) -> Self {
        Self {
            number,
            keys: BTreeSet::from([1]),
            since: BTreeMap::from([(1, 0)]),
            signs_with: 1,
            health: Health::Well,
            metadata: Metadata::OpenId,
            place: 0,
            left_behind: None,
            max_age: None,
            changed: 0,
        }
    }

    pub fn undergo(&mut self, event: Event, now: u64) {
        let next_key = self.signs_with % (STRANGE - 1) + 1;
        match event {
            Event::Health(health) => self.health = health,
            Event::Rotate => {
                self.signs_with = next_key;
                self.keys.insert(next_key);
            }
            Event::Retire => self.keys = BTreeSet::from([self.signs_with]),
            Event::Replace => {
                self.signs_with = next_key;
                self.keys = BTreeSet::from([next_key]);
            }
            Event::Empty => self.keys.clear(),
            Event::Metadata(metadata) => self.metadata = metadata,
            Event::Move { leaves_old } => {
                self.place = 1 - self.place;
                self.left_behind = leaves_old.then(|| self.keys.clone());
            }
            Event::MaxAge(seconds) => self.max_age = seconds,
        }
        self.since.retain(|key, _| self.keys.contains(key));
        for key in &self.keys {
            self.since.entry(*key).or_insert(now);
        }
        self.changed = now;
    }

    /// What it says at that address.
    pub fn say(&self, url: &str) -> (Said, Result<KeyAnswer, FetchFailure>) {
        let no_fields = <[(&str, &str); 0]>::default();
        let useless = |status: u16, body: &str| {
            (
                Said::Useless,
                Ok(KeyAnswer::new(status, no_fields, body.into())),
            )
        };
        match self.health {
            Health::Well => {}
            Health::Refuses => return (Said::Nothing, Err(FetchFailure::Unreachable)),
            Health::Hangs => return (Said::Nothing, Err(FetchFailure::Timeout)),
            Health::Errs => return useless(500, ""),
            Health::Pages => return useless(200, "<html></html>"),
            Health::Redirects => return useless(302, &key_set(self.number, &self.keys)),
        }
        let home = format!("https://{}.example/", NAMES[self.number]);
        let path = url.strip_prefix(&home).unwrap();
        match path.strip_prefix("keys/") {
            Some(place) => match (
                place.parse::<u8>().unwrap() == self.place,
                &self.left_behind,
            ) {
                (true, _) => self.keys_at(&self.keys),
                (false, Some(left)) => self.keys_at(left),
                (false, None) => useless(404, ""),
            },
            None => {
                let asked = match path {
                    ".well-known/openid-configuration" => Metadata::OpenId,
                    ".well-known/oauth-authorization-server" => Metadata::OAuth,
                    _ => panic!("nobody may ask for {url}"),
                };
                let document = |issuer: &str| {
                    format!(
                        r#"{{"issuer":"{issuer}","jwks_uri":"{home}keys/{}"}}"#,
                        self.place
                    )
                };
                match self.metadata {
                    Metadata::Foreign => useless(200, &document("https://other.example/")),
                    served if served == asked => {
                        let body = document(&home).into_bytes();
                        (
                            Said::Place(self.place),
                            Ok(KeyAnswer::new(200, no_fields, body)),
                        )
                    }
                    Metadata::OpenId | Metadata::OAuth | Metadata::Nowhere => useless(404, ""),
                }
            }
        }
    }

    fn keys_at(&self, keys: &BTreeSet<u8>) -> (Said, Result<KeyAnswer, FetchFailure>) {
        let said = Said::Keys {
            keys: keys.clone(),
            max_age: self.max_age,
        };
        let field = self
            .max_age
            .map(|seconds| ("cache-control", format!("max-age={seconds}")));
        let body = key_set(self.number, keys).into_bytes();
        (said, Ok(KeyAnswer::new(200, field, body)))
    }
}
