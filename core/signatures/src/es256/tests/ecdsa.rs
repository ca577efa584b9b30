use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{SigningKey, VerifyingKey};
use p256::elliptic_curve::point::DecompressPoint as _;
use p256::elliptic_curve::subtle::Choice;

use super::*;

const INPUT: &[u8] = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UifQ";

/// What both say: they must say the same, the first time and once the multiples are there.
fn verdict(q: ProjectivePoint, input: &[u8], signature: &[u8]) -> bool {
    let (x, y) = coordinates(q).unwrap();
    let key = Key::new(&x, &y).unwrap();
    let ours = key.verify(input, signature);
    assert_eq!(key.verify(input, signature), ours);
    assert_eq!(key.clone().verify(input, signature), ours);
    let reference = VerifyingKey::from_affine(q.to_affine()).unwrap();
    let theirs = Signature::from_slice(signature)
        .is_ok_and(|signature| reference.verify(input, &signature).is_ok());
    assert_eq!(ours, theirs, "{q:?} {input:?} {signature:?}");
    ours
}

fn digest(input: &[u8]) -> Scalar {
    let hash: [u8; 32] = Sha256::digest(input).into();
    <Scalar as Reduce<FieldBytes>>::reduce(&hash.into())
}

/// The key under which (r, s) verifies over `input` with the point R, whoever may know its logarithm:
/// Q = r⁻¹·(s·R − z·G) (SEC 1 section 4.1.6).
fn recovered(r: Scalar, s: Scalar, big_r: ProjectivePoint, input: &[u8]) -> ProjectivePoint {
    (big_r * s - ProjectivePoint::GENERATOR * digest(input)) * r.invert_vartime().unwrap()
}

/// The points with the first x-coordinates from `x` on that are on the curve, and these coordinates.
fn points_from(x: Reference) -> impl Iterator<Item = (Reference, ProjectivePoint)> {
    std::iter::successors(Some(x), |x| Some(*x + Reference::ONE)).filter_map(|x| {
        let point = AffinePoint::decompress(&x.to_repr(), Choice::from(0)).into_option()?;
        Some((x, point.into()))
    })
}

/// r‖s.
fn joined(r: Scalar, s: Scalar) -> Vec<u8> {
    [bytes(r), bytes(s)].concat()
}

#[test]
fn an_x_coordinate_beyond_the_order_verifies_by_its_remainder() {
    let order = reference(bytes(-Scalar::ONE)) + Reference::ONE;
    for (x, point) in points_from(order + Reference::ONE).take(8) {
        let r = Scalar::from_repr((x - order).to_repr()).unwrap();
        let s = Scalar::from(77_u64);
        let q = recovered(r, s, point, INPUT);
        assert!(verdict(q, INPUT, &joined(r, s)), "r + n");
        assert!(!verdict(q, INPUT, &joined(r + Scalar::ONE, s)));
    }
    // The last ones below p: r + n is p − 1 or little less.
    let last =
        points_from(-Reference::from(12_u64)).take_while(|(x, _)| x.to_repr() > order.to_repr());
    let mut seen = 0;
    for (x, point) in last.take(4) {
        let r = Scalar::from_repr((x - order).to_repr()).unwrap();
        let s = -Scalar::from(78_u64);
        assert!(verdict(recovered(r, s, point, INPUT), INPUT, &joined(r, s)));
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn a_small_x_coordinate_verifies_by_itself_alone() {
    let prime_minus_order = reference(PRIME_MINUS_ORDER);
    for (x, point) in points_from(Reference::ZERO).take(8) {
        let s = Scalar::from(79_u64);
        let itself = Scalar::from_repr(x.to_repr()).unwrap();
        if itself != Scalar::ZERO {
            let q = recovered(itself, s, point, INPUT);
            assert!(verdict(q, INPUT, &joined(itself, s)));
        }
        // r + n is x modulo p, but it is beyond p: no coordinate.
        let beyond = Scalar::from_repr((x + prime_minus_order).to_repr()).unwrap();
        let q = recovered(beyond, s, point, INPUT);
        assert!(!verdict(q, INPUT, &joined(beyond, s)), "r + n − p");
    }
}

#[test]
fn a_sum_that_is_infinity_verifies_nothing() {
    let z = digest(INPUT);
    for factor in [
        Scalar::ONE,
        -Scalar::ONE,
        Scalar::from(9_u64),
        power_of_two(64),
    ] {
        // u1·G + u2·Q = (z + r·d)/s·G.
        let r = -z * factor.invert_vartime().unwrap();
        for s in [Scalar::ONE, -Scalar::ONE, r, Scalar::from(5_u64)] {
            let q = ProjectivePoint::GENERATOR * factor;
            assert!(!verdict(q, INPUT, &joined(r, s)));
        }
    }
}

#[test]
fn a_sum_of_two_equal_points_verifies() {
    let z = digest(INPUT);
    for k in [2_u64, 3, 1 << 40, u64::MAX] {
        let k = Scalar::from(k);
        let (x, _) = coordinates(ProjectivePoint::GENERATOR * k).unwrap();
        let r = <Scalar as Reduce<FieldBytes>>::reduce(&x.into());
        // r·d = z, so that u1·G = u2·Q.
        let d = z * r.invert_vartime().unwrap();
        let s = z.double() * k.invert_vartime().unwrap();
        let q = ProjectivePoint::GENERATOR * d;
        assert!(verdict(q, INPUT, &joined(r, s)));
        assert!(verdict(q, INPUT, &joined(r, -s)), "the other s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any change of one bit leads away from the curve, but for the few that lead to another point of it.
    #[test]
    fn a_key_is_a_point_of_the_curve(seed in any::<u64>(), bit in 0_usize..600) {
        let point = ProjectivePoint::GENERATOR * power_of_two(seed);
        let (mut x, mut y) = coordinates(point).unwrap();
        if let Some(byte) = x.iter_mut().chain(&mut y).nth(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        let sec1 = [&[4], &x[..], &y[..]].concat();
        let expected = p256::PublicKey::from_sec1_bytes(&sec1).is_ok();
        prop_assert_eq!(Key::new(&x, &y).is_some(), expected);
        prop_assert_eq!(expected, bit >= 512);
    }

    #[test]
    fn signatures_verify_until_something_changes(
        d in scalar(),
        input in prop::collection::vec(any::<u8>(), 0..200),
        bit in 0..512_usize,
        other in any::<[u8; 32]>(),
    ) {
        let Ok(signing_key) = SigningKey::from_slice(&bytes(d)) else {
            return Ok(());
        };
        let q = ProjectivePoint::GENERATOR * d;
        let signature: Signature = signing_key.sign(&input);
        let (r, s) = signature.split_scalars();
        prop_assert!(verdict(q, &input, &signature.to_bytes()));
        prop_assert!(verdict(q, &input, &joined(*r, -*s)), "the other s");
        prop_assert!(!verdict(-q, &input, &signature.to_bytes()));
        prop_assert!(!verdict(q, &[&input[..], b"\0"].concat(), &signature.to_bytes()));
        let mut flipped = signature.to_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verdict(q, &input, &flipped));
        verdict(q, &input, &[other, bytes(*s)].concat());
        verdict(q, &input, &[bytes(*r), other].concat());
    }

    /// Any r and s at all, the edges of both among them.
    #[test]
    fn both_say_the_same_of_any_signature(d in scalar(), r in scalar(), s in scalar(), raw in any::<[u8; 64]>()) {
        prop_assume!(d != Scalar::ZERO);
        let q = ProjectivePoint::GENERATOR * d;
        verdict(q, INPUT, &joined(r, s));
        verdict(q, INPUT, &raw);
        let order = [&[0xff; 4][..], &[0; 4], &[0xff; 8], &PRIME_ORDER_LOW[..]].concat();
        verdict(q, INPUT, &[&order[..], &bytes(s)].concat());
        verdict(q, INPUT, &[&bytes(r), &order[..]].concat());
    }
}

/// The lower half of n.
const PRIME_ORDER_LOW: [u8; 16] = [
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
