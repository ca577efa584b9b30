//! Keys and signatures in DER (ITU-T X.690), the form in which hosts take them.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `AlgorithmIdentifier` of rsaEncryption, with its parameters NULL (RFC 3279 section 2.3.1).
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// `AlgorithmIdentifier` of id-ecPublicKey on secp256r1 (RFC 5480 section 2.1.1).
const EC_P256: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07,
];
/// `AlgorithmIdentifier` of id-ecPublicKey on secp384r1 (RFC 5480 section 2.1.1).
const EC_P384: [u8; 18] = [
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
    0x00, 0x22,
];
/// `AlgorithmIdentifier` of id-Ed25519 (RFC 8410 section 3).
const ED25519: [u8; 7] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

/// An RSA key as `SubjectPublicKeyInfo` (RFC 3279 section 2.3.1), from its big-endian numbers.
pub(super) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = [integer(modulus), integer(exponent)].concat();
    subject_public_key_info(&RSA_ENCRYPTION, &element(SEQUENCE, &key))
}

/// A key on P-256 as `SubjectPublicKeyInfo` (RFC 5480 section 2), from its uncompressed point.
pub(super) fn p256_key(point: &[u8]) -> Vec<u8> {
    subject_public_key_info(&EC_P256, point)
}

/// A key on P-384 as `SubjectPublicKeyInfo` (RFC 5480 section 2), from its uncompressed point.
pub(super) fn p384_key(point: &[u8]) -> Vec<u8> {
    subject_public_key_info(&EC_P384, point)
}

/// An Ed25519 key as `SubjectPublicKeyInfo` (RFC 8410 section 4).
pub(super) fn ed25519_key(key: &[u8; 32]) -> Vec<u8> {
    subject_public_key_info(&ED25519, key)
}

/// An ECDSA signature as `Ecdsa-Sig-Value` (RFC 3279 section 2.2.3), from its big-endian numbers.
pub(super) fn ecdsa_signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[integer(r), integer(s)].concat())
}

/// RFC 5280 section 4.1.
fn subject_public_key_info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    // Whole octets: none of their bits is unused.
    let bits = element(BIT_STRING, &[&[0], key].concat());
    element(SEQUENCE, &[algorithm, &bits].concat())
}

/// A number of any size, not negative, in as few octets as hold it (X.690 section 8.3).
fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().take_while(|octet| **octet == 0).count();
    let digits = number.get(start..).unwrap_or_default();
    // A first bit of 1 would be a sign; and zero has one octet.
    let sign: &[u8] = match digits.first() {
        Some(0..0x80) => &[],
        Some(0x80..) | None => &[0],
    };
    element(INTEGER, &[sign, digits].concat())
}

/// Tag, length (X.690 section 8.1.3) and content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let start = length.iter().take_while(|octet| **octet == 0).count();
    let length = length.get(start..).unwrap_or_default();
    let mut octets = vec![tag];
    match length {
        [] => octets.push(0),
        [short @ 0..0x80] => octets.push(*short),
        long => {
            // INVARIANT: a usize has at most eight octets.
            octets.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            octets.extend(long);
        }
    }
    octets.extend(content);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_as_few_octets_as_hold_it() {
        for (content, header) in [
            (0, vec![4, 0]),
            (127, vec![4, 0x7f]),
            (128, vec![4, 0x81, 0x80]),
            (255, vec![4, 0x81, 0xff]),
            (256, vec![4, 0x82, 1, 0]),
        ] {
            let content = vec![7; content];
            assert_eq!(element(4, &content), [header, content].concat());
        }
    }

    #[test]
    fn a_number_is_never_negative_and_has_no_zero_too_many() {
        for (number, expected) in [
            (&[][..], &[2, 1, 0][..]),
            (&[0, 0], &[2, 1, 0]),
            (&[0, 0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0x80, 0], &[2, 3, 0, 0x80, 0]),
        ] {
            assert_eq!(integer(number), expected, "{number:?}");
        }
    }
}
