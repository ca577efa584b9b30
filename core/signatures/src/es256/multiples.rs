//! Multiples of a point, computed once, out of which its product with any number is a sum.

use super::field::FieldElement;
use super::point::{Affine, Jacobian};

/// A number below 2^256 is taken in four parts of 64 bits, which share their doublings: 64 instead of 256.
pub(super) const PARTS: usize = 4;
const PART_BITS: u32 = 64;

/// P, 3P, 5P, … up to (2N − 1)P, and the same of 2^64·P, 2^128·P and 2^192·P.
///
/// None of them is infinity: the order of the group is a prime, larger than any of the odd factors.
#[derive(Clone)]
pub(super) struct Multiples<const N: usize>(pub(super) [[Affine; N]; PARTS]);

impl<const N: usize> Multiples<N> {
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "a constant is computed with it, where there are no iterators"
    )]
    pub(super) const fn new(point: Affine) -> Self {
        // INVARIANT: `part` stays below PARTS, `step` below N.
        let mut bases = [[Jacobian::INFINITY; 2]; PARTS];
        let mut base = Jacobian::from_affine(point);
        let mut part = 0;
        while part < PARTS {
            let mut power = base;
            let mut bit = 0;
            while bit < PART_BITS {
                power = power.doubled();
                if bit == 0 {
                    bases[part] = [base, power];
                }
                bit += 1;
            }
            base = power;
            part += 1;
        }
        let bases = to_affine(bases);

        let mut multiples = [[Jacobian::INFINITY; N]; PARTS];
        let mut part = 0;
        while part < PARTS {
            let [once, twice] = bases[part];
            let mut multiple = Jacobian::from_affine(once);
            let mut step = 0;
            while step < N {
                multiples[part][step] = multiple;
                multiple = multiple.plus(twice);
                step += 1;
            }
            part += 1;
        }
        Self(to_affine(multiples))
    }
}

/// Divides each point by its Z, with one inversion for all of them (Montgomery). None of them is infinity.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a constant is computed with it, where there are no iterators"
)]
const fn to_affine<const N: usize>(points: [[Jacobian; N]; PARTS]) -> [[Affine; N]; PARTS] {
    // INVARIANT: `at` stays below N·PARTS, and both are above zero.
    let mut before = [[FieldElement::ONE; N]; PARTS];
    let mut product = FieldElement::ONE;
    let mut at = 0;
    while at < N * PARTS {
        before[at / N][at % N] = product;
        product = product.times(points[at / N][at % N].z);
        at += 1;
    }
    let mut inverse = product.inverted();
    let nowhere = Affine {
        x: FieldElement::ZERO,
        y: FieldElement::ZERO,
    };
    let mut affine = [[nowhere; N]; PARTS];
    while at > 0 {
        at -= 1;
        let Jacobian { x, y, z, .. } = points[at / N][at % N];
        let z_inverse = inverse.times(before[at / N][at % N]);
        inverse = inverse.times(z);
        let zz_inverse = z_inverse.squared();
        affine[at / N][at % N] = Affine {
            x: x.times(zz_inverse),
            y: y.times(z_inverse.times(zz_inverse)),
        };
    }
    affine
}
