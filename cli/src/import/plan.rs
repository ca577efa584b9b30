//! What becomes of each operation: a route, or a reason why there is none.

use std::collections::BTreeMap;

use scopegate_core::outline::{Pattern, ScopeDemand};

use super::probe;
use scopegate_openapi::{
    Demand, Issuers, Leniency, Operation, Specification, Spot, Unsaid, demand, joined, pattern_text,
};

/// An operation at one of the places where it is served.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    In(Route),
    Out(LeftOut),
}

/// An operation that the policy says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) method: &'static str,
    /// As the policy writes it.
    pub(super) path: String,
    pub(super) pattern: Pattern,
    pub(super) demand: Demand,
    pub(super) spot: Spot,
}

/// An operation that it does not say, or all of an unknown path item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LeftOut {
    /// Any that there may be, where it is not known.
    pub(super) method: Option<&'static str>,
    /// With what its server puts before it, as far as that is known.
    pub(super) path: String,
    pub(super) spot: Spot,
    pub(super) unsaid: Unsaid,
    /// What it demands, where only its path cannot be said.
    pub(super) demand: Option<Demand>,
    /// A pattern that has to be in the policy so that no broader one takes its requests.
    pub(super) guard: Option<(String, Pattern)>,
}

impl Target {
    pub(super) fn left_out(&self) -> Option<&LeftOut> {
        match self {
            Self::In(_) => None,
            Self::Out(out) => Some(out),
        }
    }

    /// Leaves a route out.
    pub(super) fn leave_out(&mut self, unsaid: Unsaid) {
        if let Self::In(route) = self {
            *self = Self::Out(LeftOut {
                method: Some(route.method),
                path: std::mem::take(&mut route.path),
                spot: route.spot,
                unsaid,
                demand: None,
                guard: None,
            });
        }
    }
}

impl LeftOut {
    /// Method and path, for people.
    pub(super) fn shown(&self) -> String {
        let path = self.path.escape_debug();
        match self.method {
            Some(method) => format!("{method} {path}"),
            None => format!("every method of {path}"),
        }
    }
}

/// What `--base-path` says.
pub(crate) fn base_path(path: &str) -> anyhow::Result<String> {
    match pattern_text(path) {
        Ok((text, pattern)) if !pattern.has_parameters() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        Ok(_) => anyhow::bail!("--base-path {path}: it has parameters; write it without `{{…}}`"),
        Err(unsaid) => anyhow::bail!("--base-path {path}: {}", unsaid.message),
    }
}

/// What becomes of the operations, in the order of the document.
pub(super) fn targets(
    specification: &Specification,
    base_path: Option<&str>,
    issuers: &Issuers,
    leniency: Leniency,
) -> Vec<Target> {
    let mut scopes = BTreeMap::new();
    let mut targets = Vec::new();
    for operation in &specification.operations {
        let base_paths = match (base_path, &operation.base_paths) {
            (Some(path), _) => vec![path.to_owned()],
            (None, Ok(paths)) => paths.clone(),
            (None, Err(why)) => {
                targets.push(Target::Out(LeftOut {
                    method: Some(operation.method),
                    path: operation.template.clone(),
                    spot: operation.spot,
                    unsaid: Unsaid::new("base-path", why.message()),
                    demand: None,
                    guard: None,
                }));
                continue;
            }
        };
        let demand = demand(operation, specification, issuers, leniency)
            .and_then(|demand| checked(demand, &mut scopes));
        for base_path in base_paths {
            let path = joined(&base_path, &operation.template);
            targets.push(target(operation, path, demand.clone()));
        }
    }
    for item in &specification.unresolved {
        let base_paths = match (base_path, &item.base_paths) {
            (Some(path), _) => vec![path.to_owned()],
            (None, Ok(paths)) => paths.clone(),
            (None, Err(_)) => vec![String::new()],
        };
        targets.extend(base_paths.iter().map(|base_path| {
            Target::Out(LeftOut {
                method: None,
                path: joined(base_path, &item.template),
                spot: item.spot,
                unsaid: Unsaid::new("unresolved-reference", item.why.message()),
                demand: None,
                guard: None,
            })
        }));
    }
    refuse_conflicts(&mut targets);
    targets
}

fn target(operation: &Operation, path: String, demand: Result<Demand, Unsaid>) -> Target {
    let (method, spot) = (operation.method, operation.spot);
    match (pattern_text(&path), demand) {
        (Ok((path, pattern)), Ok(demand)) => Target::In(Route {
            method,
            path,
            pattern,
            demand,
            spot,
        }),
        (Err(unsaid), demand) => Target::Out(LeftOut {
            method: Some(method),
            path,
            spot,
            unsaid,
            demand: demand.ok(),
            guard: None,
        }),
        (Ok(_), Err(unsaid)) => Target::Out(LeftOut {
            method: Some(method),
            path,
            spot,
            unsaid,
            demand: None,
            guard: None,
        }),
    }
}

/// A demand whose scopes the core takes.
fn checked(demand: Demand, known: &mut BTreeMap<String, Option<String>>) -> Result<Demand, Unsaid> {
    let scopes = match &demand {
        Demand::Token {
            scopes: ScopeDemand::All(scopes) | ScopeDemand::Any(scopes),
            ..
        } => scopes.as_slice(),
        _ => &[],
    };
    for scope in scopes {
        let complaint = known
            .entry(scope.clone())
            .or_insert_with(|| probe::scope(scope));
        if let Some(complaint) = complaint {
            let message = format!("the scope `{}`: {complaint}", scope.escape_debug());
            return Err(Unsaid::new("scope", message));
        }
    }
    Ok(demand)
}

/// Of operations with the same pattern and method, one stays where they demand the same, and none where they do not: which one is meant
/// cannot be told.
fn refuse_conflicts(targets: &mut Vec<Target>) {
    let mut first: BTreeMap<(Pattern, &'static str), (usize, bool)> = BTreeMap::new();
    let mut doubles = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        // One whose path can be said counts, whether its demand can or not.
        let (key, demand) = match target {
            Target::In(route) => ((route.pattern.clone(), route.method), Some(&route.demand)),
            Target::Out(out) => match (pattern_text(&out.path), out.method) {
                (Ok((_, pattern)), Some(method)) => ((pattern, method), None),
                _ => continue,
            },
        };
        let Some((earlier, conflicts)) = first.get_mut(&key) else {
            first.insert(key, (place, false));
            continue;
        };
        let same = match (targets.get(*earlier), demand) {
            (Some(Target::In(route)), Some(demand)) => route.demand.is_same(demand),
            _ => false,
        };
        *conflicts |= !same;
        doubles.push((place, key));
    }
    let conflicts = |key: &(Pattern, &'static str)| {
        let found = first.get(key);
        found.is_some_and(|(_, conflicts)| *conflicts)
    };
    let unsaid = || {
        let message = "another operation has the same method and path, but for the names of parameters, and demands something else";
        Unsaid::new("conflict", message)
    };
    let (conflicting, repeated): (Vec<_>, Vec<_>) =
        doubles.into_iter().partition(|(_, key)| conflicts(key));
    let earlier = first.values();
    let earlier = earlier.filter_map(|(place, conflicts)| conflicts.then_some(*place));
    let later = conflicting.iter().map(|(place, _)| *place);
    for place in earlier.chain(later) {
        if let Some(target) = targets.get_mut(place) {
            target.leave_out(unsaid());
        }
    }
    for (place, _) in repeated.into_iter().rev() {
        if place < targets.len() {
            targets.remove(place);
        }
    }
}
