//! The routes of a policy and the scopes they want, as plain data.

use scopegate_core::Policy;
use scopegate_core::outline::{Access, Mode, Preflight, Route, ScopeDemand, TokenForwarding};
use serde::Serialize;

/// Routes × scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Matrix {
    /// The realm of the policy.
    pub(super) realm: String,
    /// The scopes that these routes name, in the order of their first place.
    pub(super) scopes: Vec<String>,
    /// In the order of the policy.
    pub(super) routes: Vec<Row>,
    /// What becomes of a request that no route takes.
    pub(super) unmatched: Unmatched,
    /// What becomes of a CORS preflight.
    pub(super) preflight: PreflightOutcome,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// The pattern, as the policy writes it.
    pub(super) path: String,
    /// Empty means any.
    pub(super) methods: Vec<String>,
    /// Who may pass.
    pub(super) access: Who,
    /// The scopes of which all, or any, are wanted.
    pub(super) scopes: Vec<String>,
    /// The names of the issuers whose tokens it takes; nothing where no token is wanted.
    pub(super) issuers: Vec<String>,
    /// Whether it names them itself.
    pub(super) own_issuers: bool,
    /// Its own audiences, instead of its issuers'.
    pub(super) audiences: Option<Vec<String>>,
    /// What must hold of the claims, in words.
    pub(super) claims: Vec<String>,
    /// Whether it decides and never refuses.
    pub(super) shadow: bool,
    /// Whether the upstream sees no `Authorization` header.
    pub(super) strips_token: bool,
}

/// Who may pass a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Who {
    /// Everyone.
    Public,
    /// Whoever has a valid token.
    Authenticated,
    /// Whoever has all of the scopes.
    AllOf,
    /// Whoever has one of the scopes.
    AnyOf,
}

/// How a route wants a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// With all others that it marks.
    All,
    /// Or another one that it marks.
    Any,
}

/// What becomes of a request that no route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unmatched {
    /// 403, or 400 for an ambiguous path.
    Refused,
    /// It passes and is counted, since the policy is in shadow mode.
    Passes,
}

/// What becomes of a CORS preflight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PreflightOutcome {
    /// It passes without a token where a route takes the requested method.
    Passes,
    /// It is decided like any request.
    Decided,
}

impl Matrix {
    /// That of a policy.
    pub(super) fn of(policy: &Policy) -> Self {
        let routes = policy.routes().iter().map(|route| row(policy, route));
        let routes: Vec<Row> = routes.collect();
        Self {
            realm: policy.realm().to_owned(),
            scopes: named(&routes),
            routes,
            unmatched: match policy.mode() {
                Mode::Enforce => Unmatched::Refused,
                Mode::Shadow => Unmatched::Passes,
            },
            preflight: match policy.preflight() {
                Preflight::Pass => PreflightOutcome::Passes,
                Preflight::Refuse => PreflightOutcome::Decided,
            },
        }
    }

    /// With the routes alone that a token with exactly these scopes could pass.
    #[must_use]
    pub(super) fn passable(mut self, held: &[String]) -> Self {
        self.routes.retain(|row| row.lets_pass(held));
        self.scopes = named(&self.routes);
        self
    }
}

impl Row {
    /// How it wants that scope.
    pub(super) fn mark(&self, scope: &str) -> Option<Mark> {
        if !self.scopes.iter().any(|wanted| wanted == scope) {
            return None;
        }
        match self.access {
            Who::Public | Who::Authenticated => None,
            Who::AllOf => Some(Mark::All),
            Who::AnyOf => Some(Mark::Any),
        }
    }

    /// Whether a token with these scopes could pass: issuer, audience and claims may still refuse it.
    fn lets_pass(&self, held: &[String]) -> bool {
        let mut wanted = self.scopes.iter();
        match self.access {
            Who::Public | Who::Authenticated => true,
            Who::AllOf => self.shadow || wanted.all(|scope| held.contains(scope)),
            Who::AnyOf => self.shadow || wanted.any(|scope| held.contains(scope)),
        }
    }
}

fn row(policy: &Policy, route: &Route) -> Row {
    let mut row = Row {
        path: route.path.clone(),
        methods: route.methods.clone(),
        access: Who::Public,
        scopes: Vec::new(),
        issuers: Vec::new(),
        own_issuers: false,
        audiences: None,
        claims: Vec::new(),
        shadow: route.mode.unwrap_or(policy.mode()) == Mode::Shadow,
        // A public route hands on what nobody has checked only if it says so.
        strips_token: route.token.unwrap_or(TokenForwarding::Strip) == TokenForwarding::Strip,
    };
    let Access::Protected(wanted) = &route.access else {
        return row;
    };
    row.strips_token = route.token.unwrap_or(policy.token()) == TokenForwarding::Strip;
    (row.access, row.scopes) = match &wanted.scopes {
        ScopeDemand::None => (Who::Authenticated, Vec::new()),
        ScopeDemand::All(scopes) => (Who::AllOf, scopes.clone()),
        ScopeDemand::Any(scopes) => (Who::AnyOf, scopes.clone()),
    };
    row.own_issuers = wanted.issuers.is_some();
    row.issuers = match &wanted.issuers {
        None => policy.issuer_names().map(str::to_owned).collect(),
        Some(own) => {
            let own = own.iter();
            own.map(|id| policy.issuer_name(*id).to_owned()).collect()
        }
    };
    row.audiences = wanted.audiences.clone();
    row.claims = wanted.claims.iter().map(ToString::to_string).collect();
    row
}

/// Each scope once.
fn named(routes: &[Row]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let all = routes.iter().flat_map(|row| &row.scopes);
    let new = all.filter(|scope| seen.insert(scope.as_str()));
    new.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "
version: 1
realm: test
token: strip
issuers:
  one: { issuer: 'https://one/', audiences: [api], jwks_uri: 'https://one/keys' }
  two: { issuer: 'https://two/', audiences: [api], jwks_uri: 'https://two/keys' }
routes:
  - { path: /health, public: true }
  - { path: /open, public: true, token: keep }
  - { path: /me, authenticated: true, token: keep }
  - { path: /b, methods: [GET, POST], scopes: [b, a] }
  - { path: /a, scopes: { any: [a, c] }, issuers: [two], audiences: [other] }
  - { path: /new, scopes: [d], mode: shadow, claims: [{ claim: org, exists: true }] }
";

    fn matrix() -> Matrix {
        Matrix::of(&Policy::parse(POLICY).unwrap())
    }

    fn paths(matrix: &Matrix) -> Vec<&str> {
        matrix.routes.iter().map(|row| row.path.as_str()).collect()
    }

    #[test]
    fn scopes_stand_in_the_order_of_their_first_place() {
        assert_eq!(matrix().scopes, ["b", "a", "c", "d"]);
    }

    #[test]
    fn a_route_says_who_passes_and_what_the_upstream_sees() {
        let matrix = matrix();
        let all = matrix.routes.iter();
        let seen: Vec<_> = all
            .map(|row| (row.access, row.strips_token, row.shadow))
            .collect();
        assert_eq!(
            seen,
            [
                (Who::Public, true, false),
                (Who::Public, false, false),
                (Who::Authenticated, false, false),
                (Who::AllOf, true, false),
                (Who::AnyOf, true, false),
                (Who::AllOf, true, true),
            ]
        );
        assert_eq!(matrix.routes[0].issuers, [""; 0]);
        assert_eq!(matrix.routes[2].issuers, ["one", "two"]);
        assert_eq!(matrix.routes[4].issuers, ["two"]);
        assert_eq!(matrix.routes[4].audiences, Some(vec!["other".to_owned()]));
        assert_eq!(matrix.routes[5].claims, ["org is there"]);
        assert_eq!(matrix.unmatched, Unmatched::Refused);
    }

    #[test]
    fn a_mark_tells_all_from_any() {
        let matrix = matrix();
        let marks = |route: usize| {
            let scopes = matrix.scopes.iter();
            let marks: Vec<_> = scopes
                .map(|scope| matrix.routes[route].mark(scope))
                .collect();
            marks
        };
        assert_eq!(marks(2), [None; 4]);
        assert_eq!(marks(3), [Some(Mark::All), Some(Mark::All), None, None]);
        assert_eq!(marks(4), [None, Some(Mark::Any), Some(Mark::Any), None]);
    }

    #[test]
    fn a_token_passes_where_its_scopes_suffice_and_where_nothing_is_refused() {
        let free = ["/health", "/open", "/me"];
        for (held, more) in [
            (vec![], vec!["/new"]),
            (vec!["b"], vec!["/new"]),
            (vec!["c"], vec!["/a", "/new"]),
            (vec!["a", "b"], vec!["/b", "/a", "/new"]),
        ] {
            let held: Vec<String> = held.into_iter().map(str::to_owned).collect();
            let found = matrix().passable(&held);
            assert_eq!(paths(&found), [&free[..], &more].concat(), "{held:?}");
        }
        let found = matrix().passable(&["c".to_owned()]);
        assert_eq!(found.scopes, ["a", "c", "d"]);
    }
}
