//! The route table. Each route says which tokens it requires (`jwt_authn`) and what they must say (RBAC), so that the two filters
//! cannot disagree on which rule a request falls under.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::policy::{Mode, Policy, Preflight, Route};
use super::{provider, rule};
use crate::config::UPSTREAM;

/// Headers by which some upstreams let a client change its method.
const OVERRIDES: [&str; 3] = [
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
];

/// All routes, the most specific pattern first: Envoy takes the first that matches.
pub(super) fn table(policy: &Policy) -> Result<Vec<Value>> {
    let mut patterns: Vec<Pattern> = Vec::new();
    for (index, route) in policy.routes.iter().enumerate() {
        let segments = segments(&route.path)?;
        match patterns
            .iter_mut()
            .find(|pattern| same(&pattern.segments, &segments))
        {
            Some(pattern) => pattern.routes.push((index, route)),
            None => patterns.push(Pattern {
                segments,
                routes: vec![(index, route)],
            }),
        }
    }
    patterns.sort_by(|one, other| one.segments.cmp(&other.segments));
    let mut table = Vec::new();
    for mut pattern in patterns {
        let regex = regex(&pattern.segments);
        table.extend(preflights(policy, &pattern, &regex));
        // A named method beats any method.
        pattern
            .routes
            .sort_by_key(|(_, route)| route.methods.is_empty());
        for (index, route) in &pattern.routes {
            table.push(entry(policy, &pattern, *index, route, &regex)?);
        }
        // What no route of the pattern took is not handed on to a broader one: no filter lets it through here.
        table.push(json!({ "match": { "safe_regex": { "regex": regex } }, "route": upstream() }));
    }
    table.push(json!({ "match": { "prefix": "/" }, "route": upstream() }));
    Ok(table)
}

struct Pattern<'a> {
    segments: Vec<Segment>,
    routes: Vec<(usize, &'a Route)>,
}

/// The order is the precedence: a literal before a parameter before a rest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter,
    Rest,
}

fn segments(path: &str) -> Result<Vec<Segment>> {
    let Some(path) = path.strip_prefix('/') else {
        bail!("{path:?} is no pattern of a path");
    };
    Ok(path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| match segment.strip_prefix('{') {
            None => Segment::Literal(segment.to_owned()),
            Some(name) if name.starts_with('*') => Segment::Rest,
            Some(_) => Segment::Parameter,
        })
        .collect())
}

fn same(one: &[Segment], other: &[Segment]) -> bool {
    one == other
}

/// The whole path, without the query; one slash at the end is ignored.
fn regex(segments: &[Segment]) -> String {
    let mut regex = String::new();
    for segment in segments {
        match segment {
            Segment::Literal(text) => {
                regex.push('/');
                regex.extend(text.chars().map(|sign| match sign {
                    'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => sign.to_string(),
                    _ if sign.is_ascii() => format!("\\{sign}"),
                    _ => escaped(sign),
                }));
            }
            Segment::Parameter => regex.push_str("/[^/]+"),
            Segment::Rest => return regex + "(?:/.*)?",
        }
    }
    if regex.is_empty() {
        "/".to_owned()
    } else {
        regex + "/?"
    }
}

/// The native filters match the path as it came: what is not ASCII stands there in escapes.
fn escaped(sign: char) -> String {
    let mut octets = [0; 4];
    let octets = sign.encode_utf8(&mut octets).bytes();
    octets.map(|octet| format!("%{octet:02X}")).collect()
}

fn entry(
    policy: &Policy,
    pattern: &Pattern,
    index: usize,
    route: &Route,
    regex: &str,
) -> Result<Value> {
    let mut matching = json!({ "safe_regex": { "regex": regex } });
    let methods = methods(pattern, route);
    if !methods.is_empty() {
        matching["headers"] = json!([method(&methods)]);
    }
    let mut entry = json!({ "match": matching, "route": upstream() });
    if route.public {
        entry["typed_per_filter_config"] = open(policy);
        if route.token != Some(super::policy::Token::Keep) {
            entry["request_headers_to_remove"] = json!(["authorization"]);
        }
        return Ok(entry);
    }
    let rules = match route.mode.unwrap_or(policy.mode) {
        Mode::Enforce => "rules",
        Mode::Shadow => "shadow_rules",
    };
    entry["typed_per_filter_config"] = json!({
        provider::FILTER: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
            "requirement_name": provider::requirement_name(index),
        },
        rule::FILTER: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
            "rbac": { rules: rule::policies(policy, route)? },
        },
    });
    Ok(entry)
}

/// The methods that a route names; GET takes HEAD too, unless another route of the pattern names it.
fn methods<'a>(pattern: &Pattern<'a>, route: &'a Route) -> Vec<&'a str> {
    let mut methods: Vec<&str> = route.methods.iter().map(String::as_str).collect();
    let head_is_named = pattern
        .routes
        .iter()
        .any(|(_, route)| route.methods.iter().any(|method| method == "HEAD"));
    if methods.contains(&"GET") && !head_is_named {
        methods.push("HEAD");
    }
    methods
}

/// A preflight for a method that some route of the pattern takes, where no route names OPTIONS itself.
fn preflights(policy: &Policy, pattern: &Pattern, regex: &str) -> Option<Value> {
    let named: Vec<&str> = pattern
        .routes
        .iter()
        .flat_map(|(_, route)| methods(pattern, route))
        .collect();
    if policy.preflight == Preflight::Refuse || named.contains(&"OPTIONS") {
        return None;
    }
    let takes_any = pattern
        .routes
        .iter()
        .any(|(_, route)| route.methods.is_empty());
    let requested = if takes_any {
        "[A-Za-z]+".to_owned()
    } else {
        named.join("|")
    };
    let header = |name: &str, regex: &str| json!({ "name": name, "string_match": { "safe_regex": { "regex": regex } } });
    let mut removed = vec!["authorization"];
    removed.extend(OVERRIDES);
    Some(json!({
        "match": { "safe_regex": { "regex": regex }, "headers": [
            method(&["OPTIONS"]),
            // Two of either are joined with a comma.
            header("origin", "[^,]+"),
            header("access-control-request-method", &requested),
            { "name": "upgrade", "present_match": true, "invert_match": true },
        ] },
        "route": upstream(),
        "request_headers_to_remove": removed,
        "typed_per_filter_config": open(policy),
    }))
}

fn method(methods: &[&str]) -> Value {
    json!({ "name": ":method", "string_match": { "safe_regex": { "regex": methods.join("|") } } })
}

/// No token is asked for.
fn open(policy: &Policy) -> Value {
    let mut open = json!({
        rule::FILTER: { "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute" },
    });
    if !policy.issuers.is_empty() {
        open[provider::FILTER] = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
            "disabled": true,
        });
    }
    open
}

fn upstream() -> Value {
    json!({ "cluster": UPSTREAM, "timeout": "15s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_comes_before_a_parameter_before_a_rest() {
        let paths = ["/a/{*rest}", "/{x}/b", "/a", "/a/{x}", "/a/b", "/a/{x}/c"];
        let mut sorted: Vec<_> = paths.map(|path| (segments(path).unwrap(), path)).into();
        sorted.sort();
        let sorted: Vec<_> = sorted.into_iter().map(|(_, path)| path).collect();
        assert_eq!(
            sorted,
            ["/a", "/a/b", "/a/{x}", "/a/{x}/c", "/a/{*rest}", "/{x}/b"]
        );
    }

    #[test]
    fn patterns_are_whole_paths() {
        for (path, expected) in [
            ("/", "/"),
            ("/a.b/{id}", r"/a\.b/[^/]+/?"),
            ("/files/{*rest}", "/files(?:/.*)?"),
        ] {
            assert_eq!(regex(&segments(path).unwrap()), expected);
        }
    }
}
