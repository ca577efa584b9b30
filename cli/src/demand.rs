//! Who may pass, in a form in which two demands can be compared, also those of two policies.
//!
//! Everything here errs on one side: that one demand is within another is only said where it holds for every token there can be.

use std::collections::{BTreeMap, BTreeSet};

use scopegate_core::Policy;
use scopegate_core::outline::{
    Access, ClaimRule, ClaimTest, Issuer, Mode, Requirements, Route, ScopeDemand,
};
use serde_json::Value;

/// Who may pass a route.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission<'p> {
    /// No request.
    Nobody,
    /// Whoever has a token like this.
    Holders(Demand<'p>),
    /// Every request.
    Everybody,
}

/// What a token must have. Issuers are told apart by their `iss`; their other settings are not in here.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand<'p> {
    /// By `iss` the audiences, of which the token must name one.
    pub issuers: BTreeMap<&'p str, BTreeSet<&'p str>>,
    /// The scopes.
    pub scopes: &'p ScopeDemand,
    /// Rules that must all hold.
    pub claims: &'p [ClaimRule],
}

impl<'p> Admission<'p> {
    /// Who may pass this route of the policy. In shadow mode everybody does.
    pub fn of(policy: &'p Policy, route: &'p Route) -> Self {
        if mode_of(policy, route) == Mode::Shadow {
            return Self::Everybody;
        }
        match &route.access {
            Access::Public => Self::Everybody,
            Access::Protected(wanted) => Self::Holders(Demand::of(policy, wanted)),
        }
    }

    /// Who may pass where no route decides.
    pub fn without_route(policy: &Policy) -> Self {
        match policy.mode() {
            Mode::Enforce => Self::Nobody,
            Mode::Shadow => Self::Everybody,
        }
    }

    /// Whether everybody who may pass here may also pass there.
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nobody, _) | (_, Self::Everybody) => true,
            (_, Self::Nobody) | (Self::Everybody, _) => false,
            (Self::Holders(demand), Self::Holders(other)) => demand.is_within(other),
        }
    }
}

/// The mode of a route: its own, or the policy's.
pub fn mode_of(policy: &Policy, route: &Route) -> Mode {
    route.mode.unwrap_or(policy.mode())
}

impl<'p> Demand<'p> {
    /// What the policy wants on a route.
    pub fn of(policy: &'p Policy, wanted: &'p Requirements) -> Self {
        let taken = policy.issuer_ids().zip(policy.issuers());
        let taken = taken.filter(|(id, _)| match &wanted.issuers {
            None => true,
            Some(ids) => ids.contains(id),
        });
        let issuers = taken.map(|(_, issuer)| (issuer.issuer.as_str(), audiences(issuer, wanted)));
        Self {
            issuers: issuers.collect(),
            scopes: &wanted.scopes,
            claims: &wanted.claims,
        }
    }

    /// Whether every token that meets this one meets the other.
    pub fn is_within(&self, other: &Self) -> bool {
        let mut issuers = self.issuers.iter();
        issuers.all(|(issuer, audiences)| {
            let others = other.issuers.get(issuer);
            others.is_some_and(|others| audiences.is_subset(others))
        }) && are_scopes_within(self.scopes, other.scopes)
            && other
                .claims
                .iter()
                .all(|rule| self.claims.iter().any(|own| implies(own, rule)))
    }
}

fn audiences<'p>(issuer: &'p Issuer, wanted: &'p Requirements) -> BTreeSet<&'p str> {
    let audiences = wanted.audiences.as_ref().unwrap_or(&issuer.audiences);
    audiences.iter().map(String::as_str).collect()
}

/// Whether whoever has the scopes of the one has those of the other.
fn are_scopes_within(own: &ScopeDemand, other: &ScopeDemand) -> bool {
    match (own, other) {
        (_, ScopeDemand::None) => true,
        (ScopeDemand::None, _) => false,
        (ScopeDemand::All(own), ScopeDemand::All(other)) => {
            other.iter().all(|scope| own.contains(scope))
        }
        (ScopeDemand::All(own), ScopeDemand::Any(other)) => {
            other.iter().any(|scope| own.contains(scope))
        }
        (ScopeDemand::Any(own), ScopeDemand::Any(other)) => {
            own.iter().all(|scope| other.contains(scope))
        }
        // Each of them alone has to be all that is wanted.
        (ScopeDemand::Any(own), ScopeDemand::All(other)) => own
            .iter()
            .all(|scope| other.iter().all(|wanted| wanted == scope)),
    }
}

/// Whether a claim of which the one rule holds meets the other. Rules are looked at one by one: what only two of them together
/// say is not seen.
fn implies(own: &ClaimRule, other: &ClaimRule) -> bool {
    if own.claim == other.claim {
        return does_test_imply(&own.test, &other.test);
    }
    match &other.test {
        // What has something inside is there; and what is not there has nothing inside.
        ClaimTest::Exists(true) => {
            own.test != ClaimTest::Exists(false) && own.claim.starts_with(&other.claim)
        }
        ClaimTest::Exists(false) => {
            own.test == ClaimTest::Exists(false) && other.claim.starts_with(&own.claim)
        }
        _ => false,
    }
}

fn does_test_imply(own: &ClaimTest, other: &ClaimTest) -> bool {
    match (own, other) {
        (ClaimTest::Exists(own), ClaimTest::Exists(other)) => own == other,
        (_, ClaimTest::Exists(is_there)) => *is_there,
        (ClaimTest::Exists(_), _) => false,
        (ClaimTest::Contains(own), ClaimTest::Contains(other)) => is_same(own, other),
        (ClaimTest::Contains(_), _) | (_, ClaimTest::Contains(_)) => false,
        (own, other) => {
            let others = values(other);
            let is_among = |value: &Value| others.iter().any(|other| is_same(value, other));
            values(own).iter().all(is_among)
        }
    }
}

/// The values of which a claim must be one.
fn values(test: &ClaimTest) -> &[Value] {
    match test {
        ClaimTest::Equals(value) => std::slice::from_ref(value),
        ClaimTest::OneOf(values) => values,
        ClaimTest::Contains(_) | ClaimTest::Exists(_) => &[],
    }
}

/// Whether a claim equals both or neither. An integer may be written as a fraction (`1.0`).
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() != other.is_f64() => {
            one.as_f64() == other.as_f64()
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
