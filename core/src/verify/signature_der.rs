//! The two spellings of an ECDSA signature.

use scopegate_signatures::{es256, es384};

use super::{Algorithm, der};

/// Spells an ECDSA signature as DER (`Ecdsa-Sig-Value`, RFC 3279 section 2.2.3), which Envoy's `verify_signature`
/// wants, from the r‖s of RFC 7518 section 3.4.
///
/// Nothing when the algorithm is not ECDSA, the length is wrong, or r or s is zero or not below the group's order: no
/// key has made such a signature.
pub fn ecdsa_signature_der(algorithm: Algorithm, signature: &[u8]) -> Option<Vec<u8>> {
    let is_signature = match algorithm {
        Algorithm::Es256 => es256::is_signature(signature),
        Algorithm::Es384 => es384::is_signature(signature),
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Ed25519 => false,
    };
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    is_signature.then(|| der::ecdsa_signature(r, s))
}
