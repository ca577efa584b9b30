//! The text of a policy, as people write them: a flow mapping for each route, in the order of the document.

use std::collections::BTreeMap;

use anyhow::bail;
use scopegate_core::outline::{Pattern, ScopeDemand};

use super::issuers::Issuer;
use super::plan::{LeftOut, Route, Target};
use super::probe;
use super::scalar::{comment, scalar};
use scopegate_openapi::{Demand, Specification};

/// The realm where the title of the API cannot be one.
const REALM: &str = "api";

/// What stands before the routes.
pub(super) struct Head {
    /// What the policy was made of.
    origin: String,
    realm: String,
    issuers: Vec<Issuer>,
}

/// A policy, and where each of its routes comes from.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) origins: Vec<Origin>,
}

/// Where a route comes from.
pub(super) enum Origin {
    /// From these operations, by their places.
    Operations(Vec<usize>),
    /// It is there so that it refuses.
    Guard,
}

impl Head {
    pub(super) fn new(
        document: &str,
        specification: &Specification,
        realm: Option<&str>,
        issuers: Vec<Issuer>,
    ) -> anyhow::Result<Self> {
        let realm = match (realm, &specification.title) {
            (Some(realm), _) => match probe::realm(realm) {
                None => realm,
                Some(complaint) => bail!("--realm {realm}: {complaint}"),
            },
            (None, Some(title)) if probe::realm(title).is_none() => title,
            (None, _) => REALM,
        };
        let version = &specification.version;
        Ok(Self {
            origin: format!("{document} (OpenAPI {version})"),
            realm: realm.to_owned(),
            issuers,
        })
    }

    pub(super) fn has_issuers(&self) -> bool {
        !self.issuers.is_empty()
    }

    /// The issuers whose tokens a route takes, where that is not everyone's.
    fn restriction(&self, schemes: &[String]) -> Option<Vec<&str>> {
        let takes = |issuer: &&Issuer| {
            let mut own = issuer.schemes.iter();
            own.any(|scheme| schemes.contains(scheme))
        };
        let taken = self.issuers.iter().filter(takes);
        let taken: Vec<&str> = taken.map(|issuer| issuer.name.as_str()).collect();
        (!schemes.is_empty() && taken.len() < self.issuers.len()).then_some(taken)
    }
}

/// The policy for these operations.
pub(super) fn written(head: &Head, targets: &[Target]) -> Written {
    let left_out = targets.iter().filter_map(Target::left_out).count();
    let mut text = format!(
        "# Made from {} by `scopegate import openapi`.\n",
        comment(&head.origin)
    );
    if left_out > 0 {
        let all = targets.len();
        line(
            &mut text,
            &format!(
                "# {left_out} of {all} operations are left out, and so refused; each is named below, with the reason."
            ),
        );
    }
    line(&mut text, "version: 1");
    line(&mut text, &format!("realm: {}", scalar(&head.realm)));
    if head.has_issuers() {
        line(&mut text, "\nissuers:");
    }
    for issuer in &head.issuers {
        push_issuer(&mut text, issuer);
    }
    let mut origins = Vec::new();
    let mut routes = String::new();
    let mut merged = merged(targets);
    for (place, target) in targets.iter().enumerate() {
        match target {
            Target::Out(out) => push_left_out(&mut routes, out, &mut origins),
            Target::In(route) => {
                // Nothing where it stands with the first of its path already.
                let Some(operations) = merged.remove(&place) else {
                    continue;
                };
                let methods = operations
                    .iter()
                    .filter_map(|place| route_at(targets, *place));
                let methods: Vec<&str> = methods.map(|route| route.method).collect();
                line(&mut routes, &route_line(head, route, &methods.join(", ")));
                origins.push(Origin::Operations(operations));
            }
        }
    }
    match origins.is_empty() {
        true => line(&mut text, "\nroutes: []"),
        false => line(&mut text, "\nroutes:"),
    }
    text.push_str(&routes);
    Written { text, origins }
}

/// The operations that are one route, by the place of the first.
fn merged(targets: &[Target]) -> BTreeMap<usize, Vec<usize>> {
    let mut merged: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut firsts: BTreeMap<&Pattern, Vec<usize>> = BTreeMap::new();
    for (place, target) in targets.iter().enumerate() {
        let Target::In(route) = target else { continue };
        let firsts = firsts.entry(&route.pattern).or_default();
        let mut same = firsts.iter().copied().filter(|first| {
            route_at(targets, *first).is_some_and(|first| first.demand.is_same(&route.demand))
        });
        let first = match same.next() {
            Some(first) => first,
            None => {
                firsts.push(place);
                place
            }
        };
        merged.entry(first).or_default().push(place);
    }
    merged
}

fn route_at(targets: &[Target], place: usize) -> Option<&Route> {
    match targets.get(place) {
        Some(Target::In(route)) => Some(route),
        _ => None,
    }
}

fn push_issuer(text: &mut String, issuer: &Issuer) {
    line(text, &format!("  {}:", scalar(&issuer.name)));
    if issuer.is_derived {
        line(
            text,
            "    # From its openIdConnectUrl, which does not say whether `iss` ends with a slash.",
        );
    }
    for field in issuer_fields(issuer) {
        line(text, &format!("    {field}"));
    }
}

/// The fields of an issuer.
pub(super) fn issuer_fields(issuer: &Issuer) -> Vec<String> {
    let audiences: Vec<String> = issuer.audiences.iter().map(|one| scalar(one)).collect();
    let address = issuer.key_address.as_ref();
    let address = address.map(|address| format!("jwks_uri: {}", scalar(address)));
    [
        Some(format!("issuer: {}", scalar(&issuer.iss))),
        Some(format!("audiences: [{}]", audiences.join(", "))),
        address,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn route_line(head: &Head, route: &Route, methods: &str) -> String {
    let mut fields = format!("path: {}, methods: [{methods}]", scalar(&route.path));
    let list = |scopes: &[String]| {
        let scopes: Vec<String> = scopes.iter().map(|scope| scalar(scope)).collect();
        scopes.join(", ")
    };
    let demand = match &route.demand {
        Demand::Public => "public: true".into(),
        Demand::Token { scopes, .. } => match scopes {
            ScopeDemand::None => "authenticated: true".into(),
            ScopeDemand::All(scopes) => format!("scopes: [{}]", list(scopes)),
            ScopeDemand::Any(scopes) => format!("scopes: {{ any: [{}] }}", list(scopes)),
        },
    };
    fields.push_str(", ");
    fields.push_str(&demand);
    if let Demand::Token { schemes, .. } = &route.demand
        && let Some(issuers) = head.restriction(schemes)
    {
        let issuers: Vec<String> = issuers.into_iter().map(scalar).collect();
        fields.push_str(&format!(", issuers: [{}]", issuers.join(", ")));
    }
    format!("  - {{ {fields} }}")
}

fn push_left_out(text: &mut String, out: &LeftOut, origins: &mut Vec<Origin>) {
    let reason = format!("{} is left out: {}", out.shown(), out.unsaid.message);
    line(text, &format!("  # {}", comment(&reason)));
    if let Some((path, _)) = &out.guard {
        line(
            text,
            "  # Nobody passes here, so that neither a broader route nor a preflight takes it:",
        );
        // A preflight passes wherever no route names OPTIONS.
        let methods: &[&str] = match out.method {
            Some("OPTIONS") => &["methods: [OPTIONS], "],
            Some(_) => &[""],
            None => &["", "methods: [OPTIONS], "],
        };
        for methods in methods {
            line(
                text,
                &format!(
                    "  - {{ path: {}, {methods}authenticated: true, claims: [{{ claim: iss, exists: false }}] }}",
                    scalar(path)
                ),
            );
            origins.push(Origin::Guard);
        }
    }
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
