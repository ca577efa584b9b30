//! The two protobuf messages of Envoy's host function `verify_signature`, written and read by hand.
//!
//! `VerifySignatureArguments { string hash_function = 1; bytes public_key = 2; bytes signature = 3; bytes text = 4; }`
//! and `VerifySignatureResult { bool result = 1; string error = 2; }`
//! (envoy/source/extensions/common/wasm/ext/verify_signature.proto).

/// What is asked of the host.
pub(crate) struct Arguments<'a> {
    /// `sha256`, `sha384` or `sha512`.
    pub(crate) hash_function: &'a str,
    /// SubjectPublicKeyInfo in DER.
    pub(crate) public_key: &'a [u8],
    /// PKCS #1 v1.5, or ECDSA in DER.
    pub(crate) signature: &'a [u8],
    /// What was signed.
    pub(crate) text: &'a [u8],
}

impl Arguments<'_> {
    /// The message's octets.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let fields = [
            self.hash_function.as_bytes(),
            self.public_key,
            self.signature,
            self.text,
        ];
        // A tag and a length take at most 11 octets each; one allocation is enough.
        let capacity = fields
            .iter()
            .map(|field| field.len().saturating_add(11))
            .sum();
        let mut message = Vec::with_capacity(capacity);
        for (number, field) in (1_u8..).zip(fields) {
            message.push(number << 3 | LENGTH_DELIMITED);
            push_varint(&mut message, field.len());
            message.extend_from_slice(field);
        }
        message
    }
}

/// What the host says about a signature.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome<'a> {
    /// Whether it is valid.
    pub(crate) valid: bool,
    /// Why it is not, or why the host could not tell.
    pub(crate) error: &'a [u8],
}

/// The host's answer; nothing when it is no such message.
pub(crate) fn decode_result(mut message: &[u8]) -> Option<Outcome<'_>> {
    // A field that is absent has its default value (proto3).
    let mut outcome = Outcome::default();
    while !message.is_empty() {
        let (tag, rest) = varint(message)?;
        message = match tag & 0b111 {
            0 => {
                let (value, rest) = varint(rest)?;
                if tag >> 3 == 1 {
                    outcome.valid = value == 1;
                }
                rest
            }
            2 => {
                let (length, rest) = varint(rest)?;
                let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                if tag >> 3 == 2 {
                    outcome.error = value;
                }
                rest
            }
            _ => return None,
        };
    }
    Some(outcome)
}

const LENGTH_DELIMITED: u8 = 2;

fn push_varint(message: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        message.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn varint(octets: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, octet) in octets.iter().enumerate().take(9) {
        let shift = u32::try_from(index).ok()?.checked_mul(7)?;
        value |= u64::from(octet & 0x7f).checked_shl(shift)?;
        if octet & 0x80 == 0 {
            return Some((value, octets.get(index.checked_add(1)?..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_four_length_delimited_fields() {
        let message = Arguments {
            hash_function: "sha256",
            public_key: b"key",
            signature: b"",
            text: &[b'x'; 300],
        }
        .encode();
        let expected = [
            b"\x0a\x06sha256\x12\x03key\x1a\x00\x22\xac\x02".as_slice(),
            &[b'x'; 300],
        ]
        .concat();
        assert_eq!(message, expected);
    }

    #[test]
    fn a_result_is_valid_only_when_it_says_so() {
        for (shown, message, expected) in [
            ("valid", b"\x08\x01".as_slice(), Some((true, ""))),
            (
                "valid with an empty error",
                b"\x08\x01\x12\x00",
                Some((true, "")),
            ),
            ("nothing said", b"", Some((false, ""))),
            ("an error alone", b"\x12\x03bad", Some((false, "bad"))),
            (
                "said and taken back",
                b"\x08\x01\x08\x00",
                Some((false, "")),
            ),
            ("other fields", b"\x18\x01\x22\x01x", Some((false, ""))),
            ("a number that is not 1", b"\x08\x02", Some((false, ""))),
            ("no value", b"\x08", None),
            ("a length beyond the message", b"\x12\x04bad", None),
            ("a fixed-width field", b"\x09\x01\0\0\0\0\0\0\0", None),
            (
                "an endless number",
                b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                None,
            ),
        ] {
            let seen = decode_result(message).map(|outcome| (outcome.valid, outcome.error));
            assert_eq!(
                seen,
                expected.map(|(valid, error)| (valid, error.as_bytes())),
                "{shown}"
            );
        }
    }
}
