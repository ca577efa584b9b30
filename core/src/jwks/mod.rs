//! An issuer's key set (RFC 7517), and which of its keys a token means.

mod jwk;

use std::sync::Arc;
use std::{error, fmt};

use sha2::{Digest as _, Sha256};

use crate::json::{InvalidJson, Object, Value};
use crate::octets::are_same;
use crate::verify::{Algorithm, PublicKey};
pub(crate) use jwk::UnusableKey;

/// The largest key set that is read, in bytes. Fifty RSA keys of 4096 bits with a certificate each still fit.
pub const MAX_KEY_SET_BYTES: usize = 64 * 1024;

/// The most keys in a set, unusable ones counted. Issuers publish two to six; a search goes through all of them.
pub(crate) const MAX_KEYS: usize = 50;

/// The usable keys of one issuer, and what is known of the others.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
    skipped: Vec<SkippedKey>,
}

/// A key that verifies tokens of its issuer.
#[derive(Clone)]
pub(crate) struct Key {
    /// `kid` (RFC 7517 section 4.5).
    pub(crate) kid: Option<Arc<str>>,
    /// `alg` (section 4.4): the only algorithm it serves. Without one, it serves every algorithm of its type.
    pub(crate) algorithm: Option<Algorithm>,
    /// The key itself.
    pub(crate) public: PublicKey,
    /// SHA-256 over `kid`, `alg` and the key: two keys are the same key when this is the same.
    pub(crate) thumbprint: [u8; 32],
}

/// A member of the set that no token may be verified with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SkippedKey {
    /// Its `kid`, if it has a readable one.
    pub(crate) kid: Option<String>,
    /// Why it was skipped.
    pub(crate) reason: UnusableKey,
}

/// What a set without any usable key means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnEmpty {
    /// A mistake, like an answer that cannot be read: the keys held go on to serve.
    #[default]
    Keep,
    /// What it says: nobody's signature counts any more.
    Refuse,
}

/// Why a document is not a key set, or one without use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKeySet {
    /// Larger than 64 KiB.
    TooLarge,
    /// Not one JSON object that everybody reads alike.
    ///
    /// Duplicate names are refused here as in tokens. A set that names `n` twice is a key to one reader and another
    /// key to the next, and no issuer's software writes such a thing by itself.
    Json(InvalidJson),
    /// No array by the name of `keys` (RFC 7517 section 5.1).
    NoKeyArray,
    /// More than 50 keys.
    TooManyKeys {
        /// How many.
        count: usize,
    },
    /// Not one key in it is usable.
    NoKeys,
}

/// The answer to "which key verifies this token?".
#[derive(Clone, Copy, Debug)]
pub(crate) enum Selection<'a> {
    /// This one, and no other.
    Found(&'a Key),
    /// The set has no such key: no key of that `kid`, or none that serves a token without `kid`. A newer set may.
    Unknown,
    /// The set has a key of that `kid`, but it was skipped, or it does not serve the algorithm. A newer set will not help.
    Unusable,
    /// Several keys would do, and to try one after the other would be to let the token choose.
    Ambiguous,
}

/// Whether a key of this document holds what nobody but its owner may know, whatever it is for.
pub(crate) fn holds_secret(body: &[u8]) -> bool {
    let keys_hold_one = |document: Object| {
        let keys = document.get("keys").and_then(Value::as_array);
        let mut keys = keys.into_iter().flatten().filter_map(Value::as_object);
        keys.any(jwk::holds_secret)
    };
    Object::parse(body).is_ok_and(keys_hold_one)
}

impl KeySet {
    /// Reads a JWK set, and imports its usable keys. The others are skipped, and remembered by their `kid`.
    ///
    /// # Errors
    /// The document is too large or no key set, or holds no usable key where that is not what it may mean.
    pub(crate) fn parse(body: &[u8], on_empty: OnEmpty) -> Result<Self, InvalidKeySet> {
        if body.len() > MAX_KEY_SET_BYTES {
            return Err(InvalidKeySet::TooLarge);
        }
        let document = Object::parse(body).map_err(InvalidKeySet::Json)?;
        let Some(Value::Array(members)) = document.get("keys") else {
            return Err(InvalidKeySet::NoKeyArray);
        };
        let count = members.count();
        if count > MAX_KEYS {
            return Err(InvalidKeySet::TooManyKeys { count });
        }
        let mut set = Self {
            keys: Vec::new(),
            skipped: Vec::new(),
        };
        // RFC 7517 section 5 lets a member be anything, and wants what is not understood to be ignored.
        for member in members.filter_map(Value::as_object) {
            match jwk::import(member) {
                // The same key listed twice is still one key, not two to choose from.
                Ok(key) if set.has(&key.thumbprint) => {}
                Ok(key) => set.keys.push(key),
                Err(skipped) => set.skipped.push(skipped),
            }
        }
        match (set.keys.is_empty(), on_empty) {
            (true, OnEmpty::Keep) => Err(InvalidKeySet::NoKeys),
            (true, OnEmpty::Refuse) | (false, _) => Ok(set),
        }
    }

    /// The key that a token with this `kid` and this algorithm must be signed with. `kid` is compared byte for byte.
    pub(crate) fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Selection<'_> {
        let is_kid =
            |known: &str| kid.is_some_and(|kid| are_same(known.as_bytes(), kid.as_bytes()));
        let named = |key: &&Key| kid.is_none() || key.kid.as_deref().is_some_and(is_kid);
        let mut fitting = self
            .keys
            .iter()
            .filter(named)
            .filter(|key| key.serves(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Selection::Found(key),
            (Some(_), Some(_)) => Selection::Ambiguous,
            (None, _) if kid.is_some_and(|kid| self.mentions(kid)) => Selection::Unusable,
            (None, _) => Selection::Unknown,
        }
    }

    /// Whether the key of that thumbprint is among the usable ones.
    pub(crate) fn has(&self, thumbprint: &[u8; 32]) -> bool {
        self.keys.iter().any(|key| key.thumbprint == *thumbprint)
    }

    /// The first key that was skipped for a fault of its own, and not because it serves something else.
    pub(crate) fn broken_key(&self) -> Option<UnusableKey> {
        let mut reasons = self.skipped.iter().map(|key| key.reason);
        reasons.find(|reason| match reason {
            UnusableKey::Member { .. } | UnusableKey::Published | UnusableKey::Invalid(_) => true,
            UnusableKey::KeyType
            | UnusableKey::Curve
            | UnusableKey::Algorithm
            | UnusableKey::Purpose => false,
        })
    }

    /// How many usable keys there are: none only where [`OnEmpty::Refuse`] allowed that.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    fn mentions(&self, kid: &str) -> bool {
        let usable = self.keys.iter().map(|key| key.kid.as_deref());
        let skipped = self.skipped.iter().map(|key| key.kid.as_deref());
        usable.chain(skipped).any(|known| known == Some(kid))
    }
}

impl Key {
    fn new(kid: Option<&str>, algorithm: Option<Algorithm>, public: PublicKey) -> Self {
        let thumbprint = thumbprint(kid, algorithm, &public);
        Self {
            kid: kid.map(Arc::from),
            algorithm,
            public,
            thumbprint,
        }
    }

    /// Whether tokens with that algorithm may be verified with this key.
    pub(crate) fn serves(&self, algorithm: Algorithm) -> bool {
        self.public.fits(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }
}

/// Each part goes in behind its length, and what is absent as something that no present part looks like.
fn thumbprint(kid: Option<&str>, algorithm: Option<Algorithm>, public: &PublicKey) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [
        kid.map(str::as_bytes),
        algorithm.map(|algorithm| algorithm.name().as_bytes()),
        Some(public.spki_der()),
    ] {
        match part {
            Some(bytes) => {
                hash.update([1]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
            None => hash.update([0]),
        }
    }
    hash.finalize().into()
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.thumbprint == other.thumbprint
    }
}

impl Eq for Key {}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.keys)
            .field("skipped", &self.skipped)
            .finish()
    }
}

impl fmt::Debug for Key {
    /// Keys never print; what they are for does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkippedKey")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for InvalidKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the key set is larger than {MAX_KEY_SET_BYTES} bytes"),
            Self::Json(cause) => write!(f, "the key set cannot be read: {cause}"),
            Self::NoKeyArray => f.write_str("the key set has no array `keys`"),
            Self::TooManyKeys { count } => {
                write!(f, "the key set has {count} keys, more than {MAX_KEYS}")
            }
            Self::NoKeys => f.write_str("the key set has no usable key"),
        }
    }
}

impl error::Error for InvalidKeySet {}

#[cfg(test)]
mod tests;
