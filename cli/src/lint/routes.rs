//! Routes that let in whom their neighbours keep out, and routes that decide about nothing.

use std::collections::{BTreeMap, BTreeSet};

use scopegate_core::outline::{Access, Pattern, Route, ScopeDemand};

use super::{Subject, warning};
use crate::demand::Admission;
use crate::diagnostic::Diagnostic;
use crate::pattern_tree::PatternTree;
use crate::place::{self, Place, Step};

pub(super) fn look(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let tree = PatternTree::of(subject.policy);
    for (pattern, routes) in tree.patterns() {
        if tree.is_unreachable(pattern) {
            found.extend(routes.iter().map(|place| unreachable(subject, *place)));
        }
        neighbours(subject, &tree, pattern, routes, found);
    }
    scopes_alike(subject, found);
}

fn unreachable(subject: &Subject<'_>, route: usize) -> Diagnostic {
    warning(
        "route-unreachable",
        place::of_route(subject.places, route),
        "no path ever reaches this route: for each there is a more specific one",
        "remove it, or one of the more specific ones",
    )
}

/// A route beside one with a broader pattern that asks for less. What lies next to it passes there.
fn neighbours(
    subject: &Subject<'_>,
    tree: &PatternTree,
    pattern: &Pattern,
    routes: &[usize],
    found: &mut Vec<Diagnostic>,
) {
    let policy = subject.policy;
    let broader: Vec<&[usize]> = tree.covering(pattern).collect();
    for place in routes {
        let Some(route) = policy.routes().get(*place) else {
            continue;
        };
        let Access::Protected(_) = route.access else {
            continue;
        };
        let own = Admission::of(policy, route);
        let others = broader.iter().copied().flatten();
        let others = others.filter_map(|other| Some((*other, policy.routes().get(*other)?)));
        let weaker = |(_, other): &(usize, &Route)| {
            let admission = Admission::of(policy, other);
            shares_method(route, other) && own.is_within(&admission) && !admission.is_within(&own)
        };
        let Some((other_place, other)) = others.clone().find(weaker) else {
            continue;
        };
        let related = (
            place::of_route(subject.places, other_place),
            "the broader route".to_owned(),
        );
        let mut warning = match other.access {
            Access::Public => warning(
                "public-covers-protected",
                place::of_route(subject.places, *place),
                format!(
                    "`{}` is public: everything beside and below `{}` that has no route of its own is too",
                    other.path, route.path
                ),
                "name what is public path by path, so that what nobody thought of is refused",
            ),
            Access::Protected(_) => warning(
                "weaker-neighbour",
                place::of_route(subject.places, *place),
                format!(
                    "`{}` asks for less than `{}`, and takes every path beside it: another name for the same thing would pass there",
                    other.path, route.path
                ),
                "let the broader route ask for at least as much, or give this one a place of its own",
            ),
        };
        warning.related.push(related);
        found.push(warning);
    }
}

/// Whether there is a method that both routes name, or that one names and the other takes as any.
fn shares_method(one: &Route, other: &Route) -> bool {
    one.methods.is_empty()
        || other.methods.is_empty()
        || one
            .methods
            .iter()
            .any(|method| other.methods.contains(method))
}

/// Scopes that differ in case or in their signs alone: one of the two is most likely a slip, and no token has it.
fn scopes_alike(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let mut spellings: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for (place, route) in subject.policy.routes().iter().enumerate() {
        for scope in scopes(route) {
            let letters = scope.chars().filter(|sign| sign.is_alphanumeric());
            let likeness = letters.collect::<String>().to_lowercase();
            let known = spellings.entry(likeness).or_default();
            known.entry(scope).or_insert(place);
        }
    }
    for alike in spellings.values().filter(|alike| alike.len() > 1) {
        let mut in_order: Vec<(&str, usize)> =
            alike.iter().map(|(s, place)| (*s, *place)).collect();
        in_order.sort_by_key(|(_, place)| *place);
        let Some(((first, first_place), others)) = in_order.split_first() else {
            continue;
        };
        for (scope, place) in others {
            let mut warning = warning(
                "scopes-alike",
                scope_place(subject, *place, scope),
                format!("`{scope}` and `{first}` are two scopes, and look like one"),
                "write the scope as the issuer grants it, in the same way everywhere",
            );
            let other = scope_place(subject, *first_place, first);
            warning.related.push((other, "the other one".to_owned()));
            found.push(warning);
        }
    }
}

fn scopes(route: &Route) -> BTreeSet<&str> {
    let Access::Protected(wanted) = &route.access else {
        return BTreeSet::new();
    };
    match &wanted.scopes {
        ScopeDemand::None => BTreeSet::new(),
        ScopeDemand::All(scopes) | ScopeDemand::Any(scopes) => {
            scopes.iter().map(String::as_str).collect()
        }
    }
}

fn scope_place(subject: &Subject<'_>, route: usize, scope: &str) -> Place {
    let scopes = [
        Step::Value("routes"),
        Step::Item(route),
        Step::Value("scopes"),
    ];
    let any = [scopes.as_slice(), &[Step::Value("any")]].concat();
    match subject.places.has(&any) {
        true => subject.places.item(&any, scope),
        false => subject.places.item(&scopes, scope),
    }
}
