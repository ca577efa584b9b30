//! The libraries that others verify with, each as its documentation says, with a key that is parsed once.

use p256::ecdsa::signature::Verifier as _;
use rsa::BigUint;
use rsa::sha2::Sha256;

use crate::case::{Case, Signed, member};
use crate::prepared::Way;

pub(crate) fn of_name(name: &str, case: &Case) -> Result<Box<dyn Way>, String> {
    let way: Box<dyn Way> = match (name, case.algorithm.as_str()) {
        ("rsa", "RS256") => Box::new(rsa::pkcs1v15::VerifyingKey::<Sha256>::new(rsa_key(case)?)),
        ("rsa", "PS256") => Box::new(rsa::pss::VerifyingKey::<Sha256>::new(rsa_key(case)?)),
        ("p256", "ES256") => Box::new(read(p256::ecdsa::VerifyingKey::from_sec1_bytes(&point(
            case,
        )?))?),
        ("p384", "ES384") => Box::new(read(p384::ecdsa::VerifyingKey::from_sec1_bytes(&point(
            case,
        )?))?),
        ("ed25519-compact", "EdDSA") => Box::new(read(ed25519_compact::PublicKey::from_slice(
            &member(case, "x")?,
        ))?),
        ("ed25519-dalek", "EdDSA") => {
            let octets = member(case, "x")?;
            let octets = octets.as_slice().try_into();
            Box::new(read(ed25519_dalek::VerifyingKey::from_bytes(read(
                octets,
            )?))?)
        }
        (name, algorithm) => return Err(format!("there is no `{name}` for {algorithm}")),
    };
    Ok(way)
}

fn rsa_key(case: &Case) -> Result<rsa::RsaPublicKey, String> {
    let number = |name| member(case, name).map(|octets| BigUint::from_bytes_be(&octets));
    read(rsa::RsaPublicKey::new(number("n")?, number("e")?))
}

/// The point of an elliptic curve, uncompressed (SEC 1 section 2.3.3).
fn point(case: &Case) -> Result<Vec<u8>, String> {
    Ok([vec![4], member(case, "x")?, member(case, "y")?].concat())
}

fn read<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

impl Way for rsa::pkcs1v15::VerifyingKey<Sha256> {
    fn verifies(&self, signed: &Signed) -> bool {
        use rsa::signature::Verifier as _;
        rsa::pkcs1v15::Signature::try_from(&signed.signature[..])
            .is_ok_and(|signature| self.verify(&signed.message, &signature).is_ok())
    }
}

impl Way for rsa::pss::VerifyingKey<Sha256> {
    fn verifies(&self, signed: &Signed) -> bool {
        use rsa::signature::Verifier as _;
        rsa::pss::Signature::try_from(&signed.signature[..])
            .is_ok_and(|signature| self.verify(&signed.message, &signature).is_ok())
    }
}

impl Way for p256::ecdsa::VerifyingKey {
    fn verifies(&self, signed: &Signed) -> bool {
        p256::ecdsa::Signature::from_slice(&signed.signature)
            .is_ok_and(|signature| self.verify(&signed.message, &signature).is_ok())
    }
}

impl Way for p384::ecdsa::VerifyingKey {
    fn verifies(&self, signed: &Signed) -> bool {
        p384::ecdsa::Signature::from_slice(&signed.signature)
            .is_ok_and(|signature| self.verify(&signed.message, &signature).is_ok())
    }
}

impl Way for ed25519_compact::PublicKey {
    fn verifies(&self, signed: &Signed) -> bool {
        ed25519_compact::Signature::from_slice(&signed.signature)
            .is_ok_and(|signature| self.verify(&signed.message, &signature).is_ok())
    }
}

impl Way for ed25519_dalek::VerifyingKey {
    fn verifies(&self, signed: &Signed) -> bool {
        ed25519_dalek::Signature::from_slice(&signed.signature)
            .is_ok_and(|signature| self.verify(&signed.message, &signature).is_ok())
    }
}
