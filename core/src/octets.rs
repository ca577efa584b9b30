//! Sets of octets, and texts that are the same.

/// Some of the 256 octets.
pub(crate) struct OctetSet([bool; 256]);

impl OctetSet {
    /// The letters and digits of ASCII, and `further`.
    #[allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "at compile time, where either is an error"
    )]
    pub(crate) const fn alphanumeric_and(further: &[u8]) -> Self {
        let mut all = [false; 256];
        let mut octet = u8::MIN;
        loop {
            all[octet as usize] = octet.is_ascii_alphanumeric();
            if octet == u8::MAX {
                break;
            }
            octet += 1;
        }
        let mut place = 0;
        while place < further.len() {
            all[further[place] as usize] = true;
            place += 1;
        }
        Self(all)
    }

    /// Whether an octet is among them.
    pub(crate) fn has(&self, octet: u8) -> bool {
        self.0.get(usize::from(octet)) == Some(&true)
    }
}

/// Whether two texts are the same.
///
/// `==` on slices of octets calls `memcmp`, which the C library of wasm32-wasip1 does octet by octet. Many at once take a fraction of that.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(crate) fn are_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ((one, one_rest), (other, other_rest)) = (one.as_chunks(), other.as_chunks());
    let mut chunks = one.iter().zip(other);
    if !chunks.all(|(one, other)| is_same_chunk(one, other)) {
        return false;
    }
    let ((one, one_rest), (other, other_rest)) = (one_rest.as_chunks(), other_rest.as_chunks());
    let mut words = one.iter().zip(other);
    let mut octets = one_rest.iter().zip(other_rest);
    words.all(|(one, other)| unlike(one, other) == 0) && octets.all(|(one, other)| one == other)
}

/// Four words without a branch between them. What is compiled for its size makes no such thing of a loop.
#[cfg(not(target_arch = "wasm32"))]
fn is_same_chunk(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let words = (one.as_chunks().0, other.as_chunks().0);
    let ([a, b, c, d], [e, f, g, h]) = words else {
        return false;
    };
    unlike(a, e) | unlike(b, f) | unlike(c, g) | unlike(d, h) == 0
}

/// The same two words at a time, with WebAssembly's `simd128`. The tests below do not run it; one in Envoy does, octet by octet (`envoy_known_tokens`).
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
fn is_same_chunk(one: &[u8; 32], other: &[u8; 32]) -> bool {
    use core::arch::wasm32::{u64x2, v128_any_true, v128_or, v128_xor};
    let words = (one.as_chunks().0, other.as_chunks().0);
    let ([a, b, c, d], [e, f, g, h]) = words else {
        return false;
    };
    let two = |one: &[u8; 8], other: &[u8; 8]| {
        u64x2(u64::from_le_bytes(*one), u64::from_le_bytes(*other))
    };
    let first = v128_xor(two(a, b), two(e, f));
    let second = v128_xor(two(c, d), two(g, h));
    !v128_any_true(v128_or(first, second))
}

/// The bits in which two words differ.
fn unlike(one: &[u8; 8], other: &[u8; 8]) -> u64 {
    u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_text_is_the_same() {
        for length in [0, 1, 7, 8, 9, 31, 32, 33, 40, 63, 64, 80, 103] {
            let text: Vec<u8> = (1..).take(length).collect();
            assert!(are_same(&text, &text.clone()), "{length}");
            for place in 0..length {
                let mut other = text.clone();
                other[place] ^= 1 << (place % 8);
                assert!(!are_same(&text, &other), "{length}, changed at {place}");
                assert!(!are_same(&text, &text[..place]), "{length}, cut at {place}");
                assert!(!are_same(&text[..place], &text), "{length}, cut at {place}");
            }
        }
    }

    #[test]
    fn a_set_has_what_it_was_given_and_nothing_else() {
        let set = OctetSet::alphanumeric_and(b"-\xff");
        for octet in u8::MIN..=u8::MAX {
            let expected = octet.is_ascii_alphanumeric() || octet == b'-' || octet == 0xff;
            assert_eq!(set.has(octet), expected, "{octet}");
        }
    }
}
