//! `diff` against brute force: random policies, every request of a small world put to both of them by `decide`. Whoever gets in that did not before
//! has to be in a region that is said to be more permissive; and where a region is said to be that, somebody has to get in.

#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use scopegate::diff::{ANY_METHOD, Direction, RegionChange, compare, regions};
use scopegate_core::outline::{Pattern, PatternSegment};
use scopegate_core::{
    Algorithm, Decision, InvalidSignature, KeyCache, Policy, PublicKey, Request, Timestamp,
    TokenCache, Verifier, decide,
};

/// Takes every signature: who signs is not what differs here.
struct Trusting;

impl Verifier for Trusting {
    fn verify(
        &self,
        _: Algorithm,
        _: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), InvalidSignature> {
        Ok(())
    }
}

const PATHS: [&str; 14] = [
    "/",
    "/a",
    "/b",
    "/A",
    "/a/b",
    "/{x}",
    "/{x}/b",
    "/a/{x}",
    "/a/{*r}",
    "/{*r}",
    "/{x}/{*r}",
    "/a/b/{*r}",
    "/A/{x}",
    "/{x}/{y}",
];
const METHODS: [&str; 7] = [
    "",
    "methods: [GET], ",
    "methods: [POST], ",
    "methods: [GET, POST], ",
    "methods: [HEAD], ",
    "methods: [OPTIONS], ",
    "methods: [get], ",
];
const ACCESS: [&str; 13] = [
    "public: true",
    "authenticated: true",
    "scopes: [s]",
    "scopes: [t]",
    "scopes: [s, t]",
    "scopes: { any: [s, t] }",
    "authenticated: true, claims: [{ claim: o, equals: 1 }]",
    "authenticated: true, claims: [{ claim: o, one_of: [1, 2] }]",
    "authenticated: true, claims: [{ claim: o, exists: true }]",
    "authenticated: true, claims: [{ claim: o, exists: false }]",
    "authenticated: true, issuers: [one]",
    "authenticated: true, audiences: [other]",
    "scopes: [s], mode: shadow",
];
const MORE: [&str; 4] = ["", "", ", token: strip", ", allow_in_path: [semicolon]"];
const SEGMENTS: [&str; 5] = ["a", "b", "A", "c", "c;d"];
const ASKED: [&str; 8] = [
    "GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "post", "head",
];

type RouteText = (&'static str, &'static str, &'static str, &'static str);

fn policy_text(routes: &[RouteText], top: &str) -> String {
    let issuer = |name: &str| {
        format!(
            "  {name}:\n    issuer: https://{name}.example/\n    audiences: [api]\n    jwks: {{ keys: [{{ kty: OKP, crv: Ed25519, kid: k, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }}] }}\n"
        )
    };
    let lines: Vec<String> = routes
        .iter()
        .map(|(path, methods, access, more)| {
            let more = if path.contains('{') || !more.contains("allow") {
                more
            } else {
                ""
            };
            format!("  - {{ path: \"{path}\", {methods}{access}{more} }}\n")
        })
        .collect();
    format!(
        "version: 1\nrealm: t\n{top}issuers:\n{}{}routes:\n{}",
        issuer("one"),
        issuer("two"),
        lines.concat()
    )
}

/// The routes that do not contradict those before them.
fn policy(routes: &[RouteText], top: &str) -> Policy {
    let mut kept: Vec<RouteText> = Vec::new();
    for route in routes {
        kept.push(*route);
        if Policy::parse(&policy_text(&kept, top)).is_err() {
            kept.pop();
        }
    }
    kept.push(("/always", "", "public: true", ""));
    Policy::parse(&policy_text(&kept, top)).unwrap_or_else(|invalid| panic!("{invalid}"))
}

fn a_policy() -> impl Strategy<Value = (Vec<RouteText>, &'static str)> {
    let route = (
        select(&PATHS[..]),
        select(&METHODS[..]),
        select(&ACCESS[..]),
        select(&MORE[..]),
    );
    let top = select(&["", "", "", "preflight: refuse\n", "mode: shadow\n"][..]);
    (proptest::collection::vec(route, 0..6), top)
}

/// Most routes are the same in both, and one says something else, as after most changes.
fn two_policies() -> impl Strategy<Value = (Policy, Policy)> {
    let changed = (select(&ACCESS[..]), select(&MORE[..]), 0_usize..12);
    let kept = a_policy().prop_flat_map(|(routes, top)| {
        let count = routes.len();
        (
            Just(routes.clone()),
            Just(top),
            subsequence(routes, 0..=count),
            a_policy(),
        )
    });
    let both = (kept, changed);
    both.prop_map(
        |((routes, top, mut kept, (others, other_top)), (access, more, place))| {
            if let Some(route) = kept.get_mut(place / 2) {
                match place % 2 {
                    0 => route.2 = access,
                    _ => route.3 = more,
                }
            }
            kept.extend(others.into_iter().take(2));
            // In shadow mode everything passes: rare, or nothing else is seen.
            let rarely = |top: &'static str| match (top, place) {
                ("mode: shadow\n", 1..) => "",
                _ => top,
            };
            (
                policy(&routes, rarely(top)),
                policy(&kept, rarely(other_top)),
            )
        },
    )
}

/// No token, and every token of the small world.
fn tokens() -> Vec<Option<String>> {
    let mut tokens = vec![None];
    let header = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
    let signature = BASE64URL.encode([0; 64]);
    for issuer in ["one", "two"] {
        for audience in ["api", "other"] {
            for scope in ["", "s", "t", "s t"] {
                // 3 is in no list: whoever has it gets in where anything will do.
                for claim in ["", r#","o":1"#, r#","o":2"#, r#","o":3"#] {
                    let claims = format!(
                        r#"{{"iss":"https://{issuer}.example/","aud":"{audience}","exp":2000,"scope":"{scope}"{claim}}}"#
                    );
                    tokens.push(Some(format!(
                        "{header}.{}.{signature}",
                        BASE64URL.encode(claims)
                    )));
                }
            }
        }
    }
    tokens
}

fn paths() -> Vec<String> {
    let mut paths = vec!["/".to_owned()];
    for one in SEGMENTS {
        paths.push(format!("/{one}"));
        for two in SEGMENTS {
            paths.push(format!("/{one}/{two}"));
            paths.push(format!("/{one}/{two}/c"));
        }
    }
    paths
}

/// A policy that answers.
struct Gate<'p> {
    policy: &'p Policy,
    keys: KeyCache,
    tokens: TokenCache,
}

impl<'p> Gate<'p> {
    fn of(policy: &'p Policy) -> Self {
        Self {
            policy,
            keys: KeyCache::new(policy),
            tokens: TokenCache::new(policy, 0),
        }
    }

    fn allows(&mut self, method: &str, path: &str, token: Option<&str>) -> bool {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()));
        let request = Request::new(method.as_bytes(), Some(path.as_bytes()), headers);
        let now = Timestamp::from_secs(1_000);
        let decision = decide(
            self.policy,
            &request,
            &self.keys,
            &mut self.tokens,
            &Trusting,
            now,
        );
        matches!(decision, Decision::Allow(_))
    }
}

/// Whether a path may be in the region of that pattern, if it has parameters for anything.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern = Pattern::parse(pattern).unwrap();
    let segments: Vec<&str> = path
        .split('/')
        .skip(1)
        .filter(|segment| !segment.is_empty())
        .collect();
    let fits = |(wanted, segment): (&PatternSegment, &&str)| match wanted {
        PatternSegment::Parameter => true,
        PatternSegment::Literal(text) => text == segment.as_bytes(),
    };
    let (own, others) = (pattern.segments.len(), segments.len());
    (own == others || (pattern.rest && own <= others))
        && pattern.segments.iter().zip(&segments).all(fits)
}

/// A path, and the same with a `;` or an escaped slash in each of its segments, where only routes that allow one in their parameters have it.
fn with_data(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(start, _)| start).skip(1);
    let ends = ends.chain([path.len()]);
    let hidden = ends.flat_map(|end| {
        let (before, behind) = path.split_at(end);
        [";", "%2F"].map(|data| format!("{before}{data}d{behind}"))
    });
    [path.to_owned()].into_iter().chain(hidden).collect()
}

fn covers(change: &RegionChange, method: &str, path: &str) -> bool {
    change.regions.iter().any(|(pattern, methods)| {
        matches(pattern, path) && (methods.contains(method) || methods.contains(ANY_METHOD))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn nobody_gets_in_unsaid_and_nothing_is_said_for_nothing((old, new) in two_policies()) {
        let comparison = compare(&old, &new).unwrap();
        let (mut before, mut after) = (Gate::of(&old), Gate::of(&new));
        let tokens = tokens();
        let classes = regions(&old, &new).unwrap();
        for path in paths() {
            // A literal in another case: what refuses it is not told.
            let is_respelt = classes.iter().any(|class| class.is_respelt && matches(&class.pattern, &path));
            for method in ASKED {
                for token in &tokens {
                    let was = before.allows(method, &path, token.as_deref());
                    let is = after.allows(method, &path, token.as_deref());
                    if was == is {
                        continue;
                    }
                    let said = comparison.regions.iter().any(|change| {
                        let fits = match is {
                            true => change.direction.lets_more_in(),
                            false => matches!(change.direction, Direction::Stricter | Direction::Both),
                        };
                        fits && covers(change, method, &path)
                    });
                    let is_odd = !is && (matches!(method, "get" | "head" | "post") || is_respelt);
                    prop_assert!(said || is_odd, "{method} {path}: was {was}, is {is}\n{comparison:#?}");
                }
            }
        }
        let witnesses: BTreeMap<String, String> = classes.into_iter().map(|region| (region.pattern, region.path)).collect();
        for change in &comparison.regions {
            let is_preflight = change.was.contains("preflight");
            if change.direction != Direction::MorePermissive || is_preflight {
                continue;
            }
            for (pattern, methods) in &change.regions {
                let paths = with_data(&witnesses[pattern]);
                let asked = methods.iter().map(|method| if method == ANY_METHOD { "OTHER" } else { method.as_str() });
                let gets_in = asked.flat_map(|method| paths.iter().map(move |path| (method, path))).any(|(method, path)| {
                    tokens.iter().any(|token| {
                        let was = before.allows(method, path, token.as_deref());
                        !was && after.allows(method, path, token.as_deref())
                    })
                });
                prop_assert!(gets_in, "nobody gets in: {pattern} {methods:?}\n{change:#?}");
            }
        }
    }

    /// A policy is never different from itself.
    #[test]
    fn nothing_is_different_from_itself((old, _) in two_policies()) {
        prop_assert!(compare(&old, &old).unwrap().is_empty());
    }
}
