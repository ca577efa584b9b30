//! Tokens and key sets of the histories.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use scopegate_core::{Algorithm, InvalidSignature, PublicKey, Verifier};

use crate::support;

/// A `kid` that no issuer ever publishes; theirs are lower.
pub const STRANGE: u8 = 4;

/// A token as a client sends it. It never expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    /// Which issuer's, by its place in the policy.
    pub issuer: usize,
    /// The key that it names: `k1`, `k2`, ... Both issuers call their keys so.
    pub kid: u8,
    /// Signed with the other issuer's key of that name.
    pub is_forged: bool,
    /// `iat`, in seconds.
    pub issued: Option<u64>,
}

impl Token {
    pub fn text(&self) -> String {
        let header = format!(r#"{{"alg":"EdDSA","kid":"k{}"}}"#, self.kid);
        let issued = self
            .issued
            .map_or(String::new(), |issued| format!(r#""iat":{issued},"#));
        let name = ["one", "two"][self.issuer];
        let claims =
            format!(r#"{{{issued}"iss":"https://{name}.example/","aud":"api","exp":9000000000}}"#);
        let signer = match self.is_forged {
            true => 1 - self.issuer,
            false => self.issuer,
        };
        let signature = [public_key(signer, self.kid), [0; 32]].concat();
        [header.as_bytes(), claims.as_bytes(), &signature]
            .map(|part| BASE64URL.encode(part))
            .join(".")
    }
}

/// That issuer's keys of these names.
pub fn key_set(issuer: usize, kids: &BTreeSet<u8>) -> String {
    let jwk = |kid: &u8| {
        let x = BASE64URL.encode(public_key(issuer, *kid));
        format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k{kid}","x":"{x}"}}"#)
    };
    let jwks: Vec<String> = kids.iter().map(jwk).collect();
    format!(r#"{{"keys":[{}]}}"#, jwks.join(","))
}

fn public_key(issuer: usize, kid: u8) -> [u8; 32] {
    static KEYS: LazyLock<Vec<[u8; 32]>> = LazyLock::new(|| {
        (1..=2 * STRANGE)
            .map(|number| *support::key_pair(number).pk)
            .collect()
    });
    KEYS[usize::from(kid) - 1 + issuer * usize::from(STRANGE)]
}

/// In place of signatures, which would take most of the time and are tried elsewhere: a token carries the public key that it
/// claims to be signed with.
pub struct SameKey;

impl Verifier for SameKey {
    fn verify(
        &self,
        _: Algorithm,
        key: &PublicKey,
        _: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        // RFC 8410 section 4: the key's octets stand last in its SubjectPublicKeyInfo.
        match key.spki_der().ends_with(&signature[..32]) {
            true => Ok(()),
            false => Err(InvalidSignature),
        }
    }
}
