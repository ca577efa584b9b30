//! Signatures that the module verifies by itself, where a host does not: RSA (RFC 8017), ECDSA on P-256 and P-384 (FIPS 186-5),
//! Ed25519 (RFC 8032). Which algorithm a key is for, and which keys are acceptable, is the core's to say.
//!
//! Everything here is public (a key, a message, a signature), so that nothing needs to take the same time for all of them. It is a
//! package of its own because it alone is compiled for speed: the core is compiled for size.

pub mod ed25519;
pub mod es256;
pub mod es384;
pub mod rsa;

use std::cmp::Ordering;

/// Whether r‖s are two numbers from 1 to below the order of the group: what else is no signature of any key.
fn is_pair_below(order: &[u8], signature: &[u8]) -> bool {
    let is_fit = |number: &[u8]| {
        number.iter().any(|octet| *octet != 0) && number.cmp(order) == Ordering::Less
    };
    signature
        .split_at_checked(order.len())
        .is_some_and(|(r, s)| s.len() == order.len() && is_fit(r) && is_fit(s))
}
