//! Why other routes do not decide: what one asks when the one that does is not the one that was expected.

use scopegate_core::Policy;
use scopegate_core::outline::{Pattern, PatternSegment, Routed, usual_spelling};

/// The most of them that are told. Those that nearly match come first.
const MOST: usize = 5;

/// A route that does not decide, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its place in the policy.
    pub route: usize,
    /// Why not.
    pub why: WhyNot,
}

/// Why a route does not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// It has the same pattern, and is for other methods.
    Method,
    /// It matches, but a router of another kind would take the path for another route.
    Ambiguous,
    /// It matches, and another pattern is more specific: the path alone chooses.
    LessSpecific,
    /// It wants another segment at that place, counted from 1.
    Segment {
        /// The place.
        place: usize,
        /// What it wants there.
        wanted: String,
    },
    /// The path has fewer segments.
    TooShort,
    /// The path goes on.
    TooLong,
}

/// The routes nearest to a path, but for the one that decides.
pub fn others(policy: &Policy, method: &[u8], path: &[u8]) -> Vec<Other> {
    let routed = policy.route_for(method, path);
    let (decides, pattern) = match routed {
        Routed::Route(place, route) => (Some(place), Some(route.path.as_str())),
        Routed::NoMethod { pattern } => (None, Some(pattern)),
        Routed::Ambiguous { pattern } => (None, pattern),
        Routed::NoPath => (None, None),
    };
    let is_ambiguous = matches!(routed, Routed::Ambiguous { .. });
    let pattern = pattern.and_then(|path| Pattern::parse(path).ok());
    let segments = segments(path);
    let same = pattern.as_ref().and_then(first_literal);
    let mut found = Vec::new();
    for (place, route) in policy.routes().iter().enumerate() {
        if Some(place) == decides || is_far(&route.path, &segments, same) {
            continue;
        }
        let Ok(own) = Pattern::parse(&route.path) else {
            continue;
        };
        let (nearness, why) = match &pattern {
            Some(pattern) if own == *pattern && is_ambiguous => (usize::MAX, WhyNot::Ambiguous),
            Some(pattern) if own == *pattern => (usize::MAX, WhyNot::Method),
            _ => compare(&own, &segments),
        };
        // What has nothing in common with the path is nobody's guess.
        if nearness > 0 {
            found.push((nearness, Other { route: place, why }));
        }
    }
    found.sort_by_key(|(nearness, other)| (usize::MAX.saturating_sub(*nearness), other.route));
    found.truncate(MOST);
    found.into_iter().map(|(_, other)| other).collect()
}

/// Whether a pattern is neither near to the path nor may be the one that it falls under, by a look at its first segment: as a rule it is another
/// service's, and of ten thousand patterns few have to be read.
fn is_far(pattern: &str, segments: &[&str], same: Option<&[u8]>) -> bool {
    let first = pattern.strip_prefix('/').unwrap_or(pattern);
    let first = first.split('/').next().unwrap_or_default().as_bytes();
    // A parameter, the root, or what may be spelt in several ways.
    let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if first.is_empty() || !first.iter().all(is_plain) || same == Some(first) {
        return false;
    }
    let segment = segments.first().map_or(&[][..], |text| text.as_bytes());
    !first.eq_ignore_ascii_case(segment)
}

fn first_literal(pattern: &Pattern) -> Option<&[u8]> {
    match pattern.segments.first()? {
        PatternSegment::Literal(text) => Some(text),
        PatternSegment::Parameter => None,
    }
}

/// How many segments of a pattern fit before it does not, and why it does not decide.
fn compare(pattern: &Pattern, segments: &[&str]) -> (usize, WhyNot) {
    for (place, wanted) in pattern.segments.iter().enumerate() {
        let near = place.saturating_add(1);
        let Some(segment) = segments.get(place) else {
            return (place, WhyNot::TooShort);
        };
        if let PatternSegment::Literal(text) = wanted {
            let text = usual_spelling(text);
            if !text.eq_ignore_ascii_case(segment) || text != *segment {
                let why = WhyNot::Segment {
                    place: near,
                    wanted: String::from_utf8_lossy(text.as_bytes()).into_owned(),
                };
                // Another case alone: that is very near.
                let is_near = text.eq_ignore_ascii_case(segment);
                return (if is_near { near } else { place }, why);
            }
        }
    }
    let near = pattern.segments.len().saturating_add(1);
    match pattern.rest || pattern.segments.len() == segments.len() {
        true => (near, WhyNot::LessSpecific),
        false => (pattern.segments.len(), WhyNot::TooLong),
    }
}

/// The segments of a path as it stands in a request, without its query and one trailing slash.
fn segments(path: &[u8]) -> Vec<&str> {
    let path = str::from_utf8(path).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    match path {
        "" => Vec::new(),
        path => path.split('/').collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let text = "
version: 1
realm: t
routes:
  - { path: /a, public: true }
  - { path: /a, methods: [POST], public: true }
  - { path: \"/a/{x}\", public: true }
  - { path: \"/{x}\", public: true }
  - { path: \"/{*all}\", public: true }
  - { path: /b, public: true }
  - { path: /a/b/c, public: true }
  - { path: /A/d, public: true }
";
        let policy = Policy::parse(text).unwrap();
        let seen = |method: &str, path: &str| -> Vec<(usize, WhyNot)> {
            let others = others(&policy, method.as_bytes(), path.as_bytes());
            others
                .into_iter()
                .map(|other| (other.route, other.why))
                .collect()
        };
        let segment = |place, wanted: &str| WhyNot::Segment {
            place,
            wanted: wanted.into(),
        };
        assert_eq!(
            seen("GET", "/a"),
            [
                (1, WhyNot::Method),
                (3, WhyNot::LessSpecific),
                (2, WhyNot::TooShort),
                (4, WhyNot::LessSpecific),
                (6, WhyNot::TooShort),
            ]
        );
        assert_eq!(
            seen("GET", "/a/b?x=1"),
            [
                (6, WhyNot::TooShort),
                (0, WhyNot::TooLong),
                (1, WhyNot::TooLong),
                (3, WhyNot::TooLong),
                (4, WhyNot::LessSpecific),
            ]
        );
        assert_eq!(seen("GET", "/B").first(), Some(&(3, WhyNot::Ambiguous)));
        assert!(seen("GET", "/B").contains(&(5, segment(1, "b"))));
    }

    #[test]
    fn what_is_far_would_not_have_been_told() {
        let patterns = [
            "/",
            "/a",
            "/A",
            "/a/",
            "/a/b",
            "/{x}",
            "/{*x}",
            "/a b",
            "/a%C3",
            "/größe/b",
            "/a.b",
            "/b-c/{x}",
        ];
        let paths = [
            "/",
            "/a",
            "/A/b",
            "/a%20b",
            "/gr%C3%B6%C3%9Fe/b",
            "/a.b",
            "/b-c",
            "/B-C/1",
            "/c",
            "/%61",
        ];
        let parse = |text: &str| Pattern::parse(text).ok();
        for (path, decides) in paths
            .iter()
            .flat_map(|path| patterns.map(|decides| (path, decides)))
        {
            let segments = segments(path.as_bytes());
            let decides = parse(decides);
            let same = decides.as_ref().and_then(first_literal);
            for text in patterns {
                let Some(own) = parse(text).filter(|_| is_far(text, &segments, same)) else {
                    continue;
                };
                assert_eq!(compare(&own, &segments).0, 0, "{text} and {path}");
                assert_ne!(Some(&own), decides.as_ref(), "{text}");
            }
        }
        assert!(is_far("/b/c", &["a"], Some(b"a")));
    }
}
