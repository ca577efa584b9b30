//! A second matcher of routes, by brute force: every pattern is tried, and the most specific one decides.
//!
//! It shares no code with the core, and takes no care to be fast. What the core lets through must fall under the very
//! rule that is found here, for the path as it came and for all that an upstream may make of it.

/// A route as the second matcher reads it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The pattern, as the policy writes it.
    pub pattern: &'static str,
    /// The methods; none for every method that no other rule of the pattern names.
    pub methods: &'static [&'static str],
    /// Which of `/`, `;` and `%` its segments may hold after decoding.
    pub holds: &'static str,
}

impl Rule {
    /// A rule for these methods, whose segments may hold that.
    pub const fn new(
        pattern: &'static str,
        methods: &'static [&'static str],
        holds: &'static str,
    ) -> Self {
        Self {
            pattern,
            methods,
            holds,
        }
    }
}

/// The rule for a raw path without its query, and a method. None where there is none, or where the path is no path.
pub fn find<'r>(rules: &'r [Rule], path: &[u8], method: &[u8]) -> Option<&'r Rule> {
    path.strip_prefix(b"/")?;
    let segments = segments(path).decoded;
    let pattern = *best(rules, &segments, |literal, segment| literal == segment).first()?;
    let same = || rules.iter().filter(|rule| rule.pattern == pattern);
    let named = |rule: &&Rule| rule.methods.iter().any(|name| name.as_bytes() == method);
    let look_alike = |rule: &Rule| {
        let mut names = rule.methods.iter();
        names.any(|name| name.as_bytes().eq_ignore_ascii_case(method))
    };
    match same().find(named) {
        Some(rule) => Some(rule),
        None if same().any(look_alike) => None,
        None => same().find(|rule| rule.methods.is_empty()),
    }
}

/// Whether the router of an upstream takes a path for another pattern than the gate: one that ignores case, one that compares
/// literals with the path as it came, or one that looks for the query once the path is decoded.
pub fn reads_otherwise(rules: &[Rule], path: &[u8]) -> bool {
    let exactly = |literal: &[u8], segment: &[u8]| literal == segment;
    let whole = segments(path);
    let Some(pattern) = best(rules, &whole.decoded, exactly).first().copied() else {
        return false;
    };
    let in_any_case = |literal: &[u8], segment: &[u8]| literal.eq_ignore_ascii_case(segment);
    let differs = |patterns: Vec<&str>| !patterns.is_empty() && !patterns.contains(&pattern);
    // None of our literals has an escape in its usual spelling: what is read as it came is no literal, whatever it decodes to.
    [
        whole.decoded.clone(),
        whole.raw.clone(),
        whole.reserved_kept(),
        whole.before_mark(),
    ]
    .iter()
    .any(|read| differs(best(rules, read, exactly)) || differs(best(rules, read, in_any_case)))
}

/// The segments of a path, without the one empty one at its end.
struct Segments {
    raw: Vec<Vec<u8>>,
    decoded: Vec<Vec<u8>>,
}

fn segments(path: &[u8]) -> Segments {
    let inner = path.strip_prefix(b"/").unwrap_or(path);
    let inner = inner.strip_suffix(b"/").unwrap_or(inner);
    let raw: Vec<Vec<u8>> = match inner {
        [] => Vec::new(),
        inner => inner
            .split(|octet| *octet == b'/')
            .map(<[u8]>::to_vec)
            .collect(),
    };
    let decoded = raw.iter().map(|segment| decoded(segment)).collect();
    Segments { raw, decoded }
}

impl Segments {
    /// With the escapes left in that `decodeURI` of JavaScript leaves in.
    fn reserved_kept(&self) -> Vec<Vec<u8>> {
        let kept = |(raw, decoded): (&Vec<u8>, &Vec<u8>)| {
            let is_reserved = |octet: &u8| b"#$&+,/:;=?@".contains(octet);
            let is_escaped = raw.contains(&b'%') && decoded.iter().any(is_reserved);
            if is_escaped {
                raw.clone()
            } else {
                decoded.clone()
            }
        };
        self.raw.iter().zip(&self.decoded).map(kept).collect()
    }

    /// What is left when the path ends at the first decoded `?` or `#`.
    fn before_mark(&self) -> Vec<Vec<u8>> {
        let mut kept = Vec::new();
        for segment in &self.decoded {
            let mut parts = segment.split(|octet| matches!(octet, b'?' | b'#'));
            let before = parts.next().unwrap_or_default();
            if !before.is_empty() {
                kept.push(before.to_vec());
            }
            if parts.next().is_some() {
                break;
            }
        }
        kept
    }
}

/// The most specific patterns for these segments, which are one where literals are compared exactly.
fn best<'r>(
    rules: &'r [Rule],
    segments: &[Vec<u8>],
    is_literal: impl Fn(&[u8], &[u8]) -> bool,
) -> Vec<&'r str> {
    let ranked: Vec<_> = rules
        .iter()
        .filter_map(|rule| Some((rank(rule.pattern, segments, &is_literal)?, rule.pattern)))
        .collect();
    let least = ranked.iter().map(|(rank, _)| rank).min();
    let best = ranked.iter().filter(|(rank, _)| Some(rank) == least);
    best.map(|(_, pattern)| *pattern).collect()
}

/// Whether a path is so plain that nobody could read it in two ways: words between single slashes.
pub fn is_plain(path: &[u8]) -> bool {
    let word = |segment: &[u8]| {
        !segment.is_empty() && segment.iter().all(|octet| octet.is_ascii_alphanumeric())
    };
    match path.strip_prefix(b"/") {
        None => false,
        Some(inner) => inner.is_empty() || inner.split(|octet| *octet == b'/').all(word),
    }
}

/// What upstreams may read in place of that path, each of them in its own way, if its rule is `rule`.
///
/// A rule that declares a `/`, `;` or `%` to be data knows its upstream, which then does not do that to it.
pub fn readings(rule: &Rule, path: &[u8]) -> Vec<Vec<u8>> {
    let raw = path.to_vec();
    let mut readings = vec![raw.clone(), merged(&raw), resolved(&raw)];
    if !rule.holds.contains('/') {
        readings.push(decoded(&raw));
        readings.push(resolved(&merged(&decoded(&raw))));
    }
    if !rule.holds.contains(';') {
        readings.push(cut(&raw));
        readings.push(resolved(&cut(&raw)));
        if !rule.holds.contains('/') {
            readings.push(resolved(&cut(&decoded(&raw))));
        }
    }
    if rule.holds.is_empty() {
        readings.push(resolved(&decoded(&decoded(&raw))));
        let mut turned = decoded(&raw);
        for octet in turned.iter_mut().filter(|octet| **octet == b'\\') {
            *octet = b'/';
        }
        readings.push(resolved(&turned));
    }
    readings
}

/// Whether some reader, however often it decodes, splits and cuts, finds a way up or a control character in it.
pub fn leads_out(path: &[u8]) -> bool {
    let mut text = path.to_vec();
    for _ in 0..16 {
        let ways_up = text
            .split(|octet| *octet == b'/')
            .map(|segment| segment.split(|octet| *octet == b';').next())
            .any(|piece| matches!(piece, Some(b"." | b"..")));
        if ways_up
            || text
                .iter()
                .any(|octet| octet.is_ascii_control() || *octet == b'\\')
        {
            return true;
        }
        text = decoded(&text);
    }
    false
}

/// The path as it came, up to its query.
pub fn without_query(path: &[u8]) -> &[u8] {
    path.split(|octet| *octet == b'?').next().unwrap_or(path)
}

/// How specific a pattern is for these segments, the smallest being the most; nothing where it does not match.
fn rank(
    pattern: &str,
    segments: &[Vec<u8>],
    is_literal: impl Fn(&[u8], &[u8]) -> bool,
) -> Option<Vec<u8>> {
    let mut rank = Vec::new();
    let mut segments = segments.iter();
    for wanted in pattern.split('/').filter(|wanted| !wanted.is_empty()) {
        if wanted.starts_with("{*") {
            rank.push(2);
            return Some(rank);
        }
        let segment = segments.next()?;
        match wanted.starts_with('{') {
            true => rank.push(1),
            false if is_literal(wanted.as_bytes(), segment) => rank.push(0),
            false => return None,
        }
    }
    // A pattern that ends here is more specific than one whose rest is empty.
    rank.push(0);
    segments.next().is_none().then_some(rank)
}

/// Every escape decoded once; what is none stays.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(octet) = text.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| *octet == b'%');
        let escape = digits.and_then(|digits| {
            let digits = str::from_utf8(digits).ok()?;
            let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| hex)
        });
        out.push(escape.unwrap_or(*octet));
        at += if escape.is_some() { 3 } else { 1 };
    }
    out
}

/// With every run of slashes made one, as nginx does.
fn merged(path: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    out.dedup_by(|next, before| *next == b'/' && *before == b'/');
    out
}

/// With `.` and `..` carried out (RFC 3986 section 5.2.4).
fn resolved(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<&[u8]> = Vec::new();
    for segment in path
        .strip_prefix(b"/")
        .unwrap_or(path)
        .split(|octet| *octet == b'/')
    {
        match segment {
            b"." => {}
            b".." => drop(out.pop()),
            segment => out.push(segment),
        }
    }
    [b"/".as_slice(), &out.join(&b'/')].concat()
}

/// With `;…` taken off every segment, as servlet containers do.
fn cut(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|octet| *octet == b'/');
    let kept: Vec<&[u8]> = segments
        .map(|segment| {
            segment
                .split(|octet| *octet == b';')
                .next()
                .unwrap_or(segment)
        })
        .collect();
    kept.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [Rule; 5] = [
        Rule {
            pattern: "/a/{id}",
            methods: &["GET"],
            holds: "",
        },
        Rule {
            pattern: "/a/{id}",
            methods: &[],
            holds: "",
        },
        Rule {
            pattern: "/a/b",
            methods: &[],
            holds: "",
        },
        Rule {
            pattern: "/{*all}",
            methods: &[],
            holds: "",
        },
        Rule {
            pattern: "/a/{id}/{*rest}",
            methods: &[],
            holds: "/",
        },
    ];

    #[test]
    fn the_most_specific_rule_decides() {
        for (path, method, expected) in [
            ("/a/b", "GET", Some(2)),
            ("/a/b/", "GET", Some(2)),
            ("/a/%62", "GET", Some(2)),
            ("/a/c", "GET", Some(0)),
            ("/a/c", "POST", Some(1)),
            ("/a/c", "get", None),
            ("/a/c/d", "GET", Some(4)),
            ("/", "GET", Some(3)),
            ("a", "GET", None),
        ] {
            let found = find(&RULES, path.as_bytes(), method.as_bytes());
            assert_eq!(
                found,
                expected.map(|place: usize| &RULES[place]),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn readings_of_upstreams() {
        for (path, reading) in [
            ("/a//b", "/a/b"),
            ("/a/../c", "/c"),
            ("/a/..;x/c", "/c"),
            ("/a/%2e%2e/c", "/c"),
            ("/a%2Fb", "/a/b"),
            ("/a/%252e%252e/c", "/c"),
            ("/a;x/b", "/a/b"),
            ("/a\\b", "/a/b"),
        ] {
            let readings = readings(&RULES[2], path.as_bytes());
            assert!(readings.contains(&reading.as_bytes().to_vec()), "{path}");
        }
    }

    #[test]
    fn ways_out() {
        for path in [
            "/a/..",
            "/a/%2e",
            "/a/%252e%252E/",
            "/a/..%3bx",
            "/a%5cb",
            "/a/%0a",
        ] {
            assert!(leads_out(path.as_bytes()), "{path}");
        }
        assert!(!leads_out(b"/a/...;x/"));
    }
}
