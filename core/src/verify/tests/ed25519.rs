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
