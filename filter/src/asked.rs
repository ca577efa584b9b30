//! A request as Envoy gave it: read once, and kept for as long as it may have to be decided.

use scopegate_core::Request;

use crate::header_pairs::Pairs;
use crate::host::{self, HeaderMap, HostError};

/// The octets of a request's header map. What the core reads points into them.
pub(crate) struct Asked {
    octets: Vec<u8>,
}

impl Asked {
    /// Reads the request of the effective context.
    pub(crate) fn read() -> Result<Self, HostError> {
        let octets = host::serialized_fields(HeaderMap::Request)?;
        Ok(Self { octets })
    }

    /// Fills a request with what it holds.
    ///
    /// # Errors
    /// They are no header map, or there is no method among them.
    pub(crate) fn fill<'a>(&'a self, request: &mut Request<'a>) -> Result<(), HostError> {
        // Checked while it is read: a walk of its own would cost each request as much again.
        let mut pairs = Pairs::of(&self.octets);
        let has_method = request.fill(pairs.by_ref()).is_some();
        match has_method && pairs.are_all() {
            true => Ok(()),
            false => Err(HostError::malformed("get_header_map_pairs")),
        }
    }

    /// One of these fields, as Envoy would give it.
    #[cfg(test)]
    pub(crate) fn sample(fields: &[(&str, &str)]) -> Self {
        let octets = crate::header_pairs::serialize(fields);
        Self {
            octets: octets.unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [(&str, &str); 5] = [
        (":path", "/a?b"),
        (":method", "PUT"),
        ("x", "1"),
        (":path", "/other"),
        (":method", "GET"),
    ];

    #[test]
    fn a_request_has_its_first_method_and_path_and_the_fields_that_are_no_pseudo_headers() {
        let asked = Asked::sample(&FIELDS);
        let mut request = Request::empty();
        assert_eq!(asked.fill(&mut request), Ok(()));
        assert_eq!(request.method(), b"PUT");
        assert_eq!(request.path(), Some(&b"/a?b"[..]));
        let fields: Vec<_> = request.headers().collect();
        assert_eq!(fields, [(&b"x"[..], &b"1"[..])]);
    }

    #[test]
    fn what_has_no_method_or_is_cut_is_no_request() {
        let malformed = Err(HostError::malformed("get_header_map_pairs"));
        let nothing = Asked::sample(&[]);
        assert_eq!(nothing.fill(&mut Request::empty()), malformed);
        let without = Asked::sample(&[(":path", "/"), ("method", "GET")]);
        assert_eq!(without.fill(&mut Request::empty()), malformed);
        let whole = Asked::sample(&FIELDS).octets;
        for length in 0..whole.len() {
            let octets = whole[..length].to_vec();
            assert_eq!(
                Asked { octets }.fill(&mut Request::empty()),
                malformed,
                "{length} octets"
            );
        }
        let octets = [whole.as_slice(), b"x"].concat();
        assert_eq!(Asked { octets }.fill(&mut Request::empty()), malformed);
    }
}
