//! Verification in the module itself, on any host.

use scopegate_signatures::rsa::{self, Hash};

use super::key::Material;
use super::{Algorithm, InvalidSignature, PublicKey, Verifier};

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
            Material::Rsa(modulus) => match algorithm {
                Algorithm::Rs256 => {
                    rsa::verify_pkcs1(modulus, Hash::Sha256, signing_input, signature)
                }
                Algorithm::Rs384 => {
                    rsa::verify_pkcs1(modulus, Hash::Sha384, signing_input, signature)
                }
                Algorithm::Rs512 => {
                    rsa::verify_pkcs1(modulus, Hash::Sha512, signing_input, signature)
                }
                Algorithm::Ps256 => {
                    rsa::verify_pss(modulus, Hash::Sha256, signing_input, signature)
                }
                Algorithm::Ps384 => {
                    rsa::verify_pss(modulus, Hash::Sha384, signing_input, signature)
                }
                Algorithm::Ps512 => {
                    rsa::verify_pss(modulus, Hash::Sha512, signing_input, signature)
                }
                Algorithm::Es256 | Algorithm::Es384 | Algorithm::Ed25519 => false,
            },
            Material::P256(key) => match algorithm {
                Algorithm::Es256 => key.verify(signing_input, signature),
                _ => false,
            },
            Material::P384(key) => match algorithm {
                Algorithm::Es384 => key.verify(signing_input, signature),
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
