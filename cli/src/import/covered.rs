//! That what is left out is refused. A path that no route names may still fall under a broader pattern, and HEAD under the route of GET: the policy
//! is asked about every operation that is left out, and mended until it refuses them all.

use std::collections::BTreeSet;

use scopegate_core::Policy;
use scopegate_core::outline::{Pattern, Routed};

use super::plan::{LeftOut, Target};
use super::policy_text::{Head, Origin, Written, written};
use scopegate_openapi::{Unsaid, Witness, pattern_text};

/// A policy, and what became of the operations.
pub(super) struct Settled {
    pub(super) text: String,
    pub(super) targets: Vec<Target>,
}

/// The policy for these operations.
///
/// # Errors
/// The core does not take it, for instance because it is too large.
pub(super) fn settled(head: &Head, mut targets: Vec<Target>) -> anyhow::Result<Settled> {
    let paths = targets.iter().map(|target| match target {
        Target::In(route) => route.path.as_str(),
        Target::Out(out) => out.path.as_str(),
    });
    let witness = Witness::foreign_to(paths);
    loop {
        let Written { text, origins } = written(head, &targets);
        let policy = Policy::parse(&text).map_err(|invalid| {
            let first = invalid.problems.first();
            let first = first.map(|problem| {
                let place = (problem.line, problem.column);
                format!(
                    "line {}, column {}: {}; {}",
                    place.0,
                    place.1,
                    problem.message(),
                    problem.remedy()
                )
            });
            anyhow::anyhow!(
                "the policy that was made of this document is none, so it is not written; {}",
                first.unwrap_or_default()
            )
        })?;
        let mends = mends(&policy, &origins, &targets, &witness, head.has_issuers());
        if mends.is_empty() {
            return Ok(Settled { text, targets });
        }
        // Each mend puts a guard where there was none or leaves out a route that was in, so that this ends.
        for mend in mends {
            apply(mend, &mut targets);
        }
    }
}

/// What makes the policy refuse something that is left out.
enum Mend {
    /// A route of its own for that place, which nobody passes.
    Guard(usize, (String, Pattern)),
    /// That place is left out as well.
    LeaveOut(usize, Unsaid),
}

fn apply(mend: Mend, targets: &mut [Target]) {
    match mend {
        Mend::Guard(place, guard) => {
            if let Some(Target::Out(out)) = targets.get_mut(place) {
                out.guard = Some(guard);
            }
        }
        Mend::LeaveOut(place, unsaid) => {
            if let Some(target) = targets.get_mut(place) {
                target.leave_out(unsaid);
            }
        }
    }
}

fn mends(
    policy: &Policy,
    origins: &[Origin],
    targets: &[Target],
    witness: &Witness,
    has_issuers: bool,
) -> Vec<Mend> {
    let mut mends = Vec::new();
    let mut guarded = BTreeSet::new();
    for (place, target) in targets.iter().enumerate() {
        let Some(out) = target.left_out() else {
            continue;
        };
        let path = witness.path(&out.path);
        let methods = METHODS
            .into_iter()
            .filter(|method| out.method.is_none_or(|own| own == *method));
        for method in methods {
            if method == "OPTIONS" && passes_preflight(policy, &path) {
                mends.extend(mend_preflight(
                    policy,
                    origins,
                    place,
                    out,
                    &path,
                    has_issuers,
                ));
                continue;
            }
            let Routed::Route(route, _) = policy.route_for(method.as_bytes(), path.as_bytes())
            else {
                continue;
            };
            let Some(Origin::Operations(takers)) = origins.get(route) else {
                continue;
            };
            for mend in mend(place, out, method, takers, targets, has_issuers) {
                // One guard is enough for all methods of a path.
                let known = match &mend {
                    Mend::Guard(_, (_, pattern)) => guarded.contains(pattern),
                    Mend::LeaveOut(..) => false,
                };
                if let (Mend::Guard(_, (_, pattern)), false) = (&mend, known) {
                    guarded.insert(pattern.clone());
                }
                if !known {
                    mends.push(mend);
                }
            }
        }
    }
    mends
}

/// The methods that an OpenAPI document can name.
const METHODS: [&str; 8] = [
    "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE",
];

/// Whether a CORS preflight passes there without a token: some method has a route, and none names OPTIONS.
fn passes_preflight(policy: &Policy, path: &str) -> bool {
    let route = |method: &str| match policy.route_for(method.as_bytes(), path.as_bytes()) {
        Routed::Route(_, route) => Some(route),
        Routed::NoPath | Routed::NoMethod { .. } | Routed::Ambiguous { .. } => None,
    };
    let names_options = |methods: &[String]| methods.iter().any(|method| method == "OPTIONS");
    METHODS.into_iter().any(|method| route(method).is_some())
        && !route("OPTIONS").is_some_and(|route| names_options(&route.methods))
}

/// How preflights are kept from an OPTIONS that is left out.
fn mend_preflight(
    policy: &Policy,
    origins: &[Origin],
    place: usize,
    out: &LeftOut,
    path: &str,
    has_issuers: bool,
) -> Vec<Mend> {
    if let (Ok(guard), true, None) = (pattern_text(&out.path), has_issuers, &out.guard) {
        return vec![Mend::Guard(place, guard)];
    }
    // Nobody has tokens, or the path cannot be said: nothing is served there.
    let routed = METHODS.into_iter().filter_map(|method| {
        match policy.route_for(method.as_bytes(), path.as_bytes()) {
            Routed::Route(route, _) => origins.get(route),
            Routed::NoPath | Routed::NoMethod { .. } | Routed::Ambiguous { .. } => None,
        }
    });
    let takers = routed.flat_map(|origin| match origin {
        Origin::Operations(takers) => takers.as_slice(),
        Origin::Guard => &[],
    });
    let takers: BTreeSet<usize> = takers.copied().collect();
    let unsaid = || {
        let message = format!(
            "a preflight there would be taken for {}, which is left out",
            out.shown()
        );
        Unsaid::new("covers-left-out", message)
    };
    takers
        .into_iter()
        .map(|taker| Mend::LeaveOut(taker, unsaid()))
        .collect()
}

/// How requests of something left out are kept from a route that would take them.
fn mend(
    place: usize,
    out: &LeftOut,
    method: &str,
    takers: &[usize],
    targets: &[Target],
    has_issuers: bool,
) -> Vec<Mend> {
    let routes = takers.iter().filter_map(|place| match targets.get(*place) {
        Some(Target::In(route)) => Some((*place, route)),
        _ => None,
    });
    // The route of a GET takes HEAD.
    let takes = |own: &str| own == method || (method == "HEAD" && own == "GET");
    let taking: Vec<_> = routes.filter(|(_, route)| takes(route.method)).collect();
    let says_the_same = taking.iter().all(|(_, route)| {
        let own = out.demand.as_ref();
        own.is_some_and(|own| own.is_same(&route.demand))
    });
    if says_the_same {
        return Vec::new();
    }
    let own = pattern_text(&out.path).ok();
    let own = own.filter(|(_, own)| taking.iter().all(|(_, route)| route.pattern != *own));
    match own {
        Some(guard) if has_issuers => vec![Mend::Guard(place, guard)],
        _ => {
            let unsaid = || {
                let message = format!(
                    "its route would take {} too, which is left out",
                    out.shown()
                );
                Unsaid::new("covers-left-out", message)
            };
            let taking = taking.iter();
            taking
                .map(|(place, _)| Mend::LeaveOut(*place, unsaid()))
                .collect()
        }
    }
}
