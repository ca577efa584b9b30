//! Headers that need not be read again: all tokens that an issuer signs with one key have the same.

use std::sync::Arc;

use super::Header;
use crate::octets::are_same;

/// So many: more issuers, or more of their keys, than that are seldom in use at once, and looking through them is cheap.
const HEADERS: usize = 4;

/// The longest text of a header that is kept. Those of the known issuers are of 40 to 150 octets.
const MAX_TEXT_BYTES: usize = 512;

/// The headers of the tokens verified last, by the text that they were read from.
///
/// What a header says follows from its text alone, so that nothing here has to be believed: a token with such a header still needs its key and its
/// signature. Only those of verified tokens are kept, because a client could have any others pushed out.
#[derive(Default)]
pub(crate) struct KnownHeaders {
    held: [Option<Known>; HEADERS],
    /// The place of the one that was kept first.
    oldest: usize,
}

struct Known {
    text: Box<str>,
    header: Arc<Header>,
}

impl KnownHeaders {
    /// What that text was read as.
    pub(super) fn find(&self, text: &str) -> Option<Arc<Header>> {
        let mut held = self.held.iter().flatten();
        let known = held.find(|known| are_same(known.text.as_bytes(), text.as_bytes()))?;
        Some(Arc::clone(&known.header))
    }

    /// Whether what that text says is known.
    #[cfg(test)]
    pub(crate) fn has(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Keeps the header of a verified token, which was read from that text.
    pub(crate) fn keep(&mut self, text: &str, header: Arc<Header>) {
        if text.len() > MAX_TEXT_BYTES || self.find(text).is_some() {
            return;
        }
        if let Some(place) = self.held.get_mut(self.oldest) {
            let text = text.into();
            *place = Some(Known { text, header });
        }
        self.oldest = self.oldest.wrapping_add(1) % HEADERS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Object;
    use crate::token::{MalformedToken, UnverifiedToken};
    use crate::verify::testing::encode;

    fn header(kid: &str) -> Arc<Header> {
        let text = format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#);
        let members = Object::parse(text.as_bytes()).unwrap();
        Arc::new(Header::from_object(members).unwrap())
    }

    /// Whatever stands behind a header that is known, the answer is the same.
    #[test]
    fn a_known_header_spares_nothing_but_reading_it_again() {
        let start = format!("{}.", encode(r#"{"alg":"RS256","kid":"1"}"#));
        let good = format!("{start}{}.c2ln", encode(r#"{"iss":"i","exp":1}"#));
        let mut known = KnownHeaders::default();
        let first = UnverifiedToken::parse(&good).unwrap();
        known.keep(first.header_text, Arc::clone(&first.header));
        for text in [
            good.clone(),
            format!("{start}{}.c2ln", encode(r#"{"iss":"i","exp":1,"a":2}"#)),
            format!("{start}{}.c2ln", encode("{}")),
            format!("{start}{}.c2ln", encode("[")),
            format!("{start}.c2ln"),
            format!("{start}!.c2ln"),
            format!("{good}."),
            format!("{good}!"),
            start.clone(),
            start.repeat(2),
            format!("A{good}"),
            good.get(1..).unwrap().to_owned(),
        ] {
            let seen = |parsed: Result<UnverifiedToken<'_>, MalformedToken>| {
                let parsed = parsed?;
                let header = (
                    parsed.header.algorithm,
                    parsed.header.kid().map(str::to_owned),
                );
                let rest = (parsed.signing_input.to_vec(), parsed.signature);
                Ok::<_, MalformedToken>((header, parsed.claims.to_json(), rest))
            };
            let alone = seen(UnverifiedToken::parse(&text));
            assert_eq!(
                seen(UnverifiedToken::parse_knowing(&text, &known)),
                alone,
                "{text}"
            );
        }
        let again = UnverifiedToken::parse_knowing(&good, &known).unwrap();
        assert!(Arc::ptr_eq(&again.header, &first.header));
    }

    #[test]
    fn a_header_is_found_by_the_very_text_that_it_was_read_from() {
        let mut known = KnownHeaders::default();
        assert!(known.find("a").is_none());
        known.keep("a", header("1"));
        known.keep("b", header("2"));
        // Kept already.
        known.keep("a", header("3"));
        let kid = |text: &str| {
            known
                .find(text)
                .map(|header| header.kid().unwrap().to_owned())
        };
        assert_eq!(kid("a").as_deref(), Some("1"));
        assert_eq!(kid("b").as_deref(), Some("2"));
        assert_eq!((kid("A"), kid("ab"), kid("")), (None, None, None));
    }

    #[test]
    fn the_last_few_are_kept_and_no_long_one() {
        let mut known = KnownHeaders::default();
        for kid in ["1", "2", "3", "4", "5", "6"] {
            known.keep(kid, header(kid));
        }
        let found = ["1", "2", "3", "4", "5", "6"].map(|kid| known.find(kid).is_some());
        assert_eq!(found, [false, false, true, true, true, true]);
        known.keep(&"x".repeat(MAX_TEXT_BYTES + 1), header("7"));
        assert!(known.find("3").is_some());
        known.keep(&"x".repeat(MAX_TEXT_BYTES), header("8"));
        assert!(known.find("3").is_none());
    }
}
