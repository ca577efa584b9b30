//! Signatures: the one way from an unverified token to claims that may permit something.

mod algorithm;
mod der;
mod key;
mod portable;
mod signature_der;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
mod tests;

use std::ops::Deref;
use std::{error, fmt};

pub use algorithm::Algorithm;
pub(crate) use key::InvalidKey;
pub use key::PublicKey;
pub use portable::Portable;
pub use signature_der::ecdsa_signature_der;

use crate::claims::Claims;
use crate::token::UnverifiedToken;

/// Checks a signature with a key. The portable implementation is one; Envoy's host function is the other.
pub trait Verifier {
    /// Whether `signature` is the holder's of `key` over `signing_input`.
    ///
    /// `verify` asks only when the key fits the algorithm and the signature has the right length. ECDSA signatures
    /// are r‖s (RFC 7518 section 3.4).
    ///
    /// # Errors
    /// It is not, or it could not be checked.
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature>;
}

/// The signature is not the key's. It does not say why: nobody who may be told could use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSignature;

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not verify")
    }
}

impl error::Error for InvalidSignature {}

/// A value out of a token whose signature has been verified. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verified<T>(T);

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl Verified<Claims> {
    /// Gives back the memory that was asked for and is not needed. The claims stay what they are.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink();
    }
}

/// Verifies the token's signature with `key`, and only then hands out its claims.
///
/// # Errors
/// The key is not one for the token's algorithm, the signature has the wrong length, or `verifier` refuses it.
pub(crate) fn verify(
    verifier: &dyn Verifier,
    key: &PublicKey,
    token: UnverifiedToken<'_>,
) -> Result<Verified<Claims>, InvalidSignature> {
    let algorithm = token.header.algorithm;
    // Before any verifier is asked, so that no implementation can be lenient about it: a key serves its own family
    // alone (RFC 8725 section 3.1), and each signature has one length.
    if !key.fits(algorithm) || token.signature.len() != key.signature_len() {
        return Err(InvalidSignature);
    }
    verifier.verify(algorithm, key, token.signing_input, &token.signature)?;
    Ok(Verified(token.claims))
}
