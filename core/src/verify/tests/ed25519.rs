use ::rsa::sha2::{Digest as _, Sha512};
use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;

use super::*;

/// The order of the base point, L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032 section 5.1), little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Points whose multiples are at most eight: as a key, or as R, they make a signature fit many messages.
pub(super) fn points_of_small_order() -> Vec<[u8; 32]> {
    let mut y_of_order_eight = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    let mut other_of_order_eight = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    let mut points = vec![
        one,
        minus_one,
        [0; 32],
        y_of_order_eight,
        other_of_order_eight,
    ];
    y_of_order_eight[31] |= 0x80;
    other_of_order_eight[31] |= 0x80;
    let mut zero_with_sign = [0; 32];
    zero_with_sign[31] = 0x80;
    points.extend([zero_with_sign, y_of_order_eight, other_of_order_eight]);
    points
}

fn plus_order(s: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let sum = s.iter().zip(ORDER).map(|(&s, order)| {
        let digit = u16::from(s) + u16::from(order) + carry;
        carry = digit >> 8;
        digit as u8
    });
    sum.collect()
}

#[test]
fn s_is_below_the_order() {
    let key = public_key(&jwk(Algorithm::Ed25519));
    let good = sign(Algorithm::Ed25519, INPUT);
    let (r, s) = good.split_at(32);
    // RFC 8032 section 5.1.7: the same signature with L added would pass where this is not checked.
    let mut more = plus_order(s);
    assert!(
        !portable(Algorithm::Ed25519, &key, INPUT, &[r, &more].concat()),
        "S + L"
    );
    more = plus_order(&more);
    assert!(
        !portable(Algorithm::Ed25519, &key, INPUT, &[r, &more].concat()),
        "S + 2L"
    );
    assert!(
        !portable(Algorithm::Ed25519, &key, INPUT, &[r, &ORDER].concat()),
        "S = L"
    );
    for bit in 0x20_u8..=0xff {
        let mut high = s.to_vec();
        high[31] |= bit & 0xe0;
        if high != s {
            assert!(!portable(
                Algorithm::Ed25519,
                &key,
                INPUT,
                &[r, &high].concat()
            ));
        }
    }
}

#[test]
fn r_of_small_order_is_refused() {
    let key = public_key(&jwk(Algorithm::Ed25519));
    let good = sign(Algorithm::Ed25519, INPUT);
    for r in points_of_small_order() {
        for s in [&good[32..], &[0; 32][..]] {
            assert!(!portable(
                Algorithm::Ed25519,
                &key,
                INPUT,
                &[&r[..], s].concat()
            ));
        }
    }
}

#[test]
fn r_that_is_no_point_or_not_canonical_is_refused() {
    let key = public_key(&jwk(Algorithm::Ed25519));
    let good = sign(Algorithm::Ed25519, INPUT);
    let mut no_point = [0; 32];
    no_point[0] = 2;
    for r in [no_point, [0xff; 32], [0x7f; 32]] {
        assert!(!portable(
            Algorithm::Ed25519,
            &key,
            INPUT,
            &[&r[..], &good[32..]].concat()
        ));
    }
}

/// A signature over [`INPUT`] whose R is r·B and a point of small order, by the key a·B and a point of small order.
fn with_small_parts(
    a: Scalar,
    r: Scalar,
    small: (EdwardsPoint, EdwardsPoint),
) -> ([u8; 32], Vec<u8>) {
    let key = (&a * ED25519_BASEPOINT_TABLE + small.0)
        .compress()
        .to_bytes();
    let big_r = (&r * ED25519_BASEPOINT_TABLE + small.1)
        .compress()
        .to_bytes();
    let hash = Sha512::digest([&big_r[..], &key, INPUT].concat());
    let k = Scalar::from_bytes_mod_order_wide(&hash.into());
    (key, [big_r, (r + k * a).to_bytes()].concat())
}

fn compact(key: &[u8; 32], input: &[u8], signature: &[u8]) -> bool {
    let key = ed25519_compact::PublicKey::new(*key);
    ed25519_compact::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify(input, &signature).is_ok())
}

#[test]
fn r_that_is_of_small_order_is_refused_even_where_the_equation_holds() {
    let (a, nothing) = (Scalar::from(7_u8), EIGHT_TORSION[0]);
    for small in EIGHT_TORSION {
        let (key, signature) = with_small_parts(a, Scalar::ZERO, (nothing, small));
        let key = PublicKey::ed25519(&key).unwrap();
        assert!(!portable(Algorithm::Ed25519, &key, INPUT, &signature));
    }
}

#[test]
fn r_and_a_point_of_small_order_are_not_r() {
    let (a, r) = (Scalar::from(7_u8), Scalar::from(8_u8));
    for (number, small) in EIGHT_TORSION.into_iter().enumerate() {
        let (key, signature) = with_small_parts(a, r, (EIGHT_TORSION[0], small));
        // The wider equation of RFC 8032 section 5.1.7 cannot tell them apart.
        assert!(compact(&key, INPUT, &signature));
        let key = PublicKey::ed25519(&key).unwrap();
        let verified = portable(Algorithm::Ed25519, &key, INPUT, &signature);
        assert_eq!(verified, number == 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_say_the_same_of_a_signature(
        seed in any::<[u8; 32]>(),
        input in proptest::collection::vec(any::<u8>(), 0..200),
        bit in 0..512_usize,
        raw in any::<[u8; 64]>(),
    ) {
        let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(seed));
        let key = PublicKey::ed25519(&pair.pk[..]).unwrap();
        let good = pair.sk.sign(&input, None).to_vec();
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let r_alone = [&good[..32], &raw[32..]].concat();
        let s_alone = [&raw[..32], &good[32..]].concat();
        for (signature, expected) in
            [(&good, true), (&flipped, false), (&raw.to_vec(), false), (&r_alone, false), (&s_alone, false)]
        {
            prop_assert_eq!(portable(Algorithm::Ed25519, &key, &input, signature), expected);
            prop_assert_eq!(compact(&pair.pk, &input, signature), expected);
        }
        prop_assert!(!portable(Algorithm::Ed25519, &key, &[&input[..], b"x"].concat(), &good));
    }

    /// Keys and R with a part of small order: we take none that the wider equation refuses.
    #[test]
    fn nothing_passes_that_the_wider_equation_refuses(
        a in any::<[u8; 32]>(), r in any::<[u8; 32]>(), in_key in 0..8_usize, in_r in 0..8_usize,
    ) {
        let [a, r] = [a, r].map(Scalar::from_bytes_mod_order);
        let small = (EIGHT_TORSION[in_key], EIGHT_TORSION[in_r]);
        let (key, signature) = with_small_parts(a, r, small);
        if let Ok(public) = PublicKey::ed25519(&key)
            && portable(Algorithm::Ed25519, &public, INPUT, &signature)
        {
            prop_assert!(compact(&key, INPUT, &signature));
        }
    }
}
