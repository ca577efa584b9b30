//! Each layer against the `p256` crate: the field, the group, the sum of products, the signature.

mod ecdsa;
mod field;
mod sum;

use p256::elliptic_curve::ff::{Field, PrimeField as _};
use p256::elliptic_curve::hazmat::FieldArithmetic;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{AffinePoint, NistP256, ProjectivePoint};
use proptest::prelude::*;

use super::point::Jacobian;
use super::*;

/// A number modulo p, as `p256` computes with it.
type Reference = <NistP256 as FieldArithmetic>::FieldElement;

fn reference(bytes: [u8; 32]) -> Reference {
    Reference::from_repr(bytes.into()).unwrap()
}

/// Whether these are the same point.
fn same(ours: Jacobian, reference: ProjectivePoint) -> bool {
    let Some((x, y)) = coordinates(reference) else {
        return ours.is_infinity;
    };
    let zz = ours.z.squared();
    let zzz = zz.times(ours.z);
    let is_zero = |difference: FieldElement| difference.squared().is_tight_zero();
    !ours.is_infinity
        && is_zero(FieldElement::from_bytes(&x).times(zz).minus(ours.x))
        && is_zero(FieldElement::from_bytes(&y).times(zzz).minus(ours.y))
}

/// The coordinates of a point other than infinity.
fn coordinates(point: ProjectivePoint) -> Option<([u8; 32], [u8; 32])> {
    let encoded = point.to_affine().to_sec1_point(false);
    Some((
        encoded.x()?.as_slice().try_into().unwrap(),
        encoded.y()?.as_slice().try_into().unwrap(),
    ))
}

fn affine(point: ProjectivePoint) -> Affine {
    let (x, y) = coordinates(point).unwrap();
    Affine {
        x: FieldElement::from_bytes(&x),
        y: FieldElement::from_bytes(&y),
    }
}

fn bytes(scalar: Scalar) -> [u8; 32] {
    scalar.to_bytes().into()
}

/// 2 to that power.
fn power_of_two(exponent: u64) -> Scalar {
    Field::pow_vartime(&Scalar::from(2_u64), [exponent])
}

/// Numbers modulo n that are anything, small, close to n, close to a power of two, or long runs of ones: what windows and
/// carries trip over.
fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        4 => any::<[u8; 32]>().prop_map(|bytes| <Scalar as Reduce<FieldBytes>>::reduce(&bytes.into())),
        2 => (0..40_u64).prop_map(Scalar::from),
        2 => (0..40_u64).prop_map(|small| -Scalar::from(small)),
        2 => (0..256_u64, 0..40_u64).prop_map(|(exponent, small)| power_of_two(exponent) + Scalar::from(small)),
        2 => (0..256_u64, 0..40_u64).prop_map(|(exponent, small)| power_of_two(exponent) - Scalar::from(small)),
        1 => (0..256_u64, 0..256_u64).prop_map(|(high, low)| power_of_two(high) - power_of_two(low)),
    ]
}
