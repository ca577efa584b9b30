//! The path pattern of a route, as the policy writes it.

/// The longest pattern. A path longer than this in a policy is a mistake.
const MAX_PATTERN_BYTES: usize = 1024;

/// The most segments of a pattern: how deep the search for a route can go.
const MAX_PATTERN_SEGMENTS: usize = 64;

/// A pattern: literal segments, `{…}` for one segment, and perhaps `{*…}` for whatever follows.
///
/// Parameter names and one trailing slash do not matter, so they are not in here: two patterns are
/// equal when they match the same paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The segments before a `{*…}`.
    pub segments: Vec<PatternSegment>,
    /// Whether it ends in `{*…}`, which also matches nothing.
    pub rest: bool,
}

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PatternSegment {
    /// Compared with the decoded segment, byte for byte. Holds no `/`, `;`, `%`, `\\` or control character.
    Literal(Vec<u8>),
    /// `{…}`: any segment.
    Parameter,
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidPattern {
    /// It does not start with `/`.
    NotAbsolute,
    /// It is longer than a pattern can be.
    TooLong,
    /// It has more segments than a pattern can have.
    TooDeep,
    /// `?` or `#`: the query and the fragment are no part of the path.
    QueryOrFragment(char),
    /// `//`.
    EmptySegment,
    /// `.` or `..`.
    DotSegment,
    /// `%`: literals are compared with the decoded path.
    Escape,
    /// A character that no literal can match (`;`, `\`, a control character).
    Unmatchable(char),
    /// `*` outside braces.
    Star,
    /// A brace that does not belong to a `{…}` around a whole segment.
    Braces {
        /// The segment.
        segment: String,
    },
    /// `{}` or `{*}`, or a name of other characters than letters, digits, `_`, `-`.
    Name {
        /// The segment.
        segment: String,
    },
    /// A segment behind `{*…}`.
    RestNotLast,
}

impl InvalidPattern {
    /// What is wrong, in a sentence that follows the offending text.
    pub fn message(&self) -> String {
        match self {
            Self::NotAbsolute => "the path does not start with `/`".into(),
            Self::TooLong => format!("the path is longer than {MAX_PATTERN_BYTES} bytes"),
            Self::TooDeep => format!("the path has more than {MAX_PATTERN_SEGMENTS} segments"),
            Self::QueryOrFragment(found) => {
                format!("`{found}`: a route matches the path alone, without query and fragment")
            }
            Self::EmptySegment => "`//`: a path with an empty segment is always refused".into(),
            Self::DotSegment => "a path with a `.` or `..` segment is always refused".into(),
            Self::Escape => "`%`: a route is compared with the decoded path".into(),
            Self::Unmatchable(found) => {
                let found = quotable(found.encode_utf8(&mut [0; 4]));
                format!("no path that passes holds `{found}` in a literal segment")
            }
            Self::Star => "`*` is no wildcard here".into(),
            Self::Braces { segment } => {
                let segment = quotable(segment);
                format!("the braces in `{segment}` do not enclose a whole segment")
            }
            Self::Name { segment } => {
                let segment = quotable(segment);
                format!("the parameter `{segment}` has no proper name")
            }
            Self::RestNotLast => "there is a segment behind `{*…}`".into(),
        }
    }

    /// What to write instead.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotAbsolute => "write it from the root, as in `/timesheets/{id}`",
            Self::TooLong | Self::TooDeep => "shorten it, perhaps with `{*rest}` for what follows",
            Self::QueryOrFragment(_) => "leave out everything from there",
            Self::EmptySegment => "write a single `/`",
            Self::DotSegment => "write the path that is meant, without dots",
            Self::Escape => "write the character itself instead of its escape",
            Self::Unmatchable(_) => {
                "use a `{parameter}` there; `allow_in_path` says what it may hold"
            }
            Self::Star => {
                "write `{name}` for one segment, or `{*rest}` for everything that follows"
            }
            Self::Braces { .. } => "write `{name}` between two slashes, and nothing else there",
            Self::Name { .. } => {
                "name it with letters, digits, `_` or `-`, as in `{id}` or `{*rest}`"
            }
            Self::RestNotLast => "use `{name}` for a segment in the middle",
        }
    }
}

impl Pattern {
    /// Its literals.
    pub fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().filter_map(|segment| match segment {
            PatternSegment::Literal(text) => Some(text.as_slice()),
            PatternSegment::Parameter => None,
        })
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// No path that passes can match it, or it is not written as patterns are.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(InvalidPattern::TooLong);
        }
        let mut pattern = Self {
            segments: Vec::new(),
            rest: false,
        };
        let Some(inner) = text.strip_prefix('/') else {
            return Err(InvalidPattern::NotAbsolute);
        };
        if inner.is_empty() {
            return Ok(pattern);
        }
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        for segment in inner.split('/') {
            if pattern.rest {
                return Err(InvalidPattern::RestNotLast);
            }
            match Piece::parse(segment)? {
                Piece::Rest => pattern.rest = true,
                Piece::One(segment) => pattern.segments.push(segment),
            }
        }
        if pattern.segments.len() > MAX_PATTERN_SEGMENTS {
            return Err(InvalidPattern::TooDeep);
        }
        Ok(pattern)
    }

    /// Whether it has any `{…}`.
    pub fn has_parameters(&self) -> bool {
        self.rest || self.segments.contains(&PatternSegment::Parameter)
    }
}

enum Piece {
    One(PatternSegment),
    Rest,
}

impl Piece {
    fn parse(segment: &str) -> Result<Self, InvalidPattern> {
        if !segment.bytes().any(is_brace) {
            return literal(segment).map(Self::One);
        }
        let inside = segment
            .strip_prefix('{')
            .and_then(|inside| inside.strip_suffix('}'))
            .filter(|inside| !inside.bytes().any(is_brace));
        let Some(inside) = inside else {
            return Err(InvalidPattern::Braces {
                segment: segment.into(),
            });
        };
        let (piece, name) = match inside.strip_prefix('*') {
            Some(name) => (Self::Rest, name),
            None => (Self::One(PatternSegment::Parameter), inside),
        };
        let proper = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-';
        if name.is_empty() || !name.bytes().all(proper) {
            return Err(InvalidPattern::Name {
                segment: segment.into(),
            });
        }
        Ok(piece)
    }
}

fn is_brace(octet: u8) -> bool {
    matches!(octet, b'{' | b'}')
}

fn literal(segment: &str) -> Result<PatternSegment, InvalidPattern> {
    match segment {
        "" => return Err(InvalidPattern::EmptySegment),
        "." | ".." => return Err(InvalidPattern::DotSegment),
        _ => {}
    }
    for found in segment.chars() {
        match found {
            '?' | '#' => return Err(InvalidPattern::QueryOrFragment(found)),
            '%' => return Err(InvalidPattern::Escape),
            '*' => return Err(InvalidPattern::Star),
            ';' | '\\' => return Err(InvalidPattern::Unmatchable(found)),
            _ if found.is_control() => return Err(InvalidPattern::Unmatchable(found)),
            _ => {}
        }
    }
    Ok(PatternSegment::Literal(segment.as_bytes().to_vec()))
}

/// A text of the policy as it may stand in a log line: a line break in it would begin another.
fn quotable(text: &str) -> String {
    let mut quotable = String::new();
    for character in text.chars() {
        match character.is_control() {
            true => quotable.extend(character.escape_default()),
            false => quotable.push(character),
        }
    }
    quotable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, expected: &InvalidPattern) {
        assert_eq!(Pattern::parse(text).as_ref(), Err(expected), "{text}");
        assert!(!expected.message().is_empty() && !expected.remedy().is_empty());
    }

    #[test]
    fn a_pattern_that_can_never_match_is_refused() {
        for (text, expected) in [
            ("", InvalidPattern::NotAbsolute),
            ("timesheets", InvalidPattern::NotAbsolute),
            ("*", InvalidPattern::NotAbsolute),
            ("https://example.com/x", InvalidPattern::NotAbsolute),
            ("//", InvalidPattern::EmptySegment),
            ("/a//b", InvalidPattern::EmptySegment),
            ("/a//", InvalidPattern::EmptySegment),
            ("/a/./b", InvalidPattern::DotSegment),
            ("/..", InvalidPattern::DotSegment),
            ("/a?x=1", InvalidPattern::QueryOrFragment('?')),
            ("/a#top", InvalidPattern::QueryOrFragment('#')),
            ("/a%20b", InvalidPattern::Escape),
            ("/a;v=1", InvalidPattern::Unmatchable(';')),
            ("/a\\b", InvalidPattern::Unmatchable('\\')),
            ("/a\tb", InvalidPattern::Unmatchable('\t')),
            ("/a\u{85}b", InvalidPattern::Unmatchable('\u{85}')),
            ("/api/*", InvalidPattern::Star),
            ("/api/**", InvalidPattern::Star),
            ("/{*rest}/x", InvalidPattern::RestNotLast),
            ("/{*rest}/{*more}", InvalidPattern::RestNotLast),
        ] {
            refused(text, &expected);
        }
        refused(&format!("/{}", "a".repeat(1024)), &InvalidPattern::TooLong);
        assert!(Pattern::parse(&format!("/{}", "a".repeat(1023))).is_ok());
        refused(&"/a".repeat(65), &InvalidPattern::TooDeep);
        assert!(Pattern::parse(&"/a".repeat(64)).is_ok());
    }

    #[test]
    fn braces_enclose_one_whole_segment_and_a_name() {
        for segment in ["x{id}", "{id}.json", "{id", "id}", "{{id}}", "{a}{b}", "}{"] {
            let expected = InvalidPattern::Braces {
                segment: segment.into(),
            };
            refused(&format!("/t/{segment}"), &expected);
        }
        for segment in ["{id}", "{ID_2}", "{line-id}", "{-}", "{*rest_1-a}"] {
            assert!(
                Pattern::parse(&format!("/t/{segment}")).is_ok(),
                "{segment}"
            );
        }
        for segment in ["{}", "{*}", "{a b}", "{**rest}", "{id:[0-9]+}", "{é}"] {
            let expected = InvalidPattern::Name {
                segment: segment.into(),
            };
            refused(&format!("/t/{segment}"), &expected);
        }
    }

    #[test]
    fn names_and_one_trailing_slash_do_not_matter() {
        for (one, other) in [
            ("/a", "/a/"),
            ("/{id}", "/{name}"),
            ("/a/{x}/{x}", "/a/{x}/{y}/"),
            ("/{*rest}", "/{*path}/"),
        ] {
            assert_eq!(Pattern::parse(one), Pattern::parse(other), "{one} {other}");
        }
        assert_ne!(Pattern::parse("/a"), Pattern::parse("/a/{*rest}"));
        assert_ne!(Pattern::parse("/"), Pattern::parse("/{*rest}"));
    }

    #[test]
    fn literals_are_written_decoded() {
        let pattern = Pattern::parse("/zeit erfassung/größe").expect("it is a pattern");
        let expected = ["zeit erfassung", "größe"]
            .map(|text| PatternSegment::Literal(text.as_bytes().to_vec()));
        assert_eq!(pattern.segments, expected);
        assert!(!pattern.has_parameters());
    }
}
