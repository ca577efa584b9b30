//! Four limbs side by side, and the four columns that their products are added to.
//!
//! WebAssembly has no product of two 64-bit numbers, but with `simd128` (part of WebAssembly 2.0) two of 32-bit numbers
//! at once: `i64x2.extmul`. Only the functions here and those that call them ask for it, not the whole module. Both forms
//! have the same functions, so that all that is built on them is one text, tested on any machine.

#[cfg(not(target_arch = "wasm32"))]
pub(super) use plain::{Columns, Quad};
#[cfg(target_arch = "wasm32")]
pub(super) use simd::{Columns, Quad};

#[cfg(target_arch = "wasm32")]
mod simd {
    use std::arch::wasm32::{
        u32x4, u32x4_extract_lane, u32x4_splat, u64x2_add, u64x2_extmul_high_u32x4,
        u64x2_extmul_low_u32x4, u64x2_extract_lane, u64x2_shr, u64x2_splat, v128, v128_and,
    };

    use crate::rsa::number::{LIMB_BITS, LIMB_MASK};

    /// Four limbs.
    #[derive(Clone, Copy)]
    pub(in crate::rsa) struct Quad(v128);

    impl Quad {
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn new([a, b, c, d]: [u32; 4]) -> Self {
            Self(u32x4(a, b, c, d))
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn splat(limb: u32) -> Self {
            Self(u32x4_splat(limb))
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn limbs(self) -> [u32; 4] {
            [
                u32x4_extract_lane::<0>(self.0),
                u32x4_extract_lane::<1>(self.0),
                u32x4_extract_lane::<2>(self.0),
                u32x4_extract_lane::<3>(self.0),
            ]
        }
    }

    /// Four sums of products.
    #[derive(Clone, Copy)]
    pub(in crate::rsa) struct Columns(v128, v128);

    impl Columns {
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn zero() -> Self {
            Self(u64x2_splat(0), u64x2_splat(0))
        }

        /// Adds the four products of x and y. Both have to come out of memory within the loop: where one is known to
        /// stay the same, LLVM widens it in front of the loop, and no `extmul` is left, which is slower than no SIMD.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn add_products(&mut self, x: Quad, y: Quad) {
            self.0 = u64x2_add(self.0, u64x2_extmul_low_u32x4(x.0, y.0));
            self.1 = u64x2_add(self.1, u64x2_extmul_high_u32x4(x.0, y.0));
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn plus(self, other: Self) -> Self {
            Self(u64x2_add(self.0, other.0), u64x2_add(self.1, other.1))
        }

        /// What is within a limb.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn low(self) -> Self {
            let mask = u64x2_splat(LIMB_MASK);
            Self(v128_and(self.0, mask), v128_and(self.1, mask))
        }

        /// What is beyond a limb.
        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn high(self) -> Self {
            Self(u64x2_shr(self.0, LIMB_BITS), u64x2_shr(self.1, LIMB_BITS))
        }

        #[inline]
        #[target_feature(enable = "simd128")]
        pub(in crate::rsa) fn sums(self) -> [u64; 4] {
            [
                u64x2_extract_lane::<0>(self.0),
                u64x2_extract_lane::<1>(self.0),
                u64x2_extract_lane::<0>(self.1),
                u64x2_extract_lane::<1>(self.1),
            ]
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod plain {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "the callers keep sums below 2^64, and a test build checks that they do"
    )]

    use crate::rsa::number::{LIMB_BITS, LIMB_MASK};

    /// Four limbs.
    #[derive(Clone, Copy)]
    pub(in crate::rsa) struct Quad([u32; 4]);

    impl Quad {
        #[inline]
        pub(in crate::rsa) fn new(limbs: [u32; 4]) -> Self {
            Self(limbs)
        }

        #[inline]
        pub(in crate::rsa) fn splat(limb: u32) -> Self {
            Self([limb; 4])
        }

        #[inline]
        pub(in crate::rsa) fn limbs(self) -> [u32; 4] {
            self.0
        }
    }

    /// Four sums of products.
    #[derive(Clone, Copy)]
    pub(in crate::rsa) struct Columns([u64; 4]);

    impl Columns {
        #[inline]
        pub(in crate::rsa) fn zero() -> Self {
            Self([0; 4])
        }

        /// Adds the four products of x and y.
        #[inline]
        pub(in crate::rsa) fn add_products(&mut self, x: Quad, y: Quad) {
            let products = x.0.into_iter().zip(y.0);
            for (sum, (x, y)) in self.0.iter_mut().zip(products) {
                *sum += u64::from(x) * u64::from(y);
            }
        }

        #[inline]
        pub(in crate::rsa) fn plus(self, Self([e, f, g, h]): Self) -> Self {
            let Self([a, b, c, d]) = self;
            Self([a + e, b + f, c + g, d + h])
        }

        /// What is within a limb.
        #[inline]
        pub(in crate::rsa) fn low(self) -> Self {
            Self(self.0.map(|sum| sum & LIMB_MASK))
        }

        /// What is beyond a limb.
        #[inline]
        pub(in crate::rsa) fn high(self) -> Self {
            Self(self.0.map(|sum| sum >> LIMB_BITS))
        }

        #[inline]
        pub(in crate::rsa) fn sums(self) -> [u64; 4] {
            self.0
        }
    }
}
