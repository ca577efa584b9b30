//! The decision: one pure function from a request to what the host shall do.

mod stop;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::claims::{Claims, NumericDate};
use crate::credential::{Credential, InvalidCredential};
use crate::decision::{Allow, Decision, Facts, in_one_line};
use crate::identity::{
    IdentityHeaders, IdentityValues, UnforwardableClaim, credential_fields, identity_fields,
    override_fields,
};
use crate::keys::{KeyCache, KeyRequest, Lookup, SignedBy};
use crate::path::{AmbiguousPath, CanonicalPath};
use crate::policy::{
    Access, Issuer, IssuerId, Mode, Policy, Preflight, Requirements, Route, TokenForwarding,
};
use crate::reason::Reason;
use crate::request::Request;
use crate::requirements::{
    check_audience, check_time, check_type, check_validity, missing_scopes, refusing_rule,
};
use crate::route::Match;
use crate::time::Timestamp;
use crate::token::UnverifiedToken;
use crate::token_cache::{CacheUse, Entry, TokenCache};
use crate::verify::{self, Verified, Verifier};
pub(crate) use stop::Stop;

/// What happens to a request that is allowed: fields to set and to remove, and keys to fetch behind it.
#[derive(Default)]
struct Pass<'p, 'r> {
    set: IdentityHeaders<'p>,
    strip: Vec<&'r [u8]>,
    fetch: Option<KeyRequest>,
}

/// What a verified token brings: identity headers, and whether its issuer's keys are due.
struct Admitted<'p> {
    set: IdentityHeaders<'p>,
    fetch: Option<KeyRequest>,
}

/// Decides about one request, in this order:
///
/// 1. the path in canonical form, or refuse; 2. the route for it and the method, or refuse;
/// 3. a public route or a true preflight passes; 4. one bearer credential, or refuse;
/// 5. a token verified before goes on at 9; 6. the token's form, its algorithm, no `crit`;
/// 7. its issuer, one that the route takes, and what can be refused before keys are asked for: type,
///    time, audience; 8. the key, or what to fetch, and the signature; 9. (for 5) time and audience again,
///    then the claim rules; 10. scopes; 11. pass, with the identity headers of the token.
///
/// Of 9 and 10 a token that comes to the route that it met last is only asked for its time.
///
/// Whatever the way out, the client's own identity headers are taken away.
///
/// `keys` belong to `policy`, or nothing that needs them passes; `verifier` checks signatures; `now` is the host's wall clock.
/// Nothing is fetched: the answer may be [`Decision::NeedKeys`], never twice for one URL at one `now`.
pub fn decide<'p, 'r>(
    policy: &'p Policy,
    request: &Request<'r>,
    keys: &KeyCache,
    tokens: &mut TokenCache,
    verifier: &dyn Verifier,
    now: Timestamp,
) -> Decision<'p, 'r> {
    let mut facts = Facts::default();
    let mut mode = policy.mode;
    let mut gate = Gate {
        policy,
        keys,
        tokens,
        verifier,
        now,
        facts: &mut facts,
    };
    let verdict = match find_route(policy, request, gate.facts) {
        Ok(Found::Preflight) => Ok(pass_preflight(policy, request)),
        Ok(Found::Route(route)) => {
            mode = route.mode.unwrap_or(policy.mode);
            gate.judge(route, request)
        }
        Err(stop) => Err(stop),
    };
    match verdict {
        Ok(pass) => Decision::Allow(Allow {
            set: pass.set,
            strip: pass.strip,
            shadowed: None,
            fetch: pass.fetch,
            facts,
        }),
        Err(stop) => match mode {
            Mode::Enforce => stop.refuse(facts),
            Mode::Shadow => Decision::Allow(stop.shadow(policy, request, facts)),
        },
    }
}

/// Which rule of the policy a request falls under.
pub(crate) enum Found<'p> {
    /// This route.
    Route(&'p Route),
    /// A CORS preflight: the browser asks first, without a credential.
    Preflight,
}

/// Steps 1 to 3, but for what a public route is.
pub(crate) fn find_route<'p>(
    policy: &'p Policy,
    request: &Request<'_>,
    facts: &mut Facts<'p>,
) -> Result<Found<'p>, Stop<'p>> {
    if request.method() == b"CONNECT" {
        return Err(Stop::Refuse(Reason::ConnectRefused));
    }
    let raw = request.path().ok_or(Stop::Refuse(Reason::PathMissing))?;
    let mut path = CanonicalPath::root();
    if let Err(AmbiguousPath) = path.read(raw) {
        return Err(Stop::Refuse(Reason::PathAmbiguous));
    }
    let found = policy.routes.find(&path, request.method());
    let names_options = || {
        matches!(
            &found,
            Match::Route(route) if route.methods.iter().any(|method| method == "OPTIONS")
        )
    };
    if policy.preflight == Preflight::Pass
        && let Some(requested) = request.preflight_method()
        && !names_options()
        && let Match::Route(route) = policy.routes.find(&path, requested)
    {
        facts.route = Some(&route.path);
        return Ok(Found::Preflight);
    }
    match found {
        Match::Route(route) => {
            facts.route = Some(&route.path);
            Ok(Found::Route(route))
        }
        Match::NoPath => Err(Stop::Refuse(Reason::RouteUnmatched)),
        Match::NoMethod { pattern } => {
            facts.route = Some(pattern);
            Err(Stop::Refuse(Reason::MethodUnmatched))
        }
        Match::AmbiguousPath { pattern } => {
            facts.route = pattern;
            Err(Stop::Refuse(Reason::PathAmbiguous))
        }
    }
}

fn pass_preflight<'p, 'r>(policy: &Policy, request: &Request<'r>) -> Pass<'p, 'r> {
    let mut strip = identity_fields(policy, request.names());
    strip.extend(credential_fields(request));
    strip.extend(override_fields(request));
    Pass {
        strip,
        ..Pass::default()
    }
}

/// What a decision reads, and what it notes on its way.
struct Gate<'p, 'g> {
    policy: &'p Policy,
    keys: &'g KeyCache,
    tokens: &'g mut TokenCache,
    verifier: &'g dyn Verifier,
    now: Timestamp,
    facts: &'g mut Facts<'p>,
}

impl<'p> Gate<'p, '_> {
    /// From a route to its answer.
    fn judge<'r>(
        &mut self,
        route: &'p Route,
        request: &Request<'r>,
    ) -> Result<Pass<'p, 'r>, Stop<'p>> {
        let mut pass = Pass {
            strip: identity_fields(self.policy, request.names()),
            ..Pass::default()
        };
        let forwarding = match &route.access {
            Access::Public => route.token.unwrap_or(TokenForwarding::Strip),
            Access::Protected(wanted) => {
                let admitted = self.admit(&Credential::of(request)?, route, wanted)?;
                pass.set = admitted.set;
                pass.fetch = admitted.fetch;
                route.token.unwrap_or(self.policy.token)
            }
        };
        if forwarding == TokenForwarding::Strip {
            pass.strip.extend(credential_fields(request));
        }
        Ok(pass)
    }

    /// A token that has all that the route wants.
    fn admit(
        &mut self,
        credential: &Credential<'_>,
        route: &'p Route,
        wanted: &'p Requirements,
    ) -> Result<Admitted<'p>, Stop<'p>> {
        let (policy, keys, now) = (self.policy, self.keys, self.now);
        if !keys.belongs_to(policy) {
            return Err(Reason::HostFailure.into());
        }
        // Whatever equals a token that was verified is one: its octets need no second look.
        let text = credential.unchecked().unwrap_or_default();
        let token = self.tokens.key(text);
        let place = policy.routes.place_of(route);
        if let Some(entry) = self.tokens.find(token, policy, keys, now) {
            self.facts.token_cache = CacheUse::Hit;
            let issuer = accept(policy, entry.by.issuer, wanted, self.facts)?;
            check_time(&entry.claims, issuer, now)?;
            if place.is_some() && entry.met == place {
                note_subject(policy, &entry.claims, self.facts);
            } else {
                check_audience(&entry.claims, issuer, wanted)?;
                authorise(policy, issuer, &entry.claims, wanted, self.facts)?;
                entry.met = place;
            }
            return Ok(Admitted {
                set: identity(policy, entry, self.facts)?,
                fetch: keys.due_for(entry.by.issuer, now),
            });
        }
        let parsed = credential.token(&self.tokens.headers);
        if !matches!(parsed, Err(InvalidCredential::Credential(_))) {
            self.facts.token_cache = CacheUse::Miss;
        }
        let (issuer, mut entry) = self.verify(parsed?, wanted)?;
        let set = authorise(policy, issuer, &entry.claims, wanted, self.facts);
        let set = set.and_then(|()| {
            entry.met = place;
            identity(policy, &entry, self.facts)
        });
        let fetch = keys.due_for(entry.by.issuer, now);
        self.tokens.insert(token, entry);
        Ok(Admitted { set: set?, fetch })
    }

    /// A token seen for the first time: refused cheaply where that can be, then verified.
    fn verify(
        &mut self,
        parsed: UnverifiedToken<'_>,
        wanted: &Requirements,
    ) -> Result<(&'p Issuer, Entry), Stop<'p>> {
        let id = self
            .policy
            .issuer_of(parsed.claims.issuer())
            .ok_or(Reason::IssuerUnknown)?;
        let issuer = accept(self.policy, id, wanted, self.facts)?;
        if !issuer.algorithms.contains(&parsed.header.algorithm) {
            return Err(Reason::AlgorithmRefused.into());
        }
        check_type(parsed.header.typ(), &parsed.claims, issuer.token_type)?;
        check_validity(&parsed.claims, issuer, wanted, self.now)?;
        let kid = parsed.header.kid();
        let has_come = |date: &NumericDate| date.has_come(self.now, issuer.clock_skew);
        let issued = parsed.claims.issued_at.filter(has_come);
        let found = self
            .keys
            .find(id, kid, parsed.header.algorithm, issued, self.now);
        let key = match found {
            Lookup::Found(key) => key,
            Lookup::NoKeys(missing) => return Err(missing.into()),
            Lookup::UnknownKid(newer) => {
                self.facts.unknown_kid = true;
                let refused = Stop::Refuse(Reason::KidUnknown);
                return Err(newer.map_or(refused, Stop::from));
            }
            Lookup::Refused(reason) => return Err(reason.into()),
        };
        self.facts.kid.clone_from(&key.kid);
        let by = SignedBy {
            issuer: id,
            // The key's own: where the token has one, it is the same.
            kid: kid.and(key.kid.clone()),
            algorithm: parsed.header.algorithm,
            key: key.thumbprint,
        };
        let (text, header) = (parsed.header_text, Arc::clone(&parsed.header));
        let claims = verify::verify(self.verifier, &key.public, parsed)
            .map_err(|_| Reason::SignatureInvalid)?;
        self.tokens.headers.keep(text, header);
        let identity = IdentityValues::of(&self.policy.forward, &claims);
        let entry = Entry {
            by,
            claims,
            identity,
            met: None,
        };
        Ok((issuer, entry))
    }
}

/// The issuer of that id, if the route takes its tokens.
fn accept<'p>(
    policy: &'p Policy,
    id: IssuerId,
    wanted: &Requirements,
    facts: &mut Facts<'p>,
) -> Result<&'p Issuer, Reason> {
    let issuer = policy.issuer(id).ok_or(Reason::IssuerUnknown)?;
    facts.issuer = Some(&issuer.name);
    let taken = wanted.issuers.as_ref();
    match taken.is_none_or(|taken| taken.contains(&id)) {
        true => Ok(issuer),
        false => Err(Reason::IssuerRefused),
    }
}

/// What only a verified token is told: whether it meets the claim rules, then the scopes.
fn authorise<'p>(
    policy: &Policy,
    issuer: &Issuer,
    claims: &Verified<Claims>,
    wanted: &'p Requirements,
    facts: &mut Facts<'p>,
) -> Result<(), Stop<'p>> {
    note_subject(policy, claims, facts);
    if let Some(rule) = refusing_rule(claims, &wanted.claims) {
        facts.claim = Some(rule.claim.join("."));
        return Err(Reason::ClaimRefused.into());
    }
    match missing_scopes(claims, &issuer.scope_claims, &wanted.scopes) {
        Some(scopes) => Err(Stop::MissingScopes(scopes)),
        None => Ok(()),
    }
}

/// The headers that a verified token sets.
fn identity<'p>(
    policy: &'p Policy,
    entry: &Entry,
    facts: &mut Facts<'p>,
) -> Result<IdentityHeaders<'p>, Stop<'p>> {
    match &entry.identity {
        Ok(values) => Ok(IdentityHeaders::new(&policy.forward, values)),
        Err(UnforwardableClaim { place }) => {
            let forward = policy.forward.get(*place);
            facts.claim = forward.map(|forward| forward.claim.clone());
            Err(Reason::ClaimUnforwardable.into())
        }
    }
}

/// Who a verified token is of, where the policy wants it in access logs.
fn note_subject(policy: &Policy, claims: &Verified<Claims>, facts: &mut Facts<'_>) {
    if policy.envoy.log_subject {
        facts.subject = claims.subject().map(in_one_line);
    }
}
