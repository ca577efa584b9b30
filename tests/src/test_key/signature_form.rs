//! The same signature in other forms: what JWS does not allow, and careless verifiers take.

use anyhow::{Result, bail};
use rsa::BigUint;
use rsa::traits::PublicKeyParts as _;

use super::{Private, TestKey, to_length};

/// The order of Ed25519's base point, the lowest byte first (RFC 8032 section 5.1).
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

impl TestKey {
    /// The same signature to a verifier that computes modulo n and does not compare: RSA's number plus the modulus (RFC 8017
    /// section 5.2.2), Ed25519's S plus the order (RFC 8032 section 5.1.7). `None` where the sum needs a byte more.
    ///
    /// # Errors
    /// A key of another type.
    pub(crate) fn unreduced(&self, signature: &[u8]) -> Result<Option<Vec<u8>>> {
        match &self.private {
            Private::Rsa(key) => {
                let sum = to_length(&(BigUint::from_bytes_be(signature) + key.n()), key.size());
                Ok((sum.len() == signature.len()).then_some(sum))
            }
            Private::Ed25519(_) => {
                let (r, s) = signature.split_at(signature.len() / 2);
                let mut sum = r.to_vec();
                let mut carry = 0;
                for (s, order) in s.iter().zip(ED25519_ORDER) {
                    let digit = u16::from(*s) + u16::from(order) + carry;
                    sum.push((digit & 0xff) as u8);
                    carry = digit >> 8;
                }
                Ok((carry == 0).then_some(sum))
            }
            Private::P256(_) | Private::P384(_) => {
                bail!("r and s have no room for another multiple of n")
            }
        }
    }
}

/// The DER form of r‖s, as X.509 has it and JWS must not (RFC 7518 section 3.4).
pub(crate) fn der(signature: &[u8]) -> Vec<u8> {
    sequence(signature, |half| {
        let digits = without_zeros(half);
        let sign: &[u8] = if digits.first().is_some_and(|first| *first >= 0x80) {
            &[0]
        } else {
            &[]
        };
        [sign, digits].concat()
    })
}

/// The same, made carelessly: a number whose first bit is set reads as a negative one.
pub(crate) fn der_without_signs(signature: &[u8]) -> Vec<u8> {
    sequence(signature, <[u8]>::to_vec)
}

/// A DER SEQUENCE of two INTEGERs, both of less than 128 bytes together, as those of P-256 and P-384 are.
fn sequence(signature: &[u8], content: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |half: &[u8]| {
        let content = content(half);
        [&[2, content.len() as u8], content.as_slice()].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [&[0x30, both.len() as u8], both.as_slice()].concat()
}

fn without_zeros(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}

/// The other ES256 signature that the same key would accept: s replaced by n - s.
///
/// # Errors
/// It is not an ES256 signature.
pub(crate) fn es256_with_other_s(signature: &[u8]) -> Result<Vec<u8>> {
    let (r, s) = p256::ecdsa::Signature::from_slice(signature)?.split_scalars();
    Ok(p256::ecdsa::Signature::from_scalars(r, -s)?
        .to_bytes()
        .to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_is_that_of_the_library() {
        let key = &crate::test_key::load().unwrap()["p256"];
        for message in 0..32_u8 {
            let signature = key.sign("ES256", &[message]).unwrap();
            let library = p256::ecdsa::Signature::from_slice(&signature).unwrap();
            assert_eq!(der(&signature), library.to_der().as_bytes());
        }
    }

    #[test]
    fn a_sum_is_congruent_and_another_text() {
        let keys = crate::test_key::load().unwrap();
        let rsa = &keys["rsa"];
        let Private::Rsa(private) = &rsa.private else {
            unreachable!("the key `rsa` is RSA");
        };
        let mut found = 0;
        for message in 0..32_u8 {
            let signature = rsa.sign("RS256", &[message]).unwrap();
            if let Some(sum) = rsa.unreduced(&signature).unwrap() {
                let sum = BigUint::from_bytes_be(&sum) % private.n();
                assert_eq!(sum, BigUint::from_bytes_be(&signature));
                found += 1;
            }
        }
        assert!(found > 0, "no signature of 32 has room for the modulus");
        let signature = keys["ed25519"].sign("EdDSA", b"message").unwrap();
        let sum = keys["ed25519"].unreduced(&signature).unwrap().unwrap();
        assert_eq!((sum.len(), &sum[..32]), (64, &signature[..32]));
        assert_ne!(sum, signature);
    }
}
