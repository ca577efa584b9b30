//! Verification in the module itself, on any host: with our own RSA, and the primitives under jwt-simple's key types.

use p384::ecdsa::signature::Verifier as _;

use super::key::Material;
use super::{Algorithm, InvalidSignature, PublicKey, Verifier, rsa};

/// The verifier that is in the module itself and needs nothing of its host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Verifier for Portable {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let verified = match key.material() {
            Material::Rsa(modulus) => rsa::verify(algorithm, modulus, signing_input, signature),
            Material::P256(key) => match algorithm {
                Algorithm::Es256 => key.verify(signing_input, signature),
                _ => false,
            },
            Material::P384(key) => match algorithm {
                Algorithm::Es384 => p384::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(signing_input, &signature).is_ok()),
                _ => false,
            },
            Material::Ed25519(key) => match algorithm {
                Algorithm::Ed25519 => key.verify(signing_input, signature),
                _ => false,
            },
        };
        if verified {
            Ok(())
        } else {
            Err(InvalidSignature)
        }
    }
}
