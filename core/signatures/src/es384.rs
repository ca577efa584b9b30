//! ECDSA on P-384 with SHA-384 (FIPS 186-5 section 6.4.2), for verification alone: by `p384`. Few issuers sign with it.

use p384::ecdsa::signature::Verifier as _;
use p384::ecdsa::{Signature, VerifyingKey};

/// n, the order of the group (NIST SP 800-186 section 3.2.1.4), the most significant byte first.
const ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// A public key.
#[derive(Clone)]
pub struct Key(VerifyingKey);

impl Key {
    /// The key at these coordinates, if they are numbers below p and a point of the curve.
    pub fn new(x: &[u8; 48], y: &[u8; 48]) -> Option<Self> {
        let point = [&[4], &x[..], &y[..]].concat();
        VerifyingKey::from_sec1_bytes(&point).ok().map(Self)
    }

    /// Whether `signature`, r‖s, is the key's over `message`. RFC 7518 asks for no low s.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

/// Whether r‖s can be a signature of some key: both between 1 and n − 1.
pub fn is_signature(signature: &[u8]) -> bool {
    crate::is_pair_below(&ORDER, signature)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_out_of_range_are_no_signature() {
        let (zero, one) = ([0; 48], [&[0; 47][..], &[1]].concat());
        let mut last = ORDER;
        last[47] -= 1;
        for (r, s, expected) in [
            (&zero[..], &one[..], false),
            (&one, &zero, false),
            (&one, &one, true),
            (&last, &last, true),
            (&ORDER, &one, false),
            (&one, &ORDER, false),
            (&one, &one[1..], false),
            (&[], &[], false),
        ] {
            let signature = [r, s].concat();
            assert_eq!(is_signature(&signature), expected, "{signature:02x?}");
            assert_eq!(Signature::from_slice(&signature).is_ok(), expected);
        }
        assert!(!is_signature(&[1; 97]));
    }

    proptest! {
        #[test]
        fn p384_agrees_on_what_a_signature_is(signature in proptest::collection::vec(any::<u8>(), 96)) {
            prop_assert_eq!(is_signature(&signature), Signature::from_slice(&signature).is_ok());
        }
    }
}
