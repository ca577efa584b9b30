//! Tokens as the cache's table knows them: hashed once, and compared whole.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, Hasher};

use crate::octets::are_same;

/// A token as it is looked for, with the hash that is computed once.
#[derive(Clone, Copy)]
pub(crate) struct TokenKey<'t> {
    pub(super) hash: u64,
    pub(super) text: &'t [u8],
}

/// A token in the table.
#[derive(Clone)]
pub(super) struct HeldToken {
    pub(super) hash: u64,
    pub(super) text: Box<[u8]>,
}

/// A token as the table hashes and compares it, held or looked for.
pub(super) trait Text {
    fn hash(&self) -> u64;
    fn text(&self) -> &[u8];
}

impl Text for HeldToken {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn text(&self) -> &[u8] {
        &self.text
    }
}

impl Text for TokenKey<'_> {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn text(&self) -> &[u8] {
        self.text
    }
}

impl<'t> Borrow<dyn Text + 't> for HeldToken {
    fn borrow(&self) -> &(dyn Text + 't) {
        self
    }
}

impl Hash for dyn Text + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Text::hash(self));
    }
}

impl PartialEq for dyn Text + '_ {
    fn eq(&self, other: &Self) -> bool {
        are_same(self.text(), other.text())
    }
}

impl Eq for dyn Text + '_ {}

impl Hash for HeldToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let text: &dyn Text = self;
        Hash::hash(text, state);
    }
}

impl PartialEq for HeldToken {
    fn eq(&self, other: &Self) -> bool {
        are_same(&self.text, &other.text)
    }
}

impl Eq for HeldToken {}

/// Hashes tokens for the table: each brings its hash along.
pub(super) struct Hashed;

/// The hash of one of them.
#[derive(Default)]
pub(super) struct KnownHash(u64);

impl BuildHasher for Hashed {
    type Hasher = KnownHash;

    fn build_hasher(&self) -> KnownHash {
        KnownHash::default()
    }
}

impl Hasher for KnownHash {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// What every hasher must have. A key brings a number, so that this is never called.
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(*octet);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_token_is_equal_whatever_the_hashes() {
        for length in [0, 1, 7, 8, 9, 16, 40, 47] {
            let text: Vec<u8> = (b'a'..).take(length).collect();
            let hash = 7;
            let held = HeldToken {
                hash,
                text: text.clone().into(),
            };
            let held: &dyn Text = &held;
            let is_held = |text: &[u8]| {
                let sought = TokenKey { hash, text };
                *held == *(&sought as &dyn Text)
            };
            assert!(is_held(&text), "{length}");
            for place in 0..length {
                let mut other = text.clone();
                other[place] ^= 1;
                assert!(!is_held(&other), "{length}, changed at {place}");
                assert!(!is_held(&text[..place]), "{length}, cut at {place}");
            }
            assert!(!is_held(&[&text[..], b"a"].concat()), "{length}, extended");
        }
    }

    #[test]
    fn a_token_that_is_held_has_the_hash_of_the_one_looked_for() {
        let (hash, text) = (0x0123_4567_89ab_cdef, &b"token"[..]);
        let held = HeldToken {
            hash,
            text: text.into(),
        };
        let sought: &dyn Text = &TokenKey { hash, text };
        assert_eq!(Hashed.hash_one(&held), hash);
        assert_eq!(Hashed.hash_one(sought), hash);
    }
}
