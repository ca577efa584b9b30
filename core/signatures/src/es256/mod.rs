//! ECDSA on P-256 with SHA-256 (FIPS 186-5 section 6.4.2), for verification alone.
//!
//! Signatures and numbers modulo n are those of `p256`; the field and the group are our own, because in WebAssembly those
//! of `p256` compute with products of 128 bits, which are calls there. In V8, on a busy machine, one verification took
//! 930 µs with `p256` and takes 104 µs here (`cargo xtask bench verify`). The first one with a key takes 298 µs, for it
//! computes the multiples that are kept with the key: 2.3 KB. The tests hold each layer against `p256`.

mod field;
mod multiples;
mod point;
mod sum;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
mod tests;

use std::sync::OnceLock;

use p256::ecdsa::Signature;
use p256::elliptic_curve::ops::{Invert as _, Reduce};
use p256::{FieldBytes, Scalar};
use sha2::{Digest as _, Sha256};

use field::FieldElement;
use multiples::Multiples;
use point::Affine;

/// p − n. An r below it may stand for the x-coordinate r + n too.
const PRIME_MINUS_ORDER: [u8; 32] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x43, 0x19, 0x05, 0x53, 0x58, 0xe8, 0x61, 0x7b,
    0x0c, 0x46, 0x35, 0x3d, 0x03, 0x9c, 0xda, 0xae,
];

/// n, the order of the group (NIST SP 800-186 section 3.2.1.3), the most significant byte first.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The base point (NIST SP 800-186 section 3.2.1.3), computed when this is compiled.
const BASE: &Multiples<32> = &Multiples::new(point::BASE);

/// A public key.
#[derive(Clone)]
pub struct Key {
    point: Affine,
    /// Computed by the first verification, so that a key that verifies nothing costs nothing.
    multiples: OnceLock<Box<Multiples<8>>>,
}

impl Key {
    /// The key at these coordinates, if they are numbers below p and a point of the curve.
    pub fn new(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let is_number = x < &field::PRIME && y < &field::PRIME;
        let point = Affine {
            x: FieldElement::from_bytes(x),
            y: FieldElement::from_bytes(y),
        };
        (is_number && point.is_on_curve()).then_some(Self {
            point,
            multiples: OnceLock::new(),
        })
    }

    /// Whether `signature`, r‖s, is the key's over `message`. RFC 7518 asks for no low s.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "numbers modulo n do not overflow"
    )]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        // r and s lie between 1 and n − 1, or this is an error.
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        let (r, s) = signature.split_scalars();
        let hash: [u8; 32] = Sha256::digest(message).into();
        let hash = <Scalar as Reduce<FieldBytes>>::reduce(&hash.into());
        let s_inverse = s.invert_vartime();
        let sum = sum::sum(
            (BASE, &(hash * *s_inverse).to_bytes().into()),
            (
                self.multiples
                    .get_or_init(|| Box::new(Multiples::new(self.point))),
                &(*r * *s_inverse).to_bytes().into(),
            ),
        );
        if sum.is_infinity {
            return false;
        }
        // x = X/Z² is compared without a division: X = r·Z², or X = (r + n)·Z² where r + n is a coordinate.
        let r_bytes: [u8; 32] = r.to_bytes().into();
        let r = FieldElement::from_bytes(&r_bytes);
        let zz = sum.z.squared();
        let is_x = |x: FieldElement| zz.times(x).minus(sum.x).squared().is_tight_zero();
        is_x(r) || (r_bytes < PRIME_MINUS_ORDER && is_x(r.plus(FieldElement::ORDER)))
    }
}

/// Whether r‖s can be a signature of some key: both between 1 and n − 1.
pub fn is_signature(signature: &[u8]) -> bool {
    crate::is_pair_below(&ORDER, signature)
}
