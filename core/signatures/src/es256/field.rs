//! The field of P-256 (NIST SP 800-186 section 3.2.1.3), for numbers that everybody may know: nothing here hides by the
//! time it takes what it computes with.
//!
//! A WebAssembly machine multiplies 64 bits by 64 and keeps 64: there is no carry flag and no upper half. Code for a real
//! processor pays for both with calls. Nine digits of 29 bits, with signs, leave their products room enough in 64 bits to
//! be summed without any carry.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "the bounds of each number are given; the tests run with overflow checks"
)]

/// The bits of a digit.
const BITS: u32 = 29;

/// p, the most significant byte first.
pub(super) const PRIME: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

/// A number modulo p = 2^256 − 2^224 + 2^192 + 2^96 − 1, times 2^261: Montgomery's form, in digits of 29 bits, the least
/// significant first.
///
/// The same number has many spellings. What [`reduce`] returns is *tight*: its digits are within ±2^28, the highest within
/// ±2^27. Sums are not brought back to that: the digits of a sum or difference of n tight numbers are within n times these
/// bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldElement([i32; 9]);

impl FieldElement {
    pub(super) const ZERO: Self = Self([0; 9]);

    pub(super) const ONE: Self = Self([0x20, 0, 0, -0x4000, 0, 0, -0x80_0000, 0x400_0000, 0]);

    /// The order n of the group.
    pub(super) const ORDER: Self = Self([
        0x6be_ad13,
        -0xe96_b7cd,
        -0xb36_7329,
        0x150_f300,
        0xd6f_1362,
        0xce6_52e9,
        -0xa7d_ff4d,
        0x29f_8c40,
        0xc_9184,
    ]);

    /// The coordinates of the base point.
    pub(super) const BASE_X: Self = Self([
        -0xadd_787d,
        0x730_d419,
        0xdb0_0bcf,
        0x57f_11fb,
        0xa20_eb75,
        -0xd48_89de,
        0x330_fdba,
        -0x50b_22a9,
        0x12_0bef,
    ]);
    pub(super) const BASE_Y: Self = Self([
        -0xd55_3eaf,
        -0xdac_a831,
        0xf22_e6f0,
        0xe39_0c86,
        0x64b_1695,
        0x88d_d21f,
        0x2a5_7443,
        0x2b6_2176,
        -0x51_c01d,
    ]);

    /// 2^522 modulo p, by which a number is brought into Montgomery's form.
    const RADIX_SQUARED: Self = Self([0xc00, 0, -0x1_0000, -0x20_0000, -0x40_0000, 0, 0, -1, 0x14]);

    #[cfg(test)]
    pub(super) const fn from_digits(digits: [i32; 9]) -> Self {
        Self(digits)
    }

    #[cfg(test)]
    pub(super) const fn digits(self) -> [i32; 9] {
        self.0
    }

    /// The number that these bytes spell, the most significant first.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut digits = [0; 9];
        let (mut held, mut bits) = (0_i64, 0);
        let mut bytes = bytes.iter().rev();
        for digit in &mut digits {
            while bits < BITS
                && let Some(&byte) = bytes.next()
            {
                held |= i64::from(byte) << bits;
                bits += 8;
            }
            *digit = (held & 0x1fff_ffff) as i32;
            held >>= BITS;
            bits = bits.saturating_sub(BITS);
        }
        Self(digits).times(Self::RADIX_SQUARED)
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.0;
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = other.0;
        Self([
            a0 + b0,
            a1 + b1,
            a2 + b2,
            a3 + b3,
            a4 + b4,
            a5 + b5,
            a6 + b6,
            a7 + b7,
            a8 + b8,
        ])
    }

    pub(super) const fn minus(self, other: Self) -> Self {
        self.plus(other.negated())
    }

    pub(super) const fn negated(self) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.0;
        Self([-a0, -a1, -a2, -a3, -a4, -a5, -a6, -a7, -a8])
    }

    pub(super) const fn doubled(self) -> Self {
        self.plus(self)
    }

    /// The product. With factors of a and b tight numbers, a·b may be up to 15.
    pub(super) const fn times(self, other: Self) -> Self {
        reduce(product(self, other), Self::ZERO)
    }

    /// `self`·`other` − `third`·`fourth`, in one reduction. With factors of a, b, c, d tight numbers, a·b + c·d may be up
    /// to 15.
    pub(super) const fn times_minus(self, other: Self, third: Self, fourth: Self) -> Self {
        let [
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6,
            a7,
            a8,
            a9,
            a10,
            a11,
            a12,
            a13,
            a14,
            a15,
            a16,
        ] = product(self, other);
        let [
            b0,
            b1,
            b2,
            b3,
            b4,
            b5,
            b6,
            b7,
            b8,
            b9,
            b10,
            b11,
            b12,
            b13,
            b14,
            b15,
            b16,
        ] = product(third, fourth);
        let difference = [
            a0 - b0,
            a1 - b1,
            a2 - b2,
            a3 - b3,
            a4 - b4,
            a5 - b5,
            a6 - b6,
            a7 - b7,
            a8 - b8,
            a9 - b9,
            a10 - b10,
            a11 - b11,
            a12 - b12,
            a13 - b13,
            a14 - b14,
            a15 - b15,
            a16 - b16,
        ];
        reduce(difference, Self::ZERO)
    }

    /// The square, of a sum of up to three tight numbers.
    pub(super) const fn squared(self) -> Self {
        reduce(square(self), Self::ZERO)
    }

    /// `self`² − `other`, in one reduction, with the bounds of [`Self::squared`], for `other` too.
    pub(super) const fn squared_minus(self, other: Self) -> Self {
        reduce(square(self), other)
    }

    /// `self` to the power 2^`times`.
    const fn squared_times(self, times: u32) -> Self {
        let mut power = self;
        let mut done = 0;
        while done < times {
            power = power.squared();
            done += 1;
        }
        power
    }

    /// One over `self`, or zero for zero: `self` to the power p − 2 (Fermat).
    pub(super) const fn inverted(self) -> Self {
        // A name says how many ones the exponent has in binary.
        let two = self.squared().times(self);
        let three = two.squared().times(self);
        let six = three.squared_times(3).times(three);
        let twelve = six.squared_times(6).times(six);
        let fifteen = twelve.squared_times(3).times(three);
        let thirty = fifteen.squared_times(15).times(fifteen);
        let thirty_two = thirty.squared_times(2).times(two);
        thirty_two
            .squared_times(32)
            .times(self)
            .squared_times(128)
            .times(thirty_two)
            .squared_times(32)
            .times(thirty_two)
            .squared_times(30)
            .times(thirty)
            .squared_times(2)
            .times(self)
    }

    /// Whether this is the one tight spelling of zero. For products and squares of small factors, it is the question
    /// whether they are zero.
    ///
    /// INVARIANT: Montgomery's reduction returns less than (1/2 + a·b/32)·p for factors below a·p and b·p. With a·b below
    /// 16 that is less than p, and of the multiples of p in that range there is only zero itself, whose tight digits are
    /// all zero.
    pub(super) const fn is_tight_zero(self) -> bool {
        matches!(self.0, [0, 0, 0, 0, 0, 0, 0, 0, 0])
    }
}

/// The sums of the products of digits that have the same weight.
///
/// INVARIANT: no sum has more than eight products of digits within ±2^28, or seven of them and two with a highest digit,
/// which is within ±2^27. So with factors of a and b tight numbers it stays within a·b·2^59: for a·b up to 15, that is
/// 2^59 below 2^63, and what [`reduce`] adds to it is below 2^54.
const fn product(a: FieldElement, b: FieldElement) -> [i64; 17] {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = wide(a);
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = wide(b);
    [
        a0 * b0,
        a0 * b1 + a1 * b0,
        a0 * b2 + a1 * b1 + a2 * b0,
        a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0,
        a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0,
        a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0,
        a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0,
        a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0,
        a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0,
        a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1,
        a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2,
        a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3,
        a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4,
        a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5,
        a6 * b8 + a7 * b7 + a8 * b6,
        a7 * b8 + a8 * b7,
        a8 * b8,
    ]
}

/// What [`product`] of a number with itself is, with little more than half of the multiplications.
const fn square(a: FieldElement) -> [i64; 17] {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = wide(a);
    let [_, d1, d2, d3, d4, d5, d6, d7, d8] = wide(a.doubled());
    [
        a0 * a0,
        d1 * a0,
        d2 * a0 + a1 * a1,
        d3 * a0 + d2 * a1,
        d4 * a0 + d3 * a1 + a2 * a2,
        d5 * a0 + d4 * a1 + d3 * a2,
        d6 * a0 + d5 * a1 + d4 * a2 + a3 * a3,
        d7 * a0 + d6 * a1 + d5 * a2 + d4 * a3,
        d8 * a0 + d7 * a1 + d6 * a2 + d5 * a3 + a4 * a4,
        d8 * a1 + d7 * a2 + d6 * a3 + d5 * a4,
        d8 * a2 + d7 * a3 + d6 * a4 + a5 * a5,
        d8 * a3 + d7 * a4 + d6 * a5,
        d8 * a4 + d7 * a5 + a6 * a6,
        d8 * a5 + d7 * a6,
        d8 * a6 + a7 * a7,
        d8 * a7,
        a8 * a8,
    ]
}

const fn wide(a: FieldElement) -> [i64; 9] {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = a.0;
    [
        a0 as i64, a1 as i64, a2 as i64, a3 as i64, a4 as i64, a5 as i64, a6 as i64, a7 as i64,
        a8 as i64,
    ]
}

/// Divides by 2^261 modulo p (Montgomery), subtracts `less`, and makes the digits tight.
///
/// p ends in 96 ones, so the multiple of p that makes the lowest digit d zero is d·p: no multiplication finds it, and to
/// add it takes shifts, by 96 = 3·29 + 9, 192 = 6·29 + 18, 224 = 7·29 + 21 and 256 = 8·29 + 24.
const fn reduce(sums: [i64; 17], less: FieldElement) -> FieldElement {
    let [
        t0,
        mut t1,
        mut t2,
        mut t3,
        mut t4,
        mut t5,
        mut t6,
        mut t7,
        mut t8,
        mut t9,
        mut t10,
        mut t11,
        mut t12,
        mut t13,
        mut t14,
        mut t15,
        mut t16,
    ] = sums;
    macro_rules! clear {
        ($digit:ident, $next:ident, $three:ident, $six:ident, $seven:ident, $eight:ident) => {
            let digit = tight($digit);
            $next += ($digit - digit) >> BITS;
            $three += digit << 9;
            $six += digit << 18;
            $seven -= digit << 21;
            $eight += digit << 24;
        };
    }
    clear!(t0, t1, t3, t6, t7, t8);
    clear!(t1, t2, t4, t7, t8, t9);
    clear!(t2, t3, t5, t8, t9, t10);
    clear!(t3, t4, t6, t9, t10, t11);
    clear!(t4, t5, t7, t10, t11, t12);
    clear!(t5, t6, t8, t11, t12, t13);
    clear!(t6, t7, t9, t12, t13, t14);
    clear!(t7, t8, t10, t13, t14, t15);
    clear!(t8, t9, t11, t14, t15, t16);

    let [l0, l1, l2, l3, l4, l5, l6, l7, l8] = wide(less);
    let carry = 0;
    macro_rules! settle {
        ($sum:ident, $less:ident, $carry:ident) => {{
            let sum = $sum - $less + $carry;
            let digit = tight(sum);
            (digit as i32, (sum - digit) >> BITS)
        }};
    }
    let (r0, carry) = settle!(t9, l0, carry);
    let (r1, carry) = settle!(t10, l1, carry);
    let (r2, carry) = settle!(t11, l2, carry);
    let (r3, carry) = settle!(t12, l3, carry);
    let (r4, carry) = settle!(t13, l4, carry);
    let (r5, carry) = settle!(t14, l5, carry);
    let (r6, carry) = settle!(t15, l6, carry);
    let (r7, carry) = settle!(t16, l7, carry);
    // INVARIANT: the factors are within ±4p, and so the value, `less` included, is within ±8p: for the highest digit, of
    // weight 2^232, there is no more than 2^27 left.
    let r8 = (carry - l8) as i32;
    FieldElement([r0, r1, r2, r3, r4, r5, r6, r7, r8])
}

/// The lowest digit of a sum, from −2^28 to 2^28 − 1.
const fn tight(sum: i64) -> i64 {
    (sum << (i64::BITS - BITS)) >> (i64::BITS - BITS)
}
