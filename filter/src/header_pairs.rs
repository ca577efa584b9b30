//! Header maps as octets: the ABI's serialisation of name and value pairs.
//!
//! A count, then the two lengths of every pair, then every name and value with a zero after it; all numbers are
//! little-endian u32 (proxy-wasm ABI 0.2.1, "Serialization").

use crate::host::Fields;

const WORD: usize = size_of::<u32>();

/// The pairs, or nothing when the octets are not exactly such a list. No octets at all are the empty list.
pub(crate) fn parse(octets: &[u8]) -> Option<Fields> {
    if octets.is_empty() {
        return Some(Vec::new());
    }
    let (count, rest) = word(octets)?;
    let (mut lengths, mut strings) = rest.split_at_checked(count.checked_mul(2 * WORD)?)?;
    let mut fields = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_length, after_name) = word(lengths)?;
        let (value_length, after_value) = word(after_name)?;
        let (name, after_name) = string(strings, name_length)?;
        let (value, rest) = string(after_name, value_length)?;
        fields.push((name.to_vec(), value.to_vec()));
        (lengths, strings) = (after_value, rest);
    }
    strings.is_empty().then_some(fields)
}

/// The octets of a list of pairs; nothing when one is longer than the ABI can say.
pub(crate) fn serialize(pairs: &[(&str, &str)]) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let word = |length: usize| u32::try_from(length).ok().map(u32::to_le_bytes);
    octets.extend(word(pairs.len())?);
    for (name, value) in pairs {
        octets.extend(word(name.len())?);
        octets.extend(word(value.len())?);
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        octets.extend(text.as_bytes());
        octets.push(0);
    }
    Some(octets)
}

fn word(octets: &[u8]) -> Option<(usize, &[u8])> {
    let (word, rest) = octets.split_first_chunk::<WORD>()?;
    Some((usize::try_from(u32::from_le_bytes(*word)).ok()?, rest))
}

fn string(octets: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (string, rest) = octets.split_at_checked(length)?;
    Some((string, rest.strip_prefix(&[0])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Fields {
        list.iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn what_was_written_is_read_again() {
        for list in [
            vec![],
            vec![("a", "")],
            vec![(":path", "/x"), ("cookie", "a"), ("cookie", "b")],
        ] {
            let octets = serialize(&list).unwrap();
            assert_eq!(parse(&octets), Some(pairs(&list)), "{list:?}");
        }
        assert_eq!(parse(b""), Some(Vec::new()));
    }

    #[test]
    fn a_value_is_any_octets() {
        let octets = b"\x01\0\0\0\x01\0\0\0\x03\0\0\0a\0\xff\0\xfe\0";
        assert_eq!(
            parse(octets),
            Some(vec![(b"a".to_vec(), b"\xff\0\xfe".to_vec())])
        );
    }

    #[test]
    fn every_part_and_every_extension_of_a_list_is_no_list() {
        let octets = serialize(&[("name", "value"), ("other", "")]).unwrap();
        for length in 1..octets.len() {
            assert_eq!(parse(&octets[..length]), None, "{length} octets");
        }
        assert_eq!(parse(&[octets.as_slice(), b"x"].concat()), None);
    }

    #[test]
    fn a_count_or_a_length_beyond_the_octets_is_no_list() {
        assert_eq!(parse(b"\xff\xff\xff\xff"), None);
        assert_eq!(parse(b"\x01\0\0\0\xff\xff\xff\xff\0\0\0\0a\0\0"), None);
        assert_eq!(
            parse(b"\x01\0\0\0\x01\0\0\0\0\0\0\0ab\0"),
            None,
            "no zero after the name"
        );
    }
}
