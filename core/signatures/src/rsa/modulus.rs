//! Powers modulo n, after Montgomery ("Modular multiplication without trial division", 1985).
//!
//! A product and its reduction are computed together, four columns at a time from the right: no column is stored before
//! it is done. R is 2^29 to the number of limbs, and above 4n, so that what goes in below 2n comes out below 2n, and only
//! the last result has to be brought below n.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "places and numbers of limbs follow from the modulus, never from input; sums are bounded where they are made"
)]

use std::cmp::Ordering;

use super::lanes::{Columns, Quad};
use super::number::{BLOCK, LIMB_BITS, LIMB_MASK, Number, limbs_of, octets_of};

/// The rows that a column takes at most before [`Sum::settle`]: 60 products of two limbs, and a limb twice, are below 2^64.
const ROWS: usize = 60;

/// An odd n, and what can be computed once for all powers modulo n.
#[derive(Clone)]
pub struct Modulus {
    limbs: Vec<u32>,
    number: Number,
    /// -1/n modulo 2^29.
    inverse: u64,
    /// R² mod n, which brings a number into Montgomery's form.
    r_squared: Number,
    bits: usize,
}

impl Modulus {
    /// Of a big-endian number; nothing if it is even, which has no inverse modulo a power of two, or starts with zero.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub fn new(octets: &[u8]) -> Option<Self> {
        let (first, last) = (octets.first()?, octets.last()?);
        if *first == 0 || last % 2 == 0 {
            return None;
        }
        let bits = octets.len() * 8 - first.leading_zeros() as usize;
        let len = (bits + 2)
            .div_ceil(LIMB_BITS as usize)
            .next_multiple_of(BLOCK);
        let limbs = limbs_of(octets, len);
        let number = Number::from_limbs(&limbs);
        let mut modulus = Self {
            inverse: negative_inverse(limbs[0]),
            r_squared: Number::zero(len),
            limbs,
            number,
            bits,
        };
        modulus.r_squared = modulus.r_squared();
        Some(modulus)
    }

    /// The size of n in octets, k in RFC 8017.
    pub fn octets(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// The size of n in bits, modBits in RFC 8017.
    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// s^65537 mod n, in as many octets as n (RSAVP1, RFC 8017 section 5.2.2); nothing unless s is as long as n, and
    /// smaller.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub fn power_65537(&self, s: &[u8]) -> Option<Vec<u8>> {
        let limbs = limbs_of(s, self.limbs.len());
        // The limbs may have no room for the bits of the first octet above those of the modulus: such a number is larger than it.
        let unused = self.octets() * 8 - self.bits;
        let is_longer = s
            .first()
            .is_some_and(|first| u32::from(*first) >> (8 - unused) != 0);
        if s.len() != self.octets() || is_longer || compare(&limbs, &self.limbs) != Ordering::Less {
            return None;
        }
        let s = Number::from_limbs(&limbs);
        let mut work = Work::new(self.limbs.len());
        let (mut power, mut next) = (s.clone(), Number::zero(self.limbs.len()));
        self.multiply(&s, &self.r_squared, &mut power, &mut work);
        for _ in 0..8 {
            self.square(&power, &mut next, &mut work);
            self.square(&next, &mut power, &mut work);
        }
        // By s itself, not by its Montgomery form: this takes the last R out again.
        self.multiply(&power, &s, &mut next, &mut work);
        let mut limbs = next.limbs();
        self.subtract_once(&mut limbs);
        Some(octets_of(&limbs, self.octets()))
    }

    /// R² mod n: from R, 2^29 R is 29 times doubled, and its Montgomery power to the number of limbs is R² by squaring
    /// and doubling.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn r_squared(&self) -> Number {
        let len = self.limbs.len();
        // The highest power of two below n, doubled until it is 2^29 R.
        let mut power = vec![0; len];
        let top = self.bits - 1;
        power[top / LIMB_BITS as usize] = 1 << (top % LIMB_BITS as usize);
        for _ in top..(len + 1) * LIMB_BITS as usize {
            self.double(&mut power);
        }
        let mut work = Work::new(len);
        let mut squared = Number::zero(len);
        for bit in (0..len.ilog2()).rev() {
            self.square(&Number::from_limbs(&power), &mut squared, &mut work);
            power = squared.limbs();
            self.subtract_once(&mut power);
            if len >> bit & 1 == 1 {
                for _ in 0..LIMB_BITS {
                    self.double(&mut power);
                }
            }
        }
        Number::from_limbs(&power)
    }

    /// out = x y / R, below 2n.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn multiply(&self, x: &Number, y: &Number, out: &mut Number, work: &mut Work) {
        let len = self.limbs.len();
        let mut carried = Carried::default();
        for first in (0..2 * len).step_by(BLOCK) {
            let rows = first.saturating_sub(len)..(first + BLOCK).min(len);
            let mut sum = Sum::zero();
            sum.add(x.rows(rows.clone()), y.partners(first, rows));
            self.reduce(first, sum, [0; BLOCK], &mut carried, out, work);
        }
    }

    /// out = x² / R, below 2n. Of the products of two different limbs, each is computed once and counted twice.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn square(&self, x: &Number, out: &mut Number, work: &mut Work) {
        let len = self.limbs.len();
        let mut carried = Carried::default();
        for first in (0..2 * len).step_by(BLOCK) {
            // The rows left of the middle in all four columns.
            let middle = first / 2;
            let rows = first.saturating_sub(len)..middle;
            let mut sum = Sum::zero();
            sum.add(x.rows(rows.clone()), x.partners(first, rows));
            sum.double();
            // The rest, at the middle: below 2^61.
            let [a, b, c, d] = x.block(middle).map(u64::from);
            let rest = [a * a, 2 * a * b, 2 * a * c + b * b, 2 * (a * d + b * c)];
            self.reduce(first, sum, rest, &mut carried, out, work);
        }
    }

    /// Adds the multiple of n that makes the columns from `first` on zero, while they lie below R; what they come to
    /// above R is the result.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn reduce(
        &self,
        first: usize,
        mut sum: Sum,
        rest: [u64; BLOCK],
        carried: &mut Carried,
        out: &mut Number,
        work: &mut Work,
    ) {
        let len = self.limbs.len();
        let rows = first.saturating_sub(len)..first.min(len);
        sum.add(
            &work.quotient[rows.clone()],
            self.number.partners(first, rows),
        );
        // Each of these is below 2^62, and stays so with four more products of limbs.
        let ([a, b, c, d], high) = sum.columns();
        let [a, b, c, d] = [
            a + rest[0] + carried.carry,
            b + rest[1] + high[0],
            c + rest[2] + high[1],
            d + rest[3] + high[2],
        ];
        if first < len {
            let [n0, n1, n2, n3] = self.number.block(0).map(u64::from);
            let digit = |column: u64| column.wrapping_mul(self.inverse) & LIMB_MASK;
            let p = digit(a);
            let b = b + p * n1 + ((a + p * n0) >> LIMB_BITS);
            let q = digit(b);
            let c = c + p * n2 + q * n1 + ((b + q * n0) >> LIMB_BITS);
            let r = digit(c);
            let d = d + p * n3 + q * n2 + r * n1 + ((c + r * n0) >> LIMB_BITS);
            let s = digit(d);
            carried.carry = high[3] + ((d + s * n0) >> LIMB_BITS);
            work.quotient[first..first + BLOCK].copy_from_slice(&[
                Quad::splat(p as u32),
                Quad::splat(q as u32),
                Quad::splat(r as u32),
                Quad::splat(s as u32),
            ]);
        } else {
            let b = b + (a >> LIMB_BITS);
            let c = c + (b >> LIMB_BITS);
            let d = d + (c >> LIMB_BITS);
            carried.carry = high[3] + (d >> LIMB_BITS);
            let block = [a, b, c, d].map(|column| (column & LIMB_MASK) as u32);
            out.set_block(first - len, carried.before, block);
            carried.before = block;
            if first + BLOCK == 2 * len {
                debug_assert_eq!(carried.carry, 0, "a result is below R");
                out.end(block);
            }
        }
    }

    /// 2x mod n, of x below n.
    fn double(&self, x: &mut [u32]) {
        let mut carry = 0;
        for limb in x.iter_mut() {
            let doubled = *limb << 1 | carry;
            *limb = doubled & LIMB_MASK as u32;
            carry = doubled >> LIMB_BITS;
        }
        self.subtract_once(x);
    }

    /// x mod n, of x below 2n.
    fn subtract_once(&self, x: &mut [u32]) {
        if compare(x, &self.limbs) == Ordering::Less {
            return;
        }
        let mut borrow = 0;
        for (limb, n) in x.iter_mut().zip(&self.limbs) {
            let difference = limb.wrapping_sub(*n).wrapping_sub(borrow);
            *limb = difference & LIMB_MASK as u32;
            borrow = difference >> 31;
        }
    }
}

/// Room for the multiple of n that is added: its limbs, each four times.
struct Work {
    quotient: Vec<Quad>,
}

impl Work {
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn new(len: usize) -> Self {
        Self {
            quotient: vec![Quad::splat(0); len],
        }
    }
}

/// What goes from four columns to the next four.
#[derive(Default)]
struct Carried {
    carry: u64,
    /// The last four limbs of the result.
    before: [u32; BLOCK],
}

/// Four columns: sums of products, of which now and then all beyond a limb is moved to `high`, where it counts 2^29 times.
struct Sum {
    low: Columns,
    high: Columns,
}

impl Sum {
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn zero() -> Self {
        Self {
            low: Columns::zero(),
            high: Columns::zero(),
        }
    }

    /// Adds the product of each row with its partner. The partners come last first.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn add(&mut self, rows: &[Quad], partners: &[Quad]) {
        // Nearly always: a modulus of 2048 bits has a few columns with more rows.
        if rows.len() <= ROWS {
            self.add_few(rows, partners);
            return;
        }
        for (rows, partners) in rows.chunks(ROWS).zip(partners.rchunks(ROWS)) {
            self.add_few(rows, partners);
        }
    }

    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn add_few(&mut self, rows: &[Quad], partners: &[Quad]) {
        let mut low = self.low;
        let (fours, others) = rows.as_chunks::<4>();
        let (other_partners, partners) = partners.as_rchunks::<4>();
        for ([a, b, c, d], [w, x, y, z]) in fours.iter().zip(partners.iter().rev()) {
            low.add_products(*a, *z);
            low.add_products(*b, *y);
            low.add_products(*c, *x);
            low.add_products(*d, *w);
        }
        for (row, partner) in others.iter().zip(other_partners.iter().rev()) {
            low.add_products(*row, *partner);
        }
        self.low = low;
        self.settle();
    }

    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn settle(&mut self) {
        self.high = self.high.plus(self.low.high());
        self.low = self.low.low();
    }

    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn double(&mut self) {
        self.low = self.low.plus(self.low);
        self.high = self.high.plus(self.high);
    }

    /// The columns, and what is beyond a limb of each.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn columns(self) -> ([u64; 4], [u64; 4]) {
        (self.low.sums(), self.high.sums())
    }
}

/// -1/n modulo 2^29, by Newton's method: each step doubles the bits that are right, of which the first has three.
fn negative_inverse(n: u32) -> u64 {
    let mut inverse = n;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(n.wrapping_mul(inverse)));
    }
    u64::from(inverse.wrapping_neg()) & LIMB_MASK
}

/// Which of two numbers of the same number of limbs is greater.
fn compare(x: &[u32], y: &[u32]) -> Ordering {
    x.iter().rev().cmp(y.iter().rev())
}
