//! What a specification demands beside what a policy does.

use std::collections::BTreeSet;

use scopegate_core::Policy;
use scopegate_core::outline::{Access, ClaimTest, Route, Routed};

use scopegate_openapi::{
    Demand, Issuers, Leniency, Operation, Specification, Spot, Unsaid, Witness, demand, joined,
};

/// How the two are compared.
pub(super) struct Terms {
    pub(super) base_path: Option<String>,
    pub(super) issuers: Issuers,
    pub(super) leniency: Leniency,
    /// Whether nothing is said of operations that no policy can say, where this one refuses them.
    pub(super) skips_refused: bool,
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) kind: Kind,
    /// Any, where a route takes any or where it is not known.
    pub(super) method: Option<String>,
    pub(super) path: String,
    /// What the specification says.
    pub(super) specification: String,
    /// What the policy says.
    pub(super) policy: String,
    pub(super) spot: Spot,
    /// The route, by its place in the policy.
    pub(super) route: Option<usize>,
}

/// What kind of disagreement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The policy refuses what the specification has.
    MissingRoute,
    /// The policy has routes for the path, and none for the method.
    MissingMethod,
    /// The policy lets anybody pass, and the specification does not.
    PublicInPolicy,
    /// The specification lets anybody pass, and the policy does not.
    PublicInSpecification,
    /// Both want a token, with other scopes.
    Scopes,
    /// No policy can say what the specification demands.
    Unsupported,
    /// The policy has a route that no operation has.
    UnknownRoute,
    /// The policy has a method of a route that no operation has.
    UnknownMethod,
}

impl Kind {
    /// Its word, for programs.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::MissingRoute => "missing-route",
            Self::MissingMethod => "missing-method",
            Self::PublicInPolicy => "public-in-policy",
            Self::PublicInSpecification => "public-in-spec",
            Self::Scopes => "scopes",
            Self::Unsupported => "unsupported",
            Self::UnknownRoute => "unknown-route",
            Self::UnknownMethod => "unknown-method",
        }
    }
}

/// Where the two disagree: operations in the order of the specification, then routes in the order of the policy.
pub(super) fn differences(
    specification: &Specification,
    policy: &Policy,
    terms: &Terms,
) -> Vec<Difference> {
    let routes = policy.routes().iter().map(|route| route.path.as_str());
    let templates = specification.operations.iter();
    let templates = templates.map(|operation| operation.template.as_str());
    let unresolved = specification.unresolved.iter();
    let unresolved = unresolved.map(|item| item.template.as_str());
    let witness = Witness::foreign_to(routes.chain(templates).chain(unresolved));
    let mut comparison = Comparison {
        policy,
        witness,
        terms,
        differences: Vec::new(),
        met: BTreeSet::new(),
        named: BTreeSet::new(),
    };
    for operation in &specification.operations {
        let demand = demand(operation, specification, &terms.issuers, terms.leniency);
        match (&terms.base_path, &operation.base_paths) {
            (Some(base), _) => comparison.operation(operation, base, &demand),
            (None, Ok(bases)) => {
                for base in bases {
                    comparison.operation(operation, base, &demand);
                }
            }
            (None, Err(why)) => {
                let unsaid = Unsaid::new("base-path", why.message());
                comparison.operation(operation, "", &Err(unsaid));
            }
        }
    }
    for item in &specification.unresolved {
        comparison.push(Difference {
            kind: Kind::Unsupported,
            method: None,
            path: item.template.clone(),
            specification: item.why.message(),
            policy: "not compared".into(),
            spot: item.spot,
            route: None,
        });
    }
    comparison.unmet();
    comparison.differences
}

struct Comparison<'a> {
    policy: &'a Policy,
    witness: Witness,
    terms: &'a Terms,
    differences: Vec<Difference>,
    /// The routes that some operation falls under.
    met: BTreeSet<usize>,
    /// Their methods.
    named: BTreeSet<(usize, &'static str)>,
}

impl Comparison<'_> {
    fn push(&mut self, difference: Difference) {
        self.differences.push(difference);
    }

    fn operation(
        &mut self,
        operation: &Operation,
        base_path: &str,
        demand: &Result<Demand, Unsaid>,
    ) {
        let template = joined(base_path, &operation.template);
        let path = self.witness.path(&template);
        let method = operation.method;
        let routed = self.policy.route_for(method.as_bytes(), path.as_bytes());
        if let Routed::Route(place, _) = routed {
            self.met.insert(place);
            self.named.insert((place, method));
        }
        let found = match (demand, &routed) {
            (Ok(_), Routed::Route(_, route)) if refuses_all(route) => Some(Kind::MissingRoute),
            (Err(_), Routed::Route(_, route)) if refuses_all(route) && self.terms.skips_refused => {
                None
            }
            (Ok(demand), Routed::Route(_, route)) => kind(demand, route),
            (Err(_), Routed::Route(..)) => Some(Kind::Unsupported),
            (Err(_), _) if self.terms.skips_refused => None,
            (Err(_), _) => Some(Kind::Unsupported),
            (Ok(_), Routed::NoMethod { .. }) => Some(Kind::MissingMethod),
            (Ok(_), Routed::NoPath | Routed::Ambiguous { .. }) => Some(Kind::MissingRoute),
        };
        let Some(kind) = found else { return };
        let route = match routed {
            Routed::Route(place, _) => Some(place),
            _ => None,
        };
        self.push(Difference {
            kind,
            method: Some(method.into()),
            path: template,
            specification: match demand {
                Ok(demand) => demand.shown(),
                Err(unsaid) => unsaid.message.clone(),
            },
            policy: shown(&routed),
            spot: operation.spot,
            route,
        });
    }

    /// The routes, and the methods of routes, that no operation has.
    fn unmet(&mut self) {
        for (place, route) in self.policy.routes().iter().enumerate() {
            let difference = |kind, method: Option<&String>| Difference {
                kind,
                method: method.cloned(),
                path: route.path.clone(),
                specification: "no such operation".into(),
                policy: access_shown(route),
                spot: Spot::NOWHERE,
                route: Some(place),
            };
            let is_met = self.met.contains(&place);
            if !is_met && route.methods.is_empty() {
                let found = difference(Kind::UnknownRoute, None);
                self.differences.push(found);
            }
            for method in &route.methods {
                let mut named = self.named.iter();
                if named.any(|(own, named)| *own == place && named == method) {
                    continue;
                }
                let kind = match is_met {
                    true => Kind::UnknownMethod,
                    false => Kind::UnknownRoute,
                };
                self.differences.push(difference(kind, Some(method)));
            }
        }
    }
}

/// How a demand and a route disagree.
fn kind(demand: &Demand, route: &Route) -> Option<Kind> {
    let own = access(route);
    match (demand, &own) {
        (Demand::Token { .. }, Demand::Public) => Some(Kind::PublicInPolicy),
        (Demand::Public, Demand::Token { .. }) => Some(Kind::PublicInSpecification),
        _ => (!demand.wants_the_same(&own)).then_some(Kind::Scopes),
    }
}

/// Whether nobody can pass: every token has an `iss`. `scopegate import` writes such routes.
fn refuses_all(route: &Route) -> bool {
    let Access::Protected(requirements) = &route.access else {
        return false;
    };
    let mut claims = requirements.claims.iter();
    claims.any(|rule| rule.claim == ["iss"] && rule.test == ClaimTest::Exists(false))
}

/// What a route demands, in the words of operations.
fn access(route: &Route) -> Demand {
    match &route.access {
        Access::Public => Demand::Public,
        Access::Protected(requirements) => Demand::Token {
            schemes: Vec::new(),
            scopes: requirements.scopes.clone(),
        },
    }
}

fn access_shown(route: &Route) -> String {
    match refuses_all(route) {
        true => "a route that nobody passes".into(),
        false => access(route).shown(),
    }
}

fn shown(routed: &Routed<'_>) -> String {
    match routed {
        Routed::Route(_, route) => access_shown(route),
        Routed::NoPath => "no route, so it is refused".into(),
        Routed::NoMethod { pattern } => {
            format!(
                "`{}` has no route for the method, so it is refused",
                pattern.escape_debug()
            )
        }
        Routed::Ambiguous { .. } => "an ambiguous path, so it is refused".into(),
    }
}
