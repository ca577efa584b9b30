//! Header maps as octets: the ABI's serialisation of name and value pairs.
//!
//! A count, then the two lengths of every pair, then every name and value with a zero after it; all numbers are
//! little-endian u32 (proxy-wasm ABI 0.2.1, "Serialization").

use std::slice;

const WORD: usize = size_of::<u32>();

/// Names and values as the host gave them, checked, in their order and in one piece: nothing is copied out of it.
#[derive(Debug)]
pub(crate) struct HeaderPairs {
    octets: Vec<u8>,
}

impl HeaderPairs {
    /// The pairs, or nothing when the octets are not exactly such a list. No octets at all are the empty list.
    pub(crate) fn parse(octets: Vec<u8>) -> Option<Self> {
        let mut pairs = Pairs::of(&octets);
        pairs.by_ref().for_each(drop);
        pairs.are_all().then_some(Self { octets })
    }

    /// All of them, in their order.
    pub(crate) fn iter(&self) -> Pairs<'_> {
        Pairs::of(&self.octets)
    }

    /// The first value of that name, which is compared byte for byte.
    pub(crate) fn value(&self, wanted: &[u8]) -> Option<&[u8]> {
        let mut found = self.iter().filter(|(name, _)| *name == wanted);
        found.next().map(|(_, value)| value)
    }
}

/// A name and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The lengths of a name and of its value.
type Lengths = [u8; 2 * WORD];

/// Walks through a list as far as it is one.
#[derive(Clone)]
pub(crate) struct Pairs<'a> {
    /// Of the pairs that follow: their lengths, then their names and values.
    lengths: slice::Iter<'a, Lengths>,
    strings: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// The pairs of these octets. No octets at all are the empty list.
    pub(crate) fn of(octets: &'a [u8]) -> Self {
        // What is too short for its count is left as it is: strings without lengths, which are not all there is.
        let (lengths, strings) = split(octets).unwrap_or((&[], octets));
        let lengths = lengths.iter();
        Self { lengths, strings }
    }

    /// Whether the octets are exactly such a list: to be asked behind the last pair.
    pub(crate) fn are_all(&self) -> bool {
        self.lengths.as_slice().is_empty() && self.strings.is_empty()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let [name, value] = self.lengths.as_slice().first()?.as_chunks().0 else {
            return None;
        };
        let (name, behind) = string(self.strings, *name)?;
        let (value, behind) = string(behind, *value)?;
        self.strings = behind;
        self.lengths.next();
        Some((name, value))
    }
}

/// The octets of a list of pairs; nothing when one is longer than the ABI can say.
pub(crate) fn serialize<V: AsRef<str>>(pairs: &[(&str, V)]) -> Option<Vec<u8>> {
    let strings = || {
        let pairs = pairs.iter();
        pairs.flat_map(|(name, value)| [*name, value.as_ref()])
    };
    let each = |text: &str| text.len().saturating_add(WORD + 1);
    let size = strings().map(each).fold(WORD, usize::saturating_add);
    let mut octets = Vec::with_capacity(size);
    let word = |length: usize| u32::try_from(length).ok().map(u32::to_le_bytes);
    octets.extend(word(pairs.len())?);
    for text in strings() {
        octets.extend(word(text.len())?);
    }
    for text in strings() {
        octets.extend(text.as_bytes());
        octets.push(0);
    }
    Some(octets)
}

/// The lengths in a list, and the names and values behind them.
#[inline]
fn split(octets: &[u8]) -> Option<(&[Lengths], &[u8])> {
    let (count, rest) = octets.split_first_chunk()?;
    let lengths = size(*count)?.checked_mul(size_of::<Lengths>())?;
    let (lengths, strings) = rest.split_at_checked(lengths)?;
    Some((lengths.as_chunks().0, strings))
}

/// A string of that length, and what stands behind its zero.
#[inline]
fn string(octets: &[u8], length: [u8; WORD]) -> Option<(&[u8], &[u8])> {
    let (string, rest) = octets.split_at_checked(size(length)?)?;
    Some((string, rest.strip_prefix(&[0])?))
}

#[inline]
fn size(word: [u8; WORD]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(word)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(octets: &[u8], expected: Option<&[Pair<'_>]>, shown: &str) {
        let parsed = HeaderPairs::parse(octets.to_vec());
        let pairs: Option<Vec<_>> = parsed.as_ref().map(|pairs| pairs.iter().collect());
        assert_eq!(pairs.as_deref(), expected, "{shown}");
    }

    #[test]
    fn what_was_written_is_read_again() {
        for list in [
            vec![],
            vec![("a", "")],
            vec![(":path", "/x"), ("cookie", "a"), ("cookie", "b")],
        ] {
            let octets = serialize(&list).unwrap();
            let pairs: Vec<_> = list
                .iter()
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect();
            check(&octets, Some(&pairs), "as written");
        }
        check(b"", Some(&[]), "nothing");
    }

    #[test]
    fn the_first_value_of_a_name_is_found() {
        let octets = serialize(&[("a", "1"), ("b", "2"), ("b", "3")]).unwrap();
        let pairs = HeaderPairs::parse(octets).unwrap();
        assert_eq!(pairs.value(b"b"), Some(b"2".as_slice()));
        assert_eq!(pairs.value(b"B"), None);
    }

    #[test]
    fn a_value_is_any_octets() {
        let octets = b"\x01\0\0\0\x01\0\0\0\x03\0\0\0a\0\xff\0\xfe\0";
        check(octets, Some(&[(b"a", b"\xff\0\xfe")]), "a zero within");
    }

    #[test]
    fn every_part_and_every_extension_of_a_list_is_no_list() {
        let octets = serialize(&[("name", "value"), ("other", "")]).unwrap();
        for length in 1..octets.len() {
            check(&octets[..length], None, &format!("{length} octets"));
        }
        check(&[octets.as_slice(), b"x"].concat(), None, "one more");
    }

    #[test]
    fn a_count_or_a_length_beyond_the_octets_is_no_list() {
        check(b"\xff\xff\xff\xff", None, "a count");
        check(b"\x01\0\0\0\xff\xff\xff\xff\0\0\0\0a\0\0", None, "a length");
        check(
            b"\x01\0\0\0\x01\0\0\0\0\0\0\0ab\0",
            None,
            "no zero after the name",
        );
    }
}
