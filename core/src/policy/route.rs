//! One route of the file: what it matches, and who may pass.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::yaml::{Place, Spanned};

use super::error::{Explanation, Problems};
use super::file::RouteFile;
use super::names::IssuerNames;
use super::read::List;
use super::scalar::Scalar;
use super::schema::{text_like, with};
use super::setting::{InvalidSetting, MODES, TOKEN_FORWARDINGS, truth, word};
use super::{Access, IssuerId, Requirements, Route, ScopeDemand};
use super::{claim_rule, excerpt, issuer, scope};
use crate::path::AllowInPath;
use crate::request::is_token_octet;
use crate::route::{InvalidPattern, Pattern};

/// What a word allows.
type Allow = fn(&mut AllowInPath);

/// What may be allowed inside parameters.
pub(super) const ALLOWANCES: [(&str, Allow); 3] = [
    ("encoded-slash", |allowed| allowed.encoded_slash = true),
    ("semicolon", |allowed| allowed.semicolon = true),
    ("double-escape", |allowed| allowed.double_escape = true),
];

/// Why a route is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidRoute {
    MissingPath,
    Pattern(InvalidPattern),
    /// None of `public`, `authenticated`, `scopes`, or more than one.
    NotOneAccess {
        found: usize,
    },
    /// `public: false` or `authenticated: false`.
    NotTrue {
        field: &'static str,
    },
    /// A demand on tokens where none is asked for.
    PublicWith {
        field: &'static str,
    },
    NotScopes,
    NoScopes,
    WildcardScope,
    NotAScope,
    NotAMethod,
    Connect,
    MethodTwice,
    /// `allow_in_path` on a route that has nothing to fill.
    NoParameters,
    /// `mode: enforce` in a policy that shadows.
    EnforceInShadow,
    /// Another route of the same pattern takes the method, or any as this one does.
    Taken {
        line: u32,
        method: Option<String>,
    },
}

/// A route, with its pattern in the form that is matched.
pub(super) fn route(
    file: Spanned<RouteFile>,
    issuers: &IssuerNames,
    problems: &mut Problems<'_>,
) -> Option<(Pattern, Route)> {
    let place = file.place;
    let RouteFile {
        path,
        methods,
        public,
        authenticated,
        scopes,
        issuers: only_issuers,
        audiences,
        claims,
        mode,
        token,
        allow_in_path,
    } = file.value;
    let pattern = pattern(path, place, problems);
    let methods = method_list(methods, problems);
    let ways = [public.is_some(), authenticated.is_some(), scopes.is_some()];
    let found = ways.into_iter().filter(|given| *given).count();
    if found != 1 {
        problems.report(place, InvalidRoute::NotOneAccess { found });
    }
    let is_public = public.is_some();
    flag(public, "public", problems);
    flag(authenticated, "authenticated", problems);
    if is_public {
        let restrictions = [
            ("issuers", only_issuers.as_ref().map(|list| list.place)),
            ("audiences", audiences.as_ref().map(|list| list.place)),
            ("claims", claims.as_ref().map(|list| list.place)),
        ];
        for (field, given) in restrictions {
            if let Some(place) = given {
                problems.report(place, InvalidRoute::PublicWith { field });
            }
        }
    } else if found == 1 && issuers.is_empty() {
        problems.report(place, InvalidSetting::MissingIssuers);
    }
    let scopes = match scopes {
        Some(scopes) => scope::demand(scopes, problems),
        None => Some(ScopeDemand::None),
    };
    let only_issuers = only_issuers.map(|list| issuer_list(list, issuers, problems));
    let audiences = audiences.map(|list| issuer::audience_list(list, problems));
    let claims = claim_rule::claims(claims, problems);
    let mode = word(mode, "mode", &MODES, problems);
    let token = word(token, "token", &TOKEN_FORWARDINGS, problems);
    let allow_in_path = allowances(allow_in_path, pattern.as_ref(), problems);
    let requirements = Requirements {
        scopes: scopes?,
        issuers: required(only_issuers)?,
        audiences: required(audiences)?,
        claims: claims?,
    };
    let (path, pattern) = pattern?;
    let route = Route {
        path,
        methods: methods?,
        access: if is_public {
            Access::Public
        } else {
            Access::Protected(requirements)
        },
        mode: mode?,
        token: token?,
        allow_in_path: allow_in_path?,
    };
    Some((pattern, route))
}

/// What a pattern may be, for editors. Dot segments and what is too long they are not told.
pub(super) fn path_schema() -> Value {
    const PARAMETER: &str = r"\{[A-Za-z0-9_-]+\}";
    const REST: &str = r"\{\*[A-Za-z0-9_-]+\}";
    const LITERAL: &str = r"[^/{}*?#%;\\\u0000-\u001f\u007f-\u009f]+";
    text_like(format!(
        "^/(?:(?:{LITERAL}|{PARAMETER})(?:/(?:{LITERAL}|{PARAMETER}))*(?:/{REST})?/?|{REST}/?)?$"
    ))
}

/// What the list of methods may hold, for editors.
pub(super) fn method_schema() -> Value {
    let token = text_like("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$");
    let method = with(token, "not", json!({ "const": "CONNECT" }));
    json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": method })
}

/// What a scope may be, for editors.
pub(super) fn scope_schema() -> Value {
    text_like(r"^[!#-)+-\[\]-~]+$")
}

/// Turns a value that is given but wrong into nothing, and keeps one that is not given.
fn required<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

fn pattern(
    path: Option<Spanned<String>>,
    route: Place,
    problems: &mut Problems<'_>,
) -> Option<(String, Pattern)> {
    let Some(path) = path else {
        problems.report(route, InvalidRoute::MissingPath);
        return None;
    };
    match Pattern::parse(&path.value) {
        Ok(pattern) => Some((path.value, pattern)),
        Err(kind) => {
            problems.report(path.place, InvalidRoute::Pattern(kind));
            None
        }
    }
}

fn flag(field: Option<Spanned<Scalar>>, name: &'static str, problems: &mut Problems<'_>) {
    let Some(place) = field.as_ref().map(|field| field.place) else {
        return;
    };
    if truth(field, problems) == Some(false) {
        problems.report(place, InvalidRoute::NotTrue { field: name });
    }
}

fn method_list(list: List<String>, problems: &mut Problems<'_>) -> Option<Vec<String>> {
    let Some(list) = list else {
        return Some(Vec::new());
    };
    if list.value.is_empty() {
        let kind = InvalidSetting::EmptyList {
            field: "methods",
            remedy: "name the methods, or remove the field to take any",
        };
        problems.report(list.place, kind);
        return None;
    }
    let mut methods: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut all_fit = true;
    for method in list.value {
        let is_token = !method.value.is_empty() && method.value.bytes().all(is_token_octet);
        if !is_token {
            problems.report(method.place, InvalidRoute::NotAMethod);
            all_fit = false;
        } else if method.value == "CONNECT" {
            problems.report(method.place, InvalidRoute::Connect);
            all_fit = false;
        } else if !seen.insert(method.value.clone()) {
            problems.report(method.place, InvalidRoute::MethodTwice);
            all_fit = false;
        } else {
            methods.push(method.value);
        }
    }
    all_fit.then_some(methods)
}

fn issuer_list(
    list: Spanned<Vec<Spanned<String>>>,
    issuers: &IssuerNames,
    problems: &mut Problems<'_>,
) -> Option<Vec<IssuerId>> {
    if list.value.is_empty() {
        let kind = InvalidSetting::EmptyList {
            field: "issuers",
            remedy: "name the issuers whose tokens are taken, or remove the field to take every issuer's",
        };
        problems.report(list.place, kind);
        return None;
    }
    let mut ids = Vec::new();
    let mut all_known = true;
    for name in list.value {
        match issuers.find(&name.value) {
            Ok(id) if ids.contains(&id) => {}
            Ok(id) => ids.push(id),
            Err(kind) => {
                problems.report(name.place, kind);
                all_known = false;
            }
        }
    }
    all_known.then_some(ids)
}

fn allowances(
    list: List<String>,
    pattern: Option<&(String, Pattern)>,
    problems: &mut Problems<'_>,
) -> Option<AllowInPath> {
    let mut allowed = AllowInPath::default();
    let Some(list) = list else {
        return Some(allowed);
    };
    let mut all_fit = true;
    if pattern.is_some_and(|(_, pattern)| !pattern.has_parameters()) {
        problems.report(list.place, InvalidRoute::NoParameters);
        all_fit = false;
    }
    for word in list.value {
        let known = ALLOWANCES.iter().find(|(known, _)| *known == word.value);
        match known {
            Some((_, allow)) => allow(&mut allowed),
            None => {
                let kind = InvalidSetting::UnknownWord {
                    field: "allow_in_path",
                    known: ALLOWANCES.map(|(known, _)| known).to_vec(),
                };
                problems.report(word.place, kind);
                all_fit = false;
            }
        }
    }
    all_fit.then_some(allowed)
}

impl InvalidRoute {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::MissingPath => Explanation::new(
                "this route has no path",
                "write `path:` with a pattern, as in `/timesheets/{id}`",
            ),
            Self::Pattern(kind) => Explanation::new(kind.message(), kind.remedy()),
            Self::NotOneAccess { found } => Explanation::new(
                match found {
                    0 => "this route does not say who may pass",
                    _ => "this route says in more than one way who may pass",
                },
                "write one of `public: true`, `authenticated: true`, `scopes: […]`",
            ),
            Self::NotTrue { field } => Explanation::new(
                format!("`{field}: false` does not say who may pass"),
                format!("write `{field}: true`, or one of the other ways instead"),
            ),
            Self::PublicWith { field } => Explanation::new(
                format!(
                    "a public route asks for no token, so that `{field}` would never be checked"
                ),
                "remove it, or write `authenticated: true` instead of `public: true`",
            ),
            Self::NotScopes => Explanation::new(
                "scopes are a list",
                "write `[read:timesheets]` for all of a list, or `{ any: [a, b] }` for one of it",
            ),
            Self::NoScopes => Explanation::new(
                "an empty list of scopes demands nothing",
                "write `authenticated: true` if any valid token may pass",
            ),
            Self::WildcardScope => Explanation::new(
                "`*` is no wildcard in a scope, but would be compared as it stands",
                "name every scope that is needed",
            ),
            Self::NotAScope => Explanation::new(
                "this is not a scope (RFC 6749 section 3.3)",
                "write one scope per entry, in ASCII without blanks, `\"` and `\\`",
            ),
            Self::NotAMethod => Explanation::new(
                "this is not a method (RFC 9110 section 9.1)",
                "write one method per entry, as in `[GET, POST]`",
            ),
            Self::Connect => {
                Explanation::new("CONNECT has no path, and is always refused", "remove it")
            }
            Self::MethodTwice => Explanation::new("this method stands here twice", "keep it once"),
            Self::NoParameters => Explanation::new(
                "this path has no `{…}`, and only there can such characters stand",
                "remove it, or write a `{parameter}` in the path",
            ),
            Self::EnforceInShadow => Explanation::new(
                "a policy in shadow mode lets ambiguous paths and unknown methods pass, and with them this route's neighbours in spelling: it cannot enforce one route",
                "let the policy enforce, and write `mode: shadow` on the routes that are only watched",
            ),
            Self::Taken { line, method } => Explanation::new(
                match method {
                    Some(method) => format!(
                        "the route in line {line} has the same pattern, and takes `{}` as well",
                        excerpt::shown(method)
                    ),
                    None => format!(
                        "the route in line {line} has the same pattern, and takes any method as well"
                    ),
                },
                "keep one of the two, or give them different `methods`",
            ),
        }
    }
}
