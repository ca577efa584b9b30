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
pub(super) struct Key {
    bytes: [u8; 32],
    /// −A, where A is the point that the bytes spell.
    minus_point: EdwardsPoint,
}

impl Key {
    /// The key of these bytes, if they are a point. That they are its canonical ones and that it is not of small order
    /// was seen to before.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the group has no point without a negative"
    )]
    pub(super) fn new(bytes: [u8; 32]) -> Option<Self> {
        let point = CompressedEdwardsY(bytes).decompress()?;
        Some(Self {
            bytes,
            minus_point: -point,
        })
    }

    /// Whether `signature`, R‖S, is the key's over `signing_input`.
    ///
    /// Of the two equations that RFC 8032 leaves to choose from it is the narrower one, without the cofactor: R has the
    /// very bytes of S·B − k·A, so that R is canonical too. S is below the order of the group, and R not of small order.
    pub(super) fn verify(&self, signing_input: &[u8], signature: &[u8]) -> bool {
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
            .chain_update(signing_input)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &self.minus_point, &s);
        expected.compress().as_bytes() == r && !expected.is_small_order()
    }
}
