//! The issuer of every token that may pass: three keys from fixed seeds, and tokens of which all is known.

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use ed25519_compact::{KeyPair, Seed};

/// The moment at which every input starts, in seconds since the Unix epoch.
pub const START: u64 = 1_800_000_000;
/// The clock skew that the gate allows, in seconds.
pub const SKEW: u64 = 10;
/// How long a token lives that is not made to expire: longer than keys serve, so that both ends are seen.
const LIFE: u64 = 7_200;

/// The `iss` of the issuer that the gate has keys of.
pub const MAIN: &str = "https://tenant.example/";
/// The `iss` of the issuer that the gate has no keys of.
pub const OTHER: &str = "https://other.example/";
/// The audience of the gate.
pub const AUDIENCE: &str = "https://timesheets.example.com/api";
/// The scope that the routes for reading want.
pub const READ: &str = "read:timesheets";

/// Whose key signs.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The key `k1` of the main issuer.
    Main,
    /// The key `k1` of the other issuer.
    Other,
    /// A key in no set.
    Stranger,
}

/// The numbers from which the keys are made: seeds of 32 times that octet.
fn key_pair(signer: Signer) -> &'static KeyPair {
    static PAIRS: LazyLock<[KeyPair; 3]> =
        LazyLock::new(|| [1, 2, 9].map(|number| KeyPair::from_seed(Seed::new([number; 32]))));
    let [main, other, stranger] = &*PAIRS;
    match signer {
        Signer::Main => main,
        Signer::Other => other,
        Signer::Stranger => stranger,
    }
}

/// The public key as the member `x` of a JSON Web Key (RFC 8037 section 2).
pub fn x(signer: Signer) -> String {
    BASE64URL.encode(&key_pair(signer).pk[..])
}

/// A key set with that key alone, its `kid` being `k1`.
pub fn key_set(signer: Signer) -> String {
    let x = x(signer);
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"{x}"}}]}}"#)
}

/// A token of these two texts, whatever they say. Ed25519 signs the same input in one way.
pub fn sign(header: &[u8], claims: &[u8], signer: Signer) -> String {
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims));
    let signature = key_pair(signer).sk.sign(&input, None);
    format!("{input}.{}", BASE64URL.encode(&signature[..]))
}

/// A token, and all that a second reader has to know about it.
#[derive(Clone, Debug)]
pub struct Known {
    /// What stands for it in an input, as in `${read}`.
    pub name: &'static str,
    /// The token itself.
    pub token: String,
    /// Its `iss`.
    pub issuer: &'static str,
    /// Whose key signed it, which need not be the issuer's.
    pub signer: Signer,
    /// Its scopes, parted by spaces.
    pub scopes: &'static str,
    /// From when, in seconds since the Unix epoch.
    pub not_before: u64,
    /// Until when, in seconds since the Unix epoch.
    pub expires: u64,
}

impl Known {
    /// Whether it is a token for that moment, in milliseconds, by a clock that may be off by [`SKEW`].
    pub fn is_valid_at(&self, now: u64) -> bool {
        now < (self.expires + SKEW) * 1000 && (self.not_before - SKEW) * 1000 <= now
    }

    /// Whether it holds that scope; the empty one is nothing to hold.
    pub fn holds(&self, scope: &str) -> bool {
        scope.is_empty() || self.scopes.split(' ').any(|held| held == scope)
    }
}

/// Every token that an input can name.
pub fn known() -> &'static [Known] {
    static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
        let good = Plan {
            name: "read",
            issuer: MAIN,
            signer: Signer::Main,
            scopes: READ,
            not_before: START,
            expires: START + LIFE,
        };
        vec![
            good.make(),
            Plan {
                name: "none",
                scopes: "",
                ..good
            }
            .make(),
            Plan {
                name: "write",
                scopes: "write:timesheets read:timesheets.all",
                ..good
            }
            .make(),
            Plan {
                name: "both",
                scopes: "delete:timesheets read:timesheets",
                ..good
            }
            .make(),
            Plan {
                name: "short",
                expires: START + 60,
                ..good
            }
            .make(),
            Plan {
                name: "expired",
                expires: START - 60,
                ..good
            }
            .make(),
            Plan {
                name: "later",
                not_before: START + 60,
                ..good
            }
            .make(),
            Plan {
                name: "forged",
                signer: Signer::Stranger,
                ..good
            }
            .make(),
            Plan {
                name: "other",
                issuer: OTHER,
                signer: Signer::Other,
                ..good
            }
            .make(),
            // The other issuer's key, in the name of the main one.
            Plan {
                name: "crossed",
                signer: Signer::Other,
                ..good
            }
            .make(),
            Plan {
                name: "unknown",
                issuer: "https://evil.example/",
                ..good
            }
            .make(),
        ]
    });
    &KNOWN
}

/// The known token of that name.
pub fn named(name: &str) -> Option<&'static Known> {
    known().iter().find(|known| known.name == name)
}

/// An input with the tokens in it that it names.
pub fn fill(text: &[u8]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let placeholder = known().iter().find_map(|known| {
            let behind = rest
                .strip_prefix(b"${")?
                .strip_prefix(known.name.as_bytes())?;
            Some((known, behind.strip_prefix(b"}")?))
        });
        match placeholder {
            Some((known, behind)) => {
                filled.extend_from_slice(known.token.as_bytes());
                rest = behind;
            }
            None => {
                filled.push(*first);
                rest = behind;
            }
        }
    }
    filled
}

/// What goes into a known token.
#[derive(Clone, Copy)]
struct Plan {
    name: &'static str,
    issuer: &'static str,
    signer: Signer,
    scopes: &'static str,
    not_before: u64,
    expires: u64,
}

impl Plan {
    fn make(self) -> Known {
        let Self {
            name,
            issuer,
            signer,
            scopes,
            not_before,
            expires,
        } = self;
        let claims = format!(
            r#"{{"iss":"{issuer}","aud":"{AUDIENCE}","sub":"{name}","nbf":{not_before},"exp":{expires},"scope":"{scopes}"}}"#
        );
        Known {
            name,
            token: sign(br#"{"alg":"EdDSA","kid":"k1"}"#, claims.as_bytes(), signer),
            issuer,
            signer,
            scopes,
            not_before,
            expires,
        }
    }
}
