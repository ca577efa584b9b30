//! The table against a matcher that is slow and plain: the specification, word by word.

use proptest::prelude::*;

use super::*;

/// A pattern as the specification describes it: its pieces, each `a`, `{x}` or `{*x}`.
type Pieces = Vec<&'static str>;

fn pieces() -> impl Strategy<Value = Pieces> {
    let middle = prop::sample::select(vec!["a", "b", "B", "k", "\u{fc}", "{x}", "{y}"]);
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
        "a",
        "a",
        "b",
        "b",
        "c",
        "A",
        "B",
        "%61",
        "%42",
        "%C3%BC",
        "%c3%bc",
        "%C3%9C",
        "%E2%84%AA",
        "a%3F",
        "%3fb",
        "b%23x",
    ]);
    (method, prop::collection::vec(segment, 0..5))
}

/// A segment as some router reads it: its text, or nothing where it sees no literal.
type Read = Option<String>;

fn decoded(raw: &str) -> String {
    let mut parts = raw.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        octets.push(u8::from_str_radix(digits, 16).expect("two digits"));
        octets.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(octets).expect("UTF-8")
}

/// Whether an escape could have been left out, or written in capitals.
fn may_hide(raw: &str) -> bool {
    raw.split('%').skip(1).any(|part| {
        let (digits, _) = part.split_at(2);
        let octet = u8::from_str_radix(digits, 16).expect("two digits");
        octet.is_ascii_alphanumeric() || digits.contains(|digit: char| digit.is_ascii_lowercase())
    })
}

/// How specific a match is, piece by piece from the left: the smaller, the more. None if it does not match.
fn specificity(pattern: &Pieces, path: &[Read], fold: fn(&str) -> String) -> Option<Vec<u8>> {
    let mut ranks = Vec::new();
    for (place, piece) in pattern.iter().enumerate() {
        match (*piece, path.get(place)) {
            ("{*x}", _) => {
                ranks.push(2);
                return Some(ranks);
            }
            ("{x}" | "{y}", Some(_)) => ranks.push(1),
            (literal, Some(Some(text))) if fold(literal) == fold(text) => ranks.push(0),
            _ => return None,
        }
    }
    (pattern.len() == path.len()).then_some(ranks)
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

fn in_any_case(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

/// Every way in which a router may read the path: cut off at a `?` or `#` or not, each segment that may hide hidden or not.
fn readings(path: &[&str]) -> Vec<Vec<Read>> {
    let whole: Vec<(String, bool)> = path
        .iter()
        .map(|raw| (decoded(raw), may_hide(raw)))
        .collect();
    let mut cut_off = Vec::new();
    for (text, may_hide) in &whole {
        let before = text.split(['?', '#']).next().unwrap_or_default();
        if !before.is_empty() {
            cut_off.push((before.to_owned(), *may_hide));
        }
        if before != text {
            break;
        }
    }
    let mut readings = Vec::new();
    for segments in [whole, cut_off] {
        for hidden in 0..1_u32 << segments.len() {
            let read = |(place, (text, may_hide)): (usize, &(String, bool))| {
                (!may_hide || hidden & (1 << place) == 0).then(|| text.clone())
            };
            readings.push(segments.iter().enumerate().map(read).collect());
        }
    }
    readings
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
    let best = |path: &[Read], fold: fn(&str) -> String| -> Vec<&Pieces> {
        let ranked: Vec<_> = routes
            .iter()
            .filter_map(|(pattern, _)| Some((specificity(pattern, path, fold)?, pattern)))
            .collect();
        let least = ranked.iter().map(|(ranks, _)| ranks).min();
        ranked
            .iter()
            .filter(|(ranks, _)| Some(ranks) == least)
            .map(|(_, pattern)| *pattern)
            .collect()
    };
    let ours: Vec<Read> = path.iter().map(|raw| Some(decoded(raw))).collect();
    let Some(pattern) = best(&ours, as_it_is).first().copied() else {
        return Err("no path");
    };
    for reading in readings(path) {
        for fold in [as_it_is as fn(&str) -> String, in_any_case] {
            let others = best(&reading, fold);
            if !others.is_empty() && !others.iter().any(|other| same_pattern(pattern, other)) {
                return Err("ambiguous");
            }
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
            let mut table = RouteTable::with_capacity(0);
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
                | (Match::AmbiguousPath { .. }, Err("ambiguous")) => {}
                // Two places in the tree may read one segment in two ways, which no router does: more is refused than must be,
                // but only where a segment may hide.
                (Match::AmbiguousPath { .. }, _) if path.iter().any(|raw| may_hide(raw)) => {}
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
