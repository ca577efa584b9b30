//! The request as the decision sees it: method, raw path and header fields, in octets.

use smallvec::SmallVec;

use crate::octets::OctetSet;

/// As many fields as a request commonly has at most: so many need no allocation. Browsers send about 20.
const USUAL_FIELDS: usize = 32;

/// One HTTP request, as octets that its host holds.
///
/// Nothing is decoded, joined or copied here: what the client sent is what the decision reads.
pub struct Request<'a> {
    method: &'a [u8],
    path: Option<&'a [u8]>,
    headers: SmallVec<[(&'a [u8], &'a [u8]); USUAL_FIELDS]>,
}

impl<'a> Request<'a> {
    /// A request of `method` for the raw `path` (the `:path` of RFC 9113 section 8.3.1, query included).
    ///
    /// `headers` are the fields in the order they came. A pseudo header among them (a name that starts
    /// with `:`) is left out: it is no field that a client can spoof or an upstream can read.
    pub fn new<N, V>(
        method: &'a [u8],
        path: Option<&'a [u8]>,
        headers: impl IntoIterator<Item = (&'a N, &'a V)>,
    ) -> Self
    where
        N: AsRef<[u8]> + ?Sized + 'a,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .filter(|(name, _): &(&[u8], &[u8])| !name.starts_with(b":"));
        Self {
            method,
            path,
            headers: headers.collect(),
        }
    }

    /// A request without a method and without fields, to be filled by [`Request::fill`].
    #[inline]
    pub fn empty() -> Self {
        Self {
            method: b"",
            path: None,
            headers: SmallVec::new(),
        }
    }

    /// Makes it a request of these fields, among which the method and the raw path are: the first `:method` and the first `:path`. Nothing where there
    /// is no method: then it is no request, and must not be decided about.
    ///
    /// It does what [`Request::new`] does, where the request stands already: its place for fields is half a kilobyte, which would be moved each time.
    #[must_use]
    pub fn fill(&mut self, fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Option<()> {
        let mut method = None;
        self.path = None;
        self.headers.clear();
        for (name, value) in fields {
            match name {
                b":method" => method = method.or(Some(value)),
                b":path" => self.path = self.path.or(Some(value)),
                [b':', ..] => {}
                _ => self.headers.push((name, value)),
            }
        }
        self.method = method?;
        Some(())
    }

    /// The method, byte for byte.
    pub fn method(&self) -> &'a [u8] {
        self.method
    }

    /// The raw path with its query, if the request has one.
    pub fn path(&self) -> Option<&'a [u8]> {
        self.path
    }

    /// Names and values of all fields, in the order they came.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = (&'a [u8], &'a [u8])> {
        self.headers.iter().copied()
    }

    /// Whether the client speaks gRPC and wants its refusals as a gRPC status.
    ///
    /// `application/grpc`, alone or followed by `+` (gRPC over HTTP/2, "Requests"): the very rule by
    /// which Envoy turns a local reply into a gRPC one.
    pub fn is_grpc(&self) -> bool {
        let Some(content_type) = self.values("content-type").next() else {
            return false;
        };
        content_type
            .strip_prefix(b"application/grpc")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
    }

    /// The names of all fields, as they stand in the request.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().map(|(name, _)| *name)
    }

    /// The values of every field called `name`, in any case.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| *value)
    }

    /// The method that a CORS preflight asks about, if this is one (Fetch standard, "CORS-preflight request").
    ///
    /// OPTIONS with exactly one `Origin` and exactly one `Access-Control-Request-Method`. The latter
    /// must be a method: a list would match a route for any method without being one that a browser sends. Nor does
    /// a browser ask for an `Upgrade` with it, behind which octets would pass that nobody checks.
    pub(crate) fn preflight_method(&self) -> Option<&'a [u8]> {
        // Envoy joins two `Origin` fields with a comma, which no origin holds (RFC 6454 section 6.1).
        let is_one_origin = |origin: &[u8]| !origin.contains(&b',');
        if self.method != b"OPTIONS"
            || self.values("upgrade").next().is_some()
            || !self.only_value("origin").is_some_and(is_one_origin)
        {
            return None;
        }
        self.only_value("access-control-request-method")
            .filter(|method| method.iter().all(|octet| is_token_octet(*octet)))
    }

    fn only_value(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.values(name);
        let first = values.next().filter(|value| !value.is_empty())?;
        match values.next() {
            None => Some(first),
            Some(_) => None,
        }
    }
}

/// Whether an octet may stand in a token, that is in a method or a field name (RFC 9110 section 5.6.2).
pub(crate) fn is_token_octet(octet: u8) -> bool {
    const OF_A_TOKEN: OctetSet = OctetSet::alphanumeric_and(b"!#$%&'*+-.^_`|~");
    OF_A_TOKEN.has(octet)
}

/// An octet of a field name as servers that speak CGI read it: one sign is like another to them, and so is the case.
///
/// RFC 3875 section 4.1.18 makes `-` a `_`. Some servers make every sign one, since none but letters, digits and `_`
/// may stand in the name of a variable.
pub(crate) fn cgi_octet(octet: u8) -> u8 {
    match octet {
        letter_or_digit if letter_or_digit.is_ascii_alphanumeric() => {
            letter_or_digit.to_ascii_lowercase()
        }
        _ => b'-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(method: &'a str, headers: &[(&'a str, &'a str)]) -> Request<'a> {
        Request::new(method.as_bytes(), Some(b"/"), headers.iter().copied())
    }

    #[test]
    fn a_preflight_has_one_origin_and_one_requested_method() {
        let origin = ("origin", "https://app.example.com");
        let asks = ("Access-Control-Request-Method", "GET");
        for (shown, method, headers, expected) in [
            ("a true one", "OPTIONS", vec![origin, asks], Some("GET")),
            ("another method", "GET", vec![origin, asks], None),
            ("a lower-case method", "options", vec![origin, asks], None),
            ("no origin", "OPTIONS", vec![asks], None),
            (
                "an empty origin",
                "OPTIONS",
                vec![("origin", ""), asks],
                None,
            ),
            ("two origins", "OPTIONS", vec![origin, origin, asks], None),
            (
                "two origins that Envoy joined",
                "OPTIONS",
                vec![("origin", "https://a.example,https://b.example"), asks],
                None,
            ),
            (
                "an upgrade",
                "OPTIONS",
                vec![origin, asks, ("upgrade", "websocket")],
                None,
            ),
            ("no requested method", "OPTIONS", vec![origin], None),
            (
                "two requested methods",
                "OPTIONS",
                vec![origin, asks, asks],
                None,
            ),
            (
                "a list of methods",
                "OPTIONS",
                vec![origin, ("access-control-request-method", "GET,POST")],
                None,
            ),
        ] {
            let seen = request(method, &headers);
            assert_eq!(
                seen.preflight_method(),
                expected.map(str::as_bytes),
                "{shown}"
            );
        }
    }

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/grpcx", false),
            ("application/json", false),
        ] {
            let seen = request("POST", &[("Content-Type", content_type)]);
            assert_eq!(seen.is_grpc(), expected, "{content_type}");
        }
    }

    #[test]
    fn a_request_that_is_filled_again_has_nothing_of_the_last_one() {
        let mut request = Request::empty();
        let first: [(&[u8], &[u8]); 3] = [(b":method", b"PUT"), (b":path", b"/x"), (b"a", b"1")];
        assert!(request.fill(first).is_some());
        let second: [(&[u8], &[u8]); 2] = [(b"b", b"2"), (b":method", b"GET")];
        assert!(request.fill(second).is_some());
        assert_eq!((request.method(), request.path()), (&b"GET"[..], None));
        assert!(request.headers().eq([(&b"b"[..], &b"2"[..])]));
    }

    #[test]
    fn pseudo_headers_are_no_fields() {
        assert_eq!(
            request("GET", &[(":path", "/x"), ("a", "b")])
                .names()
                .count(),
            1
        );
    }
}
