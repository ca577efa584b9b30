//! Verification with the primitives under jwt-simple's key types, on any host.

use p384::ecdsa::signature::Verifier as _;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::AssociatedOid;
use rsa::sha2::digest::FixedOutputReset;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::signature::Verifier as _;
use rsa::{RsaPublicKey, pss};

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
            Material::Rsa(key) => verify_rsa(algorithm, key, signing_input, signature),
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

/// The padding says which hash was signed; for PSS the salt is as long as the hash (RFC 7518 section 3.5).
fn verify_rsa(
    algorithm: Algorithm,
    key: &RsaPublicKey,
    signing_input: &[u8],
    signature: &[u8],
) -> bool {
    match algorithm {
        Algorithm::Rs256 => verify_pkcs1::<Sha256>(key, signing_input, signature),
        Algorithm::Rs384 => verify_pkcs1::<Sha384>(key, signing_input, signature),
        Algorithm::Rs512 => verify_pkcs1::<Sha512>(key, signing_input, signature),
        Algorithm::Ps256 => verify_pss::<Sha256>(key, signing_input, signature),
        Algorithm::Ps384 => verify_pss::<Sha384>(key, signing_input, signature),
        Algorithm::Ps512 => verify_pss::<Sha512>(key, signing_input, signature),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Ed25519 => false,
    }
}

fn verify_pkcs1<D: Digest + AssociatedOid>(
    key: &RsaPublicKey,
    signing_input: &[u8],
    signature: &[u8],
) -> bool {
    key.verify(
        Pkcs1v15Sign::new::<D>(),
        &D::digest(signing_input),
        signature,
    )
    .is_ok()
}

/// Goes by `VerifyingKey`, whose construction copies the key (24 ns of 400 µs), because `RsaPublicKey::verify` with
/// `Pss` does not refuse a signature that is not smaller than the modulus (RFC 8017 section 5.2.2): each would have a
/// second spelling.
fn verify_pss<D: Digest + FixedOutputReset>(
    key: &RsaPublicKey,
    signing_input: &[u8],
    signature: &[u8],
) -> bool {
    pss::Signature::try_from(signature).is_ok_and(|signature| {
        pss::VerifyingKey::<D>::new(key.clone())
            .verify(signing_input, &signature)
            .is_ok()
    })
}
