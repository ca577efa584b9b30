//! u1·G + u2·Q, from precomputed multiples of both points (Straus, with signed windows).

use super::multiples::{Multiples, PARTS};
use super::point::{Affine, Jacobian};

/// A part of 64 bits, in signed windows, may carry into a digit of its own.
const DIGITS: usize = 65;

/// The sum of the products of two points, given by their multiples, with numbers of 256 bits, big-endian.
pub(super) fn sum<const N: usize, const M: usize>(
    one: (&Multiples<N>, &[u8; 32]),
    other: (&Multiples<M>, &[u8; 32]),
) -> Jacobian {
    // What is added at each bit: the highest bit last.
    let mut rows = [[0_i8; 2 * PARTS]; DIGITS];
    let (parts, _) = one.1.as_chunks::<8>();
    for (column, part) in (0..PARTS).zip(parts.iter().rev()) {
        recode::<N>(&mut rows, column, u64::from_be_bytes(*part));
    }
    let (parts, _) = other.1.as_chunks::<8>();
    for (column, part) in (PARTS..).zip(parts.iter().rev()) {
        recode::<M>(&mut rows, column, u64::from_be_bytes(*part));
    }
    let mut sum = Jacobian::INFINITY;
    for row in rows.iter().rev() {
        sum = sum.doubled();
        let (ones, others) = row.split_at(PARTS);
        for (&digit, odd) in ones.iter().zip(&one.0.0) {
            sum = add(sum, digit, odd);
        }
        for (&digit, odd) in others.iter().zip(&other.0.0) {
            sum = add(sum, digit, odd);
        }
    }
    sum
}

/// Adds a digit, zero or odd, times the point whose odd multiples these are.
fn add(sum: Jacobian, digit: i8, odd: &[Affine]) -> Jacobian {
    match odd.get(usize::from(digit.unsigned_abs() >> 1)) {
        Some(multiple) if digit > 0 => sum.plus(*multiple),
        Some(multiple) if digit < 0 => sum.plus(multiple.negated()),
        _ => sum,
    }
}

/// Writes a number as a sum of digits times powers of two, each digit zero or odd and within ±(2N − 1).
#[expect(
    clippy::arithmetic_side_effects,
    reason = "N is 8 or 32, and what is left never exceeds 65 bits"
)]
fn recode<const N: usize>(rows: &mut [[i8; 2 * PARTS]; DIGITS], column: usize, number: u64) {
    // INVARIANT: the digit is what `left` is modulo the window, so that `left` minus the digit is within the window of it.
    let window = 4 * N as i128;
    let mut left = i128::from(number);
    for row in rows.iter_mut() {
        if left & 1 == 1 {
            let low = left & (window - 1);
            let digit = if low >= window / 2 { low - window } else { low };
            if let Some(place) = row.get_mut(column) {
                *place = digit as i8;
            }
            left -= digit;
        }
        left >>= 1;
    }
}
