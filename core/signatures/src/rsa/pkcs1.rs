//! RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2).

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Modulus;

/// A hash that PKCS #1 has a name for.
pub(super) trait Named: Digest {
    /// The DER of a `DigestInfo` up to the hash itself (RFC 8017 section 9.2, note 1).
    const PREFIX: [u8; 19];
}

impl Named for Sha256 {
    const PREFIX: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
}

impl Named for Sha384 {
    const PREFIX: [u8; 19] = [
        0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
        0x05, 0x00, 0x04, 0x30,
    ];
}

impl Named for Sha512 {
    const PREFIX: [u8; 19] = [
        0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
        0x05, 0x00, 0x04, 0x40,
    ];
}

/// Whether `signature` is one of `message`. What it comes to is never parsed: every octet is compared with the one
/// encoded message that there can be, so that garbage has no place to hide (Bleichenbacher, 2006).
pub(super) fn verify<H: Named>(modulus: &Modulus, message: &[u8], signature: &[u8]) -> bool {
    let encoded = modulus.power_65537(signature);
    encoded.is_some() && encoded == encode::<H>(message, modulus.octets())
}

/// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): `00 01 FF … FF 00`, and the `DigestInfo`; nothing if that does not fit.
fn encode<H: Named>(message: &[u8], len: usize) -> Option<Vec<u8>> {
    let hash = H::digest(message);
    // Eight octets of padding at least, and the three around it.
    let info = H::PREFIX.len().checked_add(hash.len())?;
    let padding = len.checked_sub(info)?.checked_sub(3)?;
    if padding < 8 {
        return None;
    }
    Some([&[0, 1], &vec![0xff; padding][..], &[0], &H::PREFIX, &hash].concat())
}
