//! The path of a request in the one form on which every reader agrees, or a refusal.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::SmallVec;

use crate::octets::OctetSet;

/// The longest path that is looked at, without its query. Envoy's default for all request headers
/// together is 60 KiB; servers commonly end a request line at 8 KiB.
const MAX_PATH_BYTES: usize = 8 * 1024;

/// How often a segment that is passed on as data is decoded again, until nothing is left to decode.
///
/// Real data takes one or two rounds. The bound keeps a path of `%2525…` from costing thousands of passes.
const MAX_DECODINGS: usize = 4;

/// A path of so many segments needs no allocation; nearly all of an API's have fewer.
const USUAL_SEGMENTS: usize = 12;

/// What a path segment may hold beyond plain characters, because a route says that it is data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllowInPath {
    /// `%2F`.
    pub encoded_slash: bool,
    /// `;` or `%3B`.
    pub semicolon: bool,
    /// `%25`: after decoding, something that may look like an escape.
    pub double_escape: bool,
}

impl AllowInPath {
    const NOTHING: Self = Self {
        encoded_slash: false,
        semicolon: false,
        double_escape: false,
    };

    /// Whether everything in `needed` is allowed.
    pub fn covers(self, needed: Self) -> bool {
        (self.encoded_slash || !needed.encoded_slash)
            && (self.semicolon || !needed.semicolon)
            && (self.double_escape || !needed.double_escape)
    }

    /// Whether nothing out of the ordinary is needed.
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::NOTHING
    }

    fn union(self, other: Self) -> Self {
        Self {
            encoded_slash: self.encoded_slash || other.encoded_slash,
            semicolon: self.semicolon || other.semicolon,
            double_escape: self.double_escape || other.double_escape,
        }
    }
}

/// The decoded segments of a path, without its query and without one trailing slash.
///
/// Only an unambiguous path has this form: what the gate matches is what any upstream sees, whether it
/// decodes the path, merges its slashes, or resolves its dots.
#[derive(Clone, Debug)]
pub(crate) struct CanonicalPath<'r> {
    /// The decoded segments, one after the other: those of the request, slashes between them, where there was nothing to decode.
    decoded: Cow<'r, [u8]>,
    /// Where each segment starts and ends in there.
    segments: SmallVec<[Range<usize>; USUAL_SEGMENTS]>,
    /// The places of the segments that are not in their usual spelling, in their order.
    respelt: Vec<usize>,
    needs: AllowInPath,
}

/// A path that different readers take for different paths. The client is told no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmbiguousPath;

impl<'r> CanonicalPath<'r> {
    /// Reads the whole `:path`, with its query.
    pub(crate) fn parse(raw: &'r [u8]) -> Result<Self, AmbiguousPath> {
        let mut path = Self::root();
        path.read(raw)?;
        Ok(path)
    }

    /// The path without segments: `/`.
    #[inline]
    pub(crate) fn root() -> Self {
        Self {
            decoded: Cow::Borrowed(&[]),
            segments: SmallVec::new(),
            respelt: Vec::new(),
            needs: AllowInPath::NOTHING,
        }
    }

    /// Reads the whole `:path`, with its query, into the path without segments. An error means that what it is now is no path.
    ///
    /// It does what [`CanonicalPath::parse`] does, where the path stands already: to move it takes as long as a short path takes to read.
    pub(crate) fn read(&mut self, raw: &'r [u8]) -> Result<(), AmbiguousPath> {
        let outside = |octet: &u8| !(0x21..=0x7e).contains(octet) || *octet == b'#';
        // One look says this of nearly all that have no query.
        let all_is_clear = is_clear(raw);
        if !all_is_clear && raw.iter().any(outside) {
            return Err(AmbiguousPath);
        }
        let path = match all_is_clear {
            true => raw,
            false => raw.split(|octet| *octet == b'?').next().unwrap_or(raw),
        };
        if path.len() > MAX_PATH_BYTES {
            return Err(AmbiguousPath);
        }
        let inner = match path.strip_prefix(b"/") {
            None => return Err(AmbiguousPath),
            Some([]) => return Ok(()),
            Some([inner @ .., b'/']) => inner,
            Some(inner) => inner,
        };
        if all_is_clear || is_clear(inner) {
            return self.take(inner);
        }
        let mut segments = inner.split(|octet| *octet == b'/');
        segments.try_for_each(|segment| self.push(segment))
    }

    /// Segments that can be seen to say what they say, as nearly all do.
    fn take(&mut self, inner: &'r [u8]) -> Result<(), AmbiguousPath> {
        let mut start: usize = 0;
        for segment in inner.split(|octet| *octet == b'/') {
            if let b"" | b"." | b".." = segment {
                return Err(AmbiguousPath);
            }
            let end = start.saturating_add(segment.len());
            self.segments.push(start..end);
            start = end.saturating_add(1);
        }
        self.decoded = Cow::Borrowed(inner);
        Ok(())
    }

    /// The segment at that place, counted from zero: its bytes after decoding once, valid UTF-8 and not empty.
    pub(crate) fn segment(&self, place: usize) -> Option<&[u8]> {
        self.decoded.get(self.segments.get(place)?.clone())
    }

    /// Whether a reader that compares paths as they come may see another segment there than in its usual spelling (RFC 3986
    /// section 6.2.2): an octet is escaped that could stand for itself, or the other way round, or a hexadecimal digit is in lower case.
    pub(crate) fn is_respelt(&self, place: usize) -> bool {
        self.respelt.binary_search(&place).is_ok()
    }

    /// Whether any segment is.
    pub(crate) fn has_respelt(&self) -> bool {
        !self.respelt.is_empty()
    }

    /// Whether a decoded octet is such a one. A slash may be asked about that stands between two segments.
    pub(crate) fn has(&self, is_such: &dyn Fn(&u8) -> bool) -> bool {
        self.decoded.iter().any(is_such)
    }

    /// Whether all of it stands there as it came, and was plain to see: nothing in it ends a path.
    pub(crate) fn is_clear(&self) -> bool {
        matches!(self.decoded, Cow::Borrowed(_))
    }

    /// What a route must allow before it can take this path: what is hidden in its segments.
    pub(crate) fn needs(&self) -> AllowInPath {
        self.needs
    }

    fn push(&mut self, raw: &[u8]) -> Result<(), AmbiguousPath> {
        if raw.is_empty() {
            return Err(AmbiguousPath);
        }
        let start = self.decoded.len();
        let needs = decode(raw, self.decoded.to_mut())?;
        let text = self.decoded.get(start..).unwrap_or_default();
        if needs.is_nothing() {
            check_pieces(text)?;
        } else {
            look_through_escapes(text)?;
        }
        if is_respelt(raw) {
            self.respelt.push(self.segments.len());
        }
        self.segments.push(start..self.decoded.len());
        self.needs = self.needs.union(needs);
        Ok(())
    }
}

/// Decodes one raw segment once, behind `decoded`.
fn decode(raw: &[u8], decoded: &mut Vec<u8>) -> Result<AllowInPath, AmbiguousPath> {
    let mut needs = AllowInPath::NOTHING;
    let mut rest = raw;
    while let Some((first, behind)) = rest.split_first() {
        let octet = if *first == b'%' {
            let (octet, behind) = escaped(behind).ok_or(AmbiguousPath)?;
            rest = behind;
            octet
        } else {
            rest = behind;
            *first
        };
        match octet {
            b'/' => needs.encoded_slash = true,
            b';' => needs.semicolon = true,
            b'%' => needs.double_escape = true,
            _ => {}
        }
        decoded.push(octet);
    }
    Ok(needs)
}

/// Whether a segment is not in its usual spelling: an octet is escaped that needs not be, or is not that should.
fn is_respelt(raw: &[u8]) -> bool {
    let mut escapes = raw.split(|octet| *octet == b'%').skip(1);
    let is_bare = |octet: &u8| *octet != b'%' && !is_plain(*octet);
    raw.iter().any(is_bare)
        || escapes.any(|behind| match escaped(behind) {
            None => false,
            Some((octet, rest)) => {
                let digits = behind.len().saturating_sub(rest.len());
                let is_lower = |digit: &u8| digit.is_ascii_lowercase();
                is_plain(octet) || behind.iter().take(digits).any(is_lower)
            }
        })
}

/// Whether each octet of a path is what it is to every reader: it may stand for itself, and ends nothing but its segment.
fn is_clear(path: &[u8]) -> bool {
    const CLEAR: OctetSet = OctetSet::alphanumeric_and(b"-._~!$&'()*+,=:@/");
    path.iter().all(|octet| CLEAR.has(*octet))
}

/// Whether an octet may stand for itself in a segment (`pchar`, RFC 3986 section 3.3).
fn is_plain(octet: u8) -> bool {
    const PLAIN: OctetSet = OctetSet::alphanumeric_and(b"-._~!$&'()*+,;=:@");
    PLAIN.has(octet)
}

/// A decoded segment in its usual spelling (RFC 3986 section 6.2.2): escaped where it must be, and nowhere else.
pub fn usual_spelling(segment: &[u8]) -> String {
    let mut spelt = String::with_capacity(segment.len());
    for octet in segment {
        match is_plain(*octet) {
            true => spelt.push(char::from(*octet)),
            false => spelt.push_str(&format!("%{octet:02X}")),
        }
    }
    spelt
}

/// The octet of the two hexadecimal digits that stand first, and what stands behind them.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], behind) = text.split_first_chunk::<2>()?;
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|n| u8::try_from(n).ok())
    };
    let octet = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
    Some((octet, behind))
}

/// Refuses a segment in which an upstream that decodes again, splits at slashes or drops `;…` (as servlet
/// containers do) would find a dot segment, a backslash or a control character.
fn look_through_escapes(segment: &[u8]) -> Result<(), AmbiguousPath> {
    let mut text = segment.to_vec();
    for _ in 0..MAX_DECODINGS {
        check_pieces(&text)?;
        let decoded = decode_what_can_be(&text);
        if decoded == text {
            return Ok(());
        }
        text = decoded;
    }
    Err(AmbiguousPath)
}

fn check_pieces(text: &[u8]) -> Result<(), AmbiguousPath> {
    let text = str::from_utf8(text).map_err(|_| AmbiguousPath)?;
    if text.contains('\\') {
        return Err(AmbiguousPath);
    }
    if text.chars().any(char::is_control) {
        return Err(AmbiguousPath);
    }
    for piece in text.split('/') {
        if let Some("." | "..") = piece.split(';').next() {
            return Err(AmbiguousPath);
        }
    }
    Ok(())
}

/// Decodes the escapes and leaves a `%` without two digits as it is, as lenient decoders do.
fn decode_what_can_be(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let unescaped = if *first == b'%' {
            escaped(behind)
        } else {
            None
        };
        let (octet, behind) = unescaped.unwrap_or((*first, behind));
        decoded.push(octet);
        rest = behind;
    }
    decoded
}

#[cfg(test)]
mod tests;
