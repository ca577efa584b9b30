//! The arithmetic of [`Modulus`] against that of the crate `num-bigint-dig`, which `rsa` shows.

use ::rsa::BigUint;

use proptest::prelude::*;

use super::Modulus;

/// s^65537 mod n in the other way.
fn expected(n: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let (n_number, s_number) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(s));
    if s.len() != n.len() || s_number >= n_number {
        return None;
    }
    let power = s_number
        .modpow(&BigUint::from(65537_u32), &n_number)
        .to_bytes_be();
    Some([vec![0; n.len() - power.len()], power].concat())
}

fn check(n: &[u8], s: &[u8]) {
    let modulus = Modulus::new(n).unwrap();
    assert_eq!(modulus.octets(), n.len());
    assert_eq!(
        modulus.power_65537(s),
        expected(n, s),
        "{s:02x?} modulo {n:02x?}"
    );
}

/// The octets with the size and the oddness of a modulus of that many bits.
fn modulus_of(bits: usize, octets: &[u8]) -> Vec<u8> {
    let mut n: Vec<u8> = octets
        .iter()
        .copied()
        .cycle()
        .take(bits.div_ceil(8))
        .collect();
    let top = (bits - 1) % 8;
    n[0] = n[0] & ((1 << top) - 1) | 1 << top;
    *n.last_mut().unwrap() |= 1;
    n
}

/// A number of that many octets, minus a small one.
fn less(n: &[u8], by: u8) -> Vec<u8> {
    let mut less = n.to_vec();
    let mut borrow = by;
    for octet in less.iter_mut().rev() {
        let (difference, has_borrowed) = octet.overflowing_sub(borrow);
        *octet = difference;
        borrow = u8::from(has_borrowed);
    }
    less
}

#[test]
fn edges_of_moduli_and_bases() {
    for bits in [
        2048, 2049, 2050, 2055, 2056, 2086, 2087, 2088, 2200, 2201, 2204, 2233, 3072, 4088, 4095,
        4096,
    ] {
        for filling in [&[0x00][..], &[0xff], &[0xa5, 0x17, 0x80], &[0, 0, 0, 0xff]] {
            let n = modulus_of(bits, filling);
            let len = n.len();
            let zero = vec![0; len];
            let one = less(&[&zero[..len - 1], &[2]].concat(), 1);
            let high = [&[0][..], &vec![0xff; len - 1]].concat();
            let highest = [&[0x80][..], &vec![0; len - 1]].concat();
            for s in [
                zero,
                one,
                less(&n, 1),
                less(&n, 2),
                n.clone(),
                vec![0xff; len],
                high,
                highest,
                n[1..].to_vec(),
                [&[0], &n[..]].concat(),
                Vec::new(),
            ] {
                check(&n, &s);
            }
        }
    }
}

#[test]
fn no_modulus_is_even_or_starts_with_zero() {
    for (shown, n) in [
        ("even", &[0x80, 0, 0, 2][..]),
        ("a leading zero", &[0, 0x80, 0, 1]),
        ("zero", &[0]),
        ("nothing", &[]),
    ] {
        assert!(Modulus::new(n).is_none(), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn powers_are_those_of_another_library(
        bits in 2048..=4096_usize,
        n in prop::collection::vec(any::<u8>(), 512),
        s in prop::collection::vec(any::<u8>(), 512),
        // A number has runs of ones or zeros more often than chance would have it.
        runs in prop::collection::vec((0..512_usize, 0..40_usize, prop::sample::select(vec![0, 0xff])), 0..4),
    ) {
        let (mut n, mut s) = (n, s);
        for (start, len, octet) in runs {
            for at in start..(start + len).min(512) {
                n[at] = octet;
                s[511 - at] = octet;
            }
        }
        let n = modulus_of(bits, &n);
        check(&n, &s[..n.len()]);
        // One bit shorter than the modulus, so that it is not refused.
        let mut shorter = s[..n.len()].to_vec();
        shorter[0] &= n[0] >> 1;
        check(&n, &shorter);
    }
}
