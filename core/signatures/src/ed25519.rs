//! EdDSA on Curve25519 (RFC 8032 section 5.1.7), for verification alone.
//!
//! By `curve25519-dalek`, which has arithmetic of 32 bits for WebAssembly: in V8, on a busy machine, one verification took
//! 321 µs with the `ed25519-compact` of jwt-simple and takes 133 µs so (`cargo xtask bench verify`). Tables for each key
//! would save another 40 µs, but take as long as twenty verifications to compute, and 30 KB.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};

/// A public key.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; 32],
    /// −A, where A is the point that the bytes spell.
    minus_point: EdwardsPoint,
}

impl Key {
    /// The key of these bytes, if they are the canonical ones of a point that is not of small order: what is signed by
    /// such a one can be signed without a private key.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the group has no point without a negative"
    )]
    pub fn new(bytes: [u8; 32]) -> Option<Self> {
        let point = CompressedEdwardsY(bytes).decompress()?;
        let is_canonical = point.compress().as_bytes() == &bytes;
        (is_canonical && !point.is_small_order()).then_some(Self {
            bytes,
            minus_point: -point,
        })
    }

    /// Whether `signature`, R‖S, is the key's over `message`.
    ///
    /// Of the two equations that RFC 8032 leaves to choose from it is the narrower one, without the cofactor: R has the
    /// very bytes of S·B − k·A, so that R is canonical too. S is below the order of the group, and R not of small order.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some((r, s)) = signature.split_first_chunk::<32>() else {
            return false;
        };
        let Some(s) = <[u8; 32]>::try_from(s)
            .ok()
            .and_then(|s| Scalar::from_canonical_bytes(s).into_option())
        else {
            return false;
        };
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.bytes)
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &self.minus_point, &s);
        expected.compress().as_bytes() == r && !expected.is_small_order()
    }
}
