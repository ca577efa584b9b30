//! The keys of the issuer over time: those that sign, and those that did.

use std::time::SystemTime;

use scopegate_core::Algorithm;
use serde_json::{Value, json};

use super::key_pair::KeyPair;

/// The most keys that are published: a gate reads no more of a set (`jwks` of the core).
const MAX_PUBLISHED: usize = 50;

/// The keys of an issuer.
pub(super) struct KeyRing {
    /// They sign, one for each algorithm; the first where none is named.
    current: Vec<KeyPair>,
    /// They signed, the latest first.
    old: Vec<OldKey>,
}

/// The public half of a key that signs no more.
struct OldKey {
    jwk: Value,
    /// Published before that.
    until: SystemTime,
}

impl KeyRing {
    pub(super) fn of(current: Vec<KeyPair>) -> Self {
        Self {
            current,
            old: Vec::new(),
        }
    }

    /// Those that sign.
    pub(super) fn current(&self) -> &[KeyPair] {
        &self.current
    }

    /// The one that signs with that algorithm; the first where none is named.
    pub(super) fn signing(&self, algorithm: Option<Algorithm>) -> Option<&KeyPair> {
        let fits = |key: &&KeyPair| algorithm.is_none_or(|wanted| key.algorithm() == wanted);
        self.current.iter().find(fits)
    }

    /// Lets other keys sign from now on. The old ones stay published before `until` at the longest, as far as there is room.
    pub(super) fn rotate(
        &mut self,
        fresh: Vec<KeyPair>,
        until: SystemTime,
        now: SystemTime,
    ) -> anyhow::Result<()> {
        let mut old = Vec::new();
        for key in &self.current {
            let jwk = key.public_jwk()?;
            old.push(OldKey { jwk, until });
        }
        old.append(&mut self.old);
        old.retain(|key| now < key.until.min(until));
        old.truncate(MAX_PUBLISHED.saturating_sub(fresh.len()));
        self.old = old;
        self.current = fresh;
        Ok(())
    }

    /// The key set that is published now (RFC 7517 section 5).
    pub(super) fn published(&self, now: SystemTime) -> anyhow::Result<Value> {
        let mut keys = Vec::new();
        for key in &self.current {
            keys.push(key.public_jwk()?);
        }
        let old = self.old.iter().filter(|key| now < key.until);
        keys.extend(old.map(|key| key.jwk.clone()));
        Ok(json!({ "keys": keys }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds))
            .unwrap()
    }

    fn fresh() -> Vec<KeyPair> {
        vec![KeyPair::generate(Algorithm::Ed25519).unwrap()]
    }

    fn published(ring: &KeyRing, now: u64) -> Vec<String> {
        let set = ring.published(at(now)).unwrap();
        let keys = set["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn an_old_key_is_published_until_its_time_and_signs_no_more() {
        let mut ring = KeyRing::of(fresh());
        let first = ring.signing(None).unwrap().id();
        ring.rotate(fresh(), at(100), at(40)).unwrap();
        let second = ring.signing(None).unwrap().id();
        assert_ne!(first, second);
        assert_eq!(published(&ring, 99), [second.clone(), first]);
        assert_eq!(published(&ring, 100), [second]);
    }

    #[test]
    fn without_an_overlap_the_old_keys_are_gone_at_once() {
        let mut ring = KeyRing::of(fresh());
        ring.rotate(fresh(), at(100), at(30)).unwrap();
        assert_eq!(published(&ring, 40).len(), 2);
        ring.rotate(fresh(), at(40), at(40)).unwrap();
        assert_eq!(published(&ring, 40).len(), 1);
    }

    #[test]
    fn there_are_never_more_keys_than_a_gate_reads() {
        let mut ring = KeyRing::of(fresh());
        for now in 0..60 {
            ring.rotate(fresh(), at(1000), at(now)).unwrap();
        }
        assert_eq!(published(&ring, 60).len(), MAX_PUBLISHED);
    }

    #[test]
    fn an_algorithm_without_a_key_does_not_sign() {
        let ring = KeyRing::of(fresh());
        assert!(ring.signing(Some(Algorithm::Ed25519)).is_some());
        assert!(ring.signing(Some(Algorithm::Rs256)).is_none());
    }
}
