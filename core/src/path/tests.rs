//! Paths, case by case: their segments and what those need, or that they are refused.

use proptest::prelude::*;

use super::*;

fn parse(raw: &str) -> Result<CanonicalPath<'_>, AmbiguousPath> {
    CanonicalPath::parse(raw.as_bytes())
}

fn segments<'p>(path: &'p CanonicalPath<'_>) -> Vec<&'p [u8]> {
    (0..).map_while(|place| path.segment(place)).collect()
}

/// A path and its segments; `needs` holds `/`, `;` and `%` for what a route must allow.
fn check_needing(needs: &str, raw: &str, expected: &[&str]) {
    let path = parse(raw).unwrap_or_else(|_| panic!("{raw} is refused"));
    let expected: Vec<&[u8]> = expected.iter().map(|text| text.as_bytes()).collect();
    assert_eq!(segments(&path), expected, "{raw}");
    let needed = AllowInPath {
        encoded_slash: needs.contains('/'),
        semicolon: needs.contains(';'),
        double_escape: needs.contains('%'),
    };
    assert_eq!(path.needs(), needed, "{raw}");
}

fn check(raw: &str, expected: &[&str]) {
    check_needing("", raw, expected);
}

fn refused(raws: &[&str]) {
    for raw in raws {
        assert!(parse(raw).is_err(), "{raw:?}");
    }
}

#[test]
fn a_path_is_its_decoded_segments() {
    check("/", &[]);
    check("/timesheets", &["timesheets"]);
    check("/timesheets/17/days", &["timesheets", "17", "days"]);
    check("/%74imesheets", &["timesheets"]);
    check("/gr%C3%B6%c3%9fe", &["größe"]);
    check("/a%20b/%3F%23", &["a b", "?#"]);
    check("/a+b/c=d,e/@:!$&'()*~", &["a+b", "c=d,e", "@:!$&'()*~"]);
    check("/{id}/\"<>^`|", &["{id}", "\"<>^`|"]);
}

#[test]
fn one_trailing_slash_is_ignored() {
    check("/timesheets/", &["timesheets"]);
    check("/a/b/?x=/", &["a", "b"]);
}

#[test]
fn the_query_is_no_part_of_the_path() {
    check("/?", &[]);
    check("/a?b=/../c//;%2f%zz\\?d", &["a"]);
    check("/a%3Fb", &["a?b"]);
}

#[test]
fn dots_are_data_unless_they_are_the_segment() {
    check("/.well-known/jwks.json", &[".well-known", "jwks.json"]);
    check("/.../a..b/..a/a..", &["...", "a..b", "..a", "a.."]);
    check("/%2e%2e%2e", &["..."]);
}

#[test]
fn what_a_route_must_allow_is_remembered() {
    check_needing("/", "/group%2Fproject/x", &["group/project", "x"]);
    check_needing("/", "/a%2f%2fb", &["a//b"]);
    check_needing(";", "/a;v=1/b%3Bc", &["a;v=1", "b;c"]);
    check_needing("%", "/100%25", &["100%"]);
    check_needing("%", "/a%2520b", &["a%20b"]);
    check_needing("/;", "/;/%2F", &[";", "/"]);
    check_needing("/;%", "/a%2Fb;c%25", &["a/b;c%"]);
    check_needing("%", "/a%252Fb%253Bc", &["a%2Fb%3Bc"]);
    check_needing("/", "/https:%2F%2Fa.example%2F", &["https://a.example/"]);
}

#[test]
fn no_target_but_an_absolute_path_is_taken() {
    refused(&[
        "",
        "*",
        "?",
        "?/a",
        "a",
        "a/b",
        "http://a.example/b",
        "a.example:443",
    ]);
}

#[test]
fn an_octet_that_no_target_holds_is_refused_even_in_the_query() {
    refused(&[
        "/a b", "/a\tb", "/a\r\nb", "/a\0", "/a\u{7f}", "/größe", "/a#b", "/#", "/a?b#c",
    ]);
    refused(&["/a?b c", "/a?ö", "/a?\0"]);
    assert!(CanonicalPath::parse(b"/\xff").is_err());
    assert!(CanonicalPath::parse(b"/a?\x80").is_err());
}

#[test]
fn an_empty_segment_is_refused() {
    refused(&[
        "//",
        "///",
        "//a",
        "/a//",
        "/a//b",
        "//a.example/b",
        "/a//?b",
    ]);
}

#[test]
fn a_dot_segment_is_refused_however_it_is_written() {
    refused(&[
        "/.", "/..", "/./a", "/a/..", "/a/../b", "/a/.", "/a/./", "/../",
    ]);
    refused(&["/%2e", "/%2E%2e", "/.%2e/a", "/a/%2e./b"]);
}

#[test]
fn a_bad_escape_is_refused() {
    refused(&[
        "/%", "/%2", "/a%", "/%zz", "/%2g", "/%-1", "/%+1", "/% 1", "/%u0041", "/%%41",
    ]);
}

#[test]
fn backslash_and_control_characters_are_refused_however_they_are_written() {
    refused(&["/\\", "/a\\b", "/a\\..\\b", "/%5c", "/%5C..%5c"]);
    refused(&["/%00", "/a%00.json", "/%0d%0a", "/%1f", "/%7F", "/%C2%85"]);
}

#[test]
fn escapes_are_utf8_segment_by_segment() {
    refused(&[
        "/%ff",
        "/%C3",
        "/%C3/%B6",
        "/%C0%AE%C0%AE",
        "/%C0%AF",
        "/%ED%A0%80",
        "/%F4%90%80%80",
    ]);
}

/// What the next decoder, or one that drops path parameters, would make of a segment that is passed as data.
#[test]
fn a_dot_segment_behind_allowed_characters_is_refused() {
    refused(&[
        "/..;",
        "/..;/a",
        "/.;x",
        "/..;a=b/c",
        "/%2e%2e;a",
        "/..%3B",
        "/..%3Ba",
    ]);
    refused(&[
        "/a%2F..%2Fb",
        "/..%2F",
        "/..%2Fa",
        "/a%2F..",
        "/a%2F.%2fb",
        "/%2F..",
        "/%2e%2e%2fa",
    ]);
    refused(&[
        "/%252e",
        "/%252e%252e",
        "/%25%32%65%25%32%65",
        "/.%252e",
        "/%25252e%25252e",
    ]);
    refused(&[
        "/a%2F..;x%2Fb",
        "/a;%2F..",
        "/a%252F..%252Fb",
        "/a%252F%252e%252e",
        "/..%253Bx",
    ]);
    refused(&["/a%25252F..", "/..%25253B"]);
}

#[test]
fn a_backslash_or_control_behind_allowed_characters_is_refused() {
    refused(&["/a%2F%5C", "/a;%5cb", "/%255C", "/..%255c..", "/%25255c"]);
    refused(&[
        "/a%2500",
        "/a;%00",
        "/a%2F%0a",
        "/%25250d%25250a",
        "/%25C2%2585",
    ]);
    refused(&["/%25c0%25ae", "/a%25ff"]);
}

#[test]
fn escapes_are_looked_through_to_a_depth_and_no_deeper() {
    check_needing("%", "/%25252541", &["%252541"]);
    refused(&["/%2525252541"]);
    refused(&[&format!("/%{}41", "25".repeat(4000))]);
}

#[test]
fn a_path_has_a_budget_and_its_query_has_none_here() {
    let longest = format!("/{}", "a".repeat(MAX_PATH_BYTES - 1));
    assert_eq!(longest.len(), 8192);
    assert!(parse(&longest).is_ok());
    assert!(parse(&format!("{longest}?{longest}{longest}")).is_ok());
    refused(&[&format!("{longest}a")]);
    assert!(parse(&"/a".repeat(MAX_PATH_BYTES / 2)).is_ok());
}

/// Pieces of which trouble is made.
fn raw_path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", "a", ".", "..", ";", "%2F", "%2e", "%25", "25", "2e", "2F", "%5c", "5c", "%3B",
        "%00", "%", "%C3", "%B6", "?", "#", "\\", "é",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// What a careless upstream does: decode as often as it likes, drop path parameters, split.
fn careless(text: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut text = text.to_vec();
    for _ in 0..8 {
        for piece in text.split(|octet| *octet == b'/' || *octet == b'\\') {
            let name = piece.split(|octet| *octet == b';').next();
            pieces.extend(name.map(<[u8]>::to_vec));
            pieces.push(piece.to_vec());
        }
        text = decode_what_can_be(&text);
    }
    pieces
}

/// The same one segment after the other, as a path with something to decode is read.
fn one_by_one(inner: &str) -> Result<CanonicalPath<'_>, AmbiguousPath> {
    let mut path = parse("/").unwrap();
    for segment in inner.split('/') {
        path.push(segment.as_bytes())?;
    }
    Ok(path)
}

proptest! {
    #[test]
    fn what_is_read_where_it_stands_is_what_it_would_be_decoded_to(
        inner in r"[a-cA-C01._~!$&'()*+,=:@/-]{1,12}",
    ) {
        let inner = inner.trim_end_matches('/');
        let raw = format!("/{inner}");
        match (parse(&raw), one_by_one(inner)) {
            (Ok(path), Ok(slowly)) => {
                prop_assert_eq!(segments(&path), segments(&slowly));
                prop_assert!(!slowly.has_respelt() && slowly.needs().is_nothing());
                prop_assert!(!path.has_respelt() && path.needs().is_nothing());
            }
            (path, slowly) => {
                // No segment at all is the root.
                prop_assert!(inner.is_empty() || path.is_err() && slowly.is_err());
            }
        }
    }

    #[test]
    fn reading_any_octets_never_panics(raw in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = CanonicalPath::parse(&raw);
    }

    #[test]
    fn no_careless_upstream_finds_a_dot_segment(raw in raw_path()) {
        if let Ok(path) = parse(&raw) {
            for segment in segments(&path) {
                prop_assert!(!segment.is_empty());
                for piece in careless(segment) {
                    prop_assert!(piece != b"." && piece != b"..", "{raw}");
                    prop_assert!(!piece.contains(&0) && !piece.contains(&b'\\'), "{raw}");
                }
            }
        }
    }

    #[test]
    fn a_path_needs_what_its_segments_need(raw in raw_path()) {
        if let Ok(path) = parse(&raw) {
            let special = |octet: u8| segments(&path).iter().any(|text| text.contains(&octet));
            let expected = AllowInPath {
                encoded_slash: special(b'/'),
                semicolon: special(b';'),
                double_escape: special(b'%'),
            };
            prop_assert_eq!(path.needs(), expected);
        }
    }
}

#[test]
fn the_usual_spelling_of_a_literal_is_that_literal_and_not_respelt() {
    for literal in [
        "users",
        "größe",
        "a b",
        "100 &x",
        "@me",
        "~$!'()*+,=:",
        "\u{1f40e}",
    ] {
        let spelt = format!("/{}", usual_spelling(literal.as_bytes()));
        let path = CanonicalPath::parse(spelt.as_bytes()).unwrap();
        assert_eq!(path.segment(0), Some(literal.as_bytes()), "{spelt}");
        assert!(!path.has_respelt() && path.needs().is_nothing(), "{spelt}");
    }
}
