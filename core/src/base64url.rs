//! Base64url as RFC 7515 section 2 has it: no padding, no white space, and only the canonical spelling.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes that `text` spells, or nothing.
///
/// Bits of the last character that carry no data must be zero. Otherwise one token would have several spellings, and
/// whatever remembers tokens by their text would take them for different ones.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decode_into(text, &mut bytes)?;
    Some(bytes)
}

/// The same behind what is in `bytes`, which need not be made anew for each text.
pub(crate) fn decode_into(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    URL_SAFE_NO_PAD.decode_vec(text, bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_read() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("AQAB", Some(&[1, 0, 1])),
            ("-_8", Some(&[0xfb, 0xff])),
            ("_w", Some(&[0xff])),
            // The same byte with bits to spare that are not zero.
            ("_x", None),
            ("-_9", None),
            ("_w==", None),
            ("_w=", None),
            ("+/8", None),
            ("AQ AB", None),
            ("AQAB\n", None),
            ("\tAQAB", None),
            // One character over: six bits make no byte.
            ("A", None),
            ("AQABA", None),
            ("AQ.AB", None),
            ("AQ\u{e4}", None),
        ] {
            assert_eq!(decode(text).as_deref(), bytes, "{text:?}");
        }
    }
}
