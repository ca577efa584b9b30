//! A number in limbs, laid out for multiplication by columns.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "places within vectors whose length follows from the modulus, never from input"
)]

use std::ops::Range;

use super::lanes::Quad;

/// The bits of a limb. With 29 of 32, a column takes 60 products before it has to be looked after, and 72 limbs, a
/// multiple of four, hold a modulus of 2048 bits.
pub(super) const LIMB_BITS: u32 = 29;
pub(super) const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

/// Columns are computed four at a time.
pub(super) const BLOCK: usize = 4;

/// Each limb four times, and every four neighbours: four products of one limb are one operation on two of these.
#[derive(Clone)]
pub(super) struct Number {
    /// Limb i four times at i, the least significant first.
    splats: Vec<Quad>,
    /// The limbs i to i + 3 at i + BLOCK. Before and behind the number they are zero.
    windows: Vec<Quad>,
}

impl Number {
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn zero(len: usize) -> Self {
        Self {
            splats: vec![Quad::splat(0); len],
            windows: vec![Quad::splat(0); len + 2 * BLOCK],
        }
    }

    /// Of limbs whose number is a multiple of four.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn from_limbs(limbs: &[u32]) -> Self {
        let mut number = Self::zero(limbs.len());
        let mut before = [0; BLOCK];
        for (place, block) in limbs.as_chunks::<BLOCK>().0.iter().enumerate() {
            number.set_block(place * BLOCK, before, *block);
            before = *block;
        }
        number.end(before);
        number
    }

    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn limbs(&self) -> Vec<u32> {
        let mut limbs = Vec::with_capacity(self.splats.len());
        for splat in &self.splats {
            let [limb, ..] = splat.limbs();
            limbs.push(limb);
        }
        limbs
    }

    /// Puts four limbs at `first`, which come after the four `before`.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn set_block(&mut self, first: usize, before: [u32; BLOCK], block: [u32; BLOCK]) {
        let [a, b, c, d] = block;
        self.splats[first..first + BLOCK].copy_from_slice(&[
            Quad::splat(a),
            Quad::splat(b),
            Quad::splat(c),
            Quad::splat(d),
        ]);
        self.set_windows(first, before, block);
    }

    /// Puts zeros behind the number, which ends with these four limbs.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn end(&mut self, last: [u32; BLOCK]) {
        self.set_windows(self.splats.len(), last, [0; BLOCK]);
    }

    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn set_windows(&mut self, first: usize, before: [u32; BLOCK], block: [u32; BLOCK]) {
        let [_, x, y, z] = before;
        let [a, b, c, d] = block;
        self.windows[first + 1..=first + BLOCK].copy_from_slice(&[
            Quad::new([x, y, z, a]),
            Quad::new([y, z, a, b]),
            Quad::new([z, a, b, c]),
            Quad::new([a, b, c, d]),
        ]);
    }

    /// The limbs of these rows, each four times.
    #[inline]
    pub(super) fn rows(&self, rows: Range<usize>) -> &[Quad] {
        &self.splats[rows]
    }

    /// What these rows of another number are to be multiplied with for the four columns from `first` on, the last row's
    /// first: in row i, the limbs from `first - i` on.
    #[inline]
    pub(super) fn partners(&self, first: usize, rows: Range<usize>) -> &[Quad] {
        &self.windows[first + 1 + BLOCK - rows.end..first + 1 + BLOCK - rows.start]
    }

    /// The four limbs from `first` on.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn block(&self, first: usize) -> [u32; BLOCK] {
        self.windows[first + BLOCK].limbs()
    }
}

/// The limbs of a big-endian number, filled up with zeros.
pub(super) fn limbs_of(octets: &[u8], len: usize) -> Vec<u32> {
    let mut octets = octets.iter().rev();
    let (mut bits, mut held) = (0_u64, 0);
    let mut limbs = Vec::with_capacity(len);
    for _ in 0..len {
        while held < LIMB_BITS {
            bits |= u64::from(octets.next().copied().unwrap_or(0)) << held;
            held += u8::BITS;
        }
        limbs.push((bits & LIMB_MASK) as u32);
        bits >>= LIMB_BITS;
        held -= LIMB_BITS;
    }
    limbs
}

/// `limbs` as a big-endian number of that many octets, which must be enough (I2OSP, RFC 8017 section 4.1).
pub(super) fn octets_of(limbs: &[u32], len: usize) -> Vec<u8> {
    let mut limbs = limbs.iter();
    let (mut bits, mut held) = (0_u64, 0);
    let mut octets = vec![0; len];
    for octet in octets.iter_mut().rev() {
        if held < u8::BITS {
            bits |= u64::from(limbs.next().copied().unwrap_or(0)) << held;
            held += LIMB_BITS;
        }
        *octet = (bits & 0xff) as u8;
        bits >>= u8::BITS;
        held -= u8::BITS;
    }
    octets
}
