//! The two spellings of an ECDSA signature.

use super::Algorithm;

/// Spells an ECDSA signature as DER (`Ecdsa-Sig-Value`, RFC 3279 section 2.2.3), which Envoy's `verify_signature`
/// wants, from the r‖s of RFC 7518 section 3.4.
///
/// Nothing when the algorithm is not ECDSA, the length is wrong, or r or s is zero or not below the group's order: no
/// key has made such a signature.
pub fn ecdsa_signature_der(algorithm: Algorithm, signature: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Es256 => {
            let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        Algorithm::Es384 => {
            let signature = p384::ecdsa::Signature::from_slice(signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Ed25519 => None,
    }
}
