//! The table against a matcher that is slow and plain: the specification, word by word.

use proptest::prelude::*;

use super::*;

/// A pattern as the specification describes it: its pieces, each `a`, `{x}` or `{*x}`.
type Pieces = Vec<&'static str>;

fn pieces() -> impl Strategy<Value = Pieces> {
    let middle = prop::sample::select(vec!["a", "b", "B", "{x}", "{y}"]);
    (prop::collection::vec(middle, 0..4), any::<bool>()).prop_map(|(mut pieces, rest)| {
        if rest {
            pieces.push("{*x}");
        }
        pieces
    })
}

fn methods() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::select(vec![
        vec![],
        vec!["GET"],
        vec!["HEAD"],
        vec!["POST"],
        vec!["GET", "POST"],
        vec!["get"],
    ])
}

fn request() -> impl Strategy<Value = (&'static str, Vec<&'static str>)> {
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "get", "head", "post", "DELETE"]);
    let segment = prop::sample::select(vec![
        "a", "a", "b", "b", "c", "A", "B", "%61", "%42", "%c3%bc", "%C3%BC",
    ]);
    (method, prop::collection::vec(segment, 0..5))
}

/// How a router compares a literal with a segment.
type Reader = fn(&str, &str) -> bool;

/// As the gate does: decoded, octet by octet.
fn exactly(literal: &str, segment: &str) -> bool {
    let decoded = match segment {
        "%61" => "a",
        "%42" => "B",
        plain => plain,
    };
    literal == decoded
}

/// As Express does by default, once the path is decoded.
fn in_any_case(literal: &str, segment: &str) -> bool {
    exactly(&literal.to_lowercase(), &segment.to_lowercase())
        || exactly(&literal.to_uppercase(), &segment.to_uppercase())
}

/// As code on the path of a URL does.
fn as_it_came(literal: &str, segment: &str) -> bool {
    literal == segment
}

/// How specific a match is, piece by piece from the left: the smaller, the more. None if it does not match.
fn specificity(pattern: &Pieces, path: &[&str], is_literal: Reader) -> Option<Vec<u8>> {
    let mut ranks = Vec::new();
    for (place, piece) in pattern.iter().enumerate() {
        match (*piece, path.get(place)) {
            ("{*x}", _) => {
                ranks.push(2);
                return Some(ranks);
            }
            ("{x}" | "{y}", Some(_)) => ranks.push(1),
            (literal, Some(segment)) if is_literal(literal, segment) => ranks.push(0),
            _ => return None,
        }
    }
    (pattern.len() == path.len()).then_some(ranks)
}

fn same_pattern(one: &Pieces, other: &Pieces) -> bool {
    let unnamed = |pieces: &Pieces| -> Vec<&str> {
        pieces
            .iter()
            .map(|piece| if *piece == "{y}" { "{x}" } else { piece })
            .collect()
    };
    unnamed(one) == unnamed(other)
}

/// The specification, word by word: the place of the route, or what is missing.
fn slowly(
    routes: &[(Pieces, Vec<&str>)],
    method: &str,
    path: &[&str],
) -> Result<usize, &'static str> {
    let best = |is_literal: Reader, path: &[&str]| -> Vec<&Pieces> {
        let ranked: Vec<_> = routes
            .iter()
            .filter_map(|(pattern, _)| Some((specificity(pattern, path, is_literal)?, pattern)))
            .collect();
        let least = ranked.iter().map(|(ranks, _)| ranks).min();
        ranked
            .iter()
            .filter(|(ranks, _)| Some(ranks) == least)
            .map(|(_, pattern)| *pattern)
            .collect()
    };
    let Some(pattern) = best(exactly, path).first().copied() else {
        return Err("no path");
    };
    let whole = path.join("/");
    let marks = ["%3F", "%3f", "%23"].iter();
    let end = marks.filter_map(|mark| whole.find(mark)).min();
    let (before_mark, _) = whole.split_at(end.unwrap_or(whole.len()));
    let cut_off: Vec<&str> = before_mark
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    for (reader, path) in [
        (in_any_case as Reader, path),
        (as_it_came, path),
        (exactly, &cut_off[..]),
    ] {
        let others = best(reader, path);
        if !others.is_empty() && !others.iter().any(|other| same_pattern(pattern, other)) {
            return Err("ambiguous");
        }
    }
    let taking = |wanted: Option<&str>| {
        routes.iter().position(|(other, methods)| {
            same_pattern(pattern, other)
                && match wanted {
                    Some(method) => methods.contains(&method),
                    None => methods.is_empty(),
                }
        })
    };
    let named = match (taking(Some(method)), method) {
        (None, "HEAD") => taking(Some("GET")),
        (found, _) => found,
    };
    // What differs from a named method by its case alone is not just any method.
    let looks_named = ["GET", "HEAD", "POST", "get"].into_iter().any(|name| {
        let is_taken =
            taking(Some(name)).is_some() || (name == "HEAD" && taking(Some("GET")).is_some());
        is_taken && name.eq_ignore_ascii_case(method)
    });
    match named {
        Some(place) => Ok(place),
        None if looks_named => Err("no method"),
        None => taking(None).ok_or("no method"),
    }
}

fn written(pieces: &[&str]) -> String {
    format!("/{}", pieces.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_tree_agrees_with_the_specification_in_any_order(
        routes in prop::collection::vec((pieces(), methods()), 0..12),
        requests in prop::collection::vec(request(), 1..12),
        turn in 0..12_usize,
    ) {
        let build = |routes: &[(Pieces, Vec<&'static str>)]| {
            let mut table = RouteTable::new();
            let mut kept = Vec::new();
            for (pieces, methods) in routes {
                let path = written(pieces);
                let pattern = Pattern::parse(&path).expect("it is a pattern");
                if table.insert(&pattern, route(&path, methods)).is_ok() {
                    kept.push((pieces.clone(), methods.clone()));
                }
            }
            (table, kept)
        };
        let (table, kept) = build(&routes);
        let mut turned = kept.clone();
        let by = turn.min(turned.len());
        turned.rotate_left(by);
        turned.reverse();
        let (other, kept_again) = build(&turned);
        prop_assert_eq!(kept.len(), kept_again.len());
        for (method, path) in requests {
            let raw = written(&path);
            let canonical = CanonicalPath::parse(raw.as_bytes()).expect("it is canonical");
            let expected = slowly(&kept, method, &path);
            match (table.find(&canonical, method.as_bytes()), expected) {
                (Match::Route(found), Ok(place)) => {
                    let (pieces, methods) = &kept[place];
                    prop_assert_eq!(&found.path, &written(pieces));
                    prop_assert_eq!(&found.methods, methods);
                }
                (Match::NoPath, Err("no path"))
                | (Match::NoMethod { .. }, Err("no method"))
                | (Match::AmbiguousPath, Err("ambiguous")) => {}
                (found, expected) => prop_assert!(false, "{raw}: {found:?}, not {expected:?}"),
            }
            let turned = said(&other, method, &raw);
            let straight = said(&table, method, &raw);
            // The pattern of a refusal is written as its first route writes it.
            if !straight.starts_with("no method") {
                prop_assert_eq!(straight, turned);
            } else {
                prop_assert!(turned.starts_with("no method"));
            }
        }
    }
}
