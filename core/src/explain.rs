//! What led to a decision, step by step: for people who look for the rule that refuses them. [`decide`](crate::decide) decides; this asks
//! the same functions in the same order, and keeps what they saw.
//!
//! A step shows the claims that the policy asks about, and nothing else of a token: never its text, never its signature. It is for whoever
//! holds the token.

mod step;
mod words;

use crate::claims::Claims;
use crate::credential::{Credential, InvalidCredential};
use crate::decide::{Found, Stop, find_route};
use crate::decision::{Facts, in_one_line};
use crate::identity::{IdentityValues, UnforwardableClaim};
use crate::keys::{KeyCache, Lookup};
use crate::path::CanonicalPath;
use crate::policy::{Access, Issuer, IssuerId, Policy, Requirements, ScopeDemand};
use crate::reason::Reason;
use crate::request::Request;
use crate::requirements::{check_type, check_validity, missing_scopes, refusing_rule};
use crate::time::Timestamp;
use crate::token::{KnownHeaders, UnverifiedToken};
use crate::verify::{self, Verifier};
pub use step::{Check, Step, StepOutcome};
use words::{json, malformed, numeric_date, pattern_words};

/// The steps that lead to the decision about a request, up to the one that refuses it, if any does.
pub fn steps(
    policy: &Policy,
    request: &Request<'_>,
    keys: &KeyCache,
    verifier: &dyn Verifier,
    now: Timestamp,
) -> Vec<Step> {
    let mut inquiry = Inquiry {
        policy,
        keys,
        verifier,
        now,
        steps: Vec::new(),
    };
    // The reason stands in the last step.
    let _ = inquiry.ask(request);
    inquiry.steps
}

struct Inquiry<'p, 'g> {
    policy: &'p Policy,
    keys: &'g KeyCache,
    verifier: &'g dyn Verifier,
    now: Timestamp,
    steps: Vec<Step>,
}

/// The last step has been noted: nothing more is asked.
struct Refused;

impl<'p> Inquiry<'p, '_> {
    fn ask(&mut self, request: &Request<'_>) -> Result<(), Refused> {
        let Found::Route(route) = self.route(request)? else {
            self.note(Check::Preflight, [], []);
            return Ok(());
        };
        let Access::Protected(wanted) = &route.access else {
            self.note(Check::Public, [], []);
            return Ok(());
        };
        let credential = Credential::of(request);
        let credential =
            credential.or_else(|reason| self.refuse(Check::Credential, reason, [], []))?;
        let token = self.token(&credential)?;
        let (id, issuer) = self.issuer(&token, wanted)?;
        self.validity(&token, issuer, wanted)?;
        let key = self.key(id, issuer, &token)?;
        let claims = match key {
            None => token.claims,
            Some(key) => {
                let verified = verify::verify(self.verifier, &key, token);
                let verified = verified
                    .or_else(|_| self.refuse(Check::Signature, Reason::SignatureInvalid, [], []))?;
                self.note(Check::Signature, [], []);
                Claims::clone(&verified)
            }
        };
        self.authorisation(&claims, issuer, wanted)
    }

    fn route(&mut self, request: &Request<'_>) -> Result<Found<'p>, Refused> {
        let mut facts = Facts::default();
        let found = find_route(self.policy, request, &mut facts);
        let path = request.path().map(CanonicalPath::parse);
        if let Some(Ok(path)) = &path {
            let segments = (0..).map_while(|place| path.segment(place));
            let segments: Vec<String> = segments.map(text).collect();
            self.note(Check::Path, [], segments);
        }
        let pattern = facts.route.map(str::to_owned);
        match found {
            Ok(found) => {
                let wanted = match &found {
                    Found::Route(route) => pattern_words(self.policy, route),
                    Found::Preflight => Vec::new(),
                };
                self.note(Check::Route, wanted, pattern);
                Ok(found)
            }
            Err(stop) => {
                let reason = stop.reason().unwrap_or(Reason::HostFailure);
                let check = match &path {
                    Some(Ok(_)) => Check::Route,
                    Some(Err(_)) | None => Check::Path,
                };
                self.refuse(check, reason, [], pattern)
            }
        }
    }

    fn token<'r>(&mut self, credential: &Credential<'r>) -> Result<UnverifiedToken<'r>, Refused> {
        let length = credential.unchecked().unwrap_or_default().len();
        let octets = format!("{length} octets");
        let parsed = credential.token(&KnownHeaders::default());
        let token = match parsed {
            Ok(token) => token,
            Err(InvalidCredential::Credential(reason)) => {
                return self.refuse(Check::Credential, reason, [], []);
            }
            Err(InvalidCredential::Token(what)) => {
                self.note(Check::Credential, [], [octets]);
                let reason = Stop::from(what).reason().unwrap_or(Reason::TokenMalformed);
                return self.refuse(Check::Token, reason, [], [malformed(what)]);
            }
        };
        self.note(Check::Credential, [], [octets]);
        let header = [
            Some(format!("alg {}", token.header.algorithm.name())),
            token
                .header
                .kid()
                .map(|kid| format!("kid {:?}", in_one_line(kid))),
            token
                .header
                .typ()
                .map(|typ| format!("typ {:?}", in_one_line(typ))),
        ];
        self.note(Check::Token, [], header.into_iter().flatten());
        Ok(token)
    }

    fn issuer(
        &mut self,
        token: &UnverifiedToken<'_>,
        wanted: &Requirements,
    ) -> Result<(IssuerId, &'p Issuer), Refused> {
        let policy = self.policy;
        let found = in_one_line(token.claims.issuer());
        let known = policy.issuer_of(token.claims.issuer());
        let Some((id, issuer)) = known.and_then(|id| Some((id, policy.issuer(id)?))) else {
            let known: Vec<String> = policy
                .issuers
                .iter()
                .map(|known| known.issuer.clone())
                .collect();
            return self.refuse(Check::Issuer, Reason::IssuerUnknown, known, [found]);
        };
        self.note(Check::Issuer, [issuer.issuer.clone()], [found]);
        if let Some(taken) = &wanted.issuers {
            let names: Vec<String> = taken
                .iter()
                .map(|id| policy.issuer_name(*id).to_owned())
                .collect();
            let own = [issuer.name.clone()];
            if !taken.contains(&id) {
                return self.refuse(Check::IssuerTaken, Reason::IssuerRefused, names, own);
            }
            self.note(Check::IssuerTaken, names, own);
        }
        let algorithms: Vec<String> = issuer
            .algorithms
            .iter()
            .map(|known| known.name().to_owned())
            .collect();
        let own = [token.header.algorithm.name().to_owned()];
        if !issuer.algorithms.contains(&token.header.algorithm) {
            return self.refuse(Check::Algorithm, Reason::AlgorithmRefused, algorithms, own);
        }
        self.note(Check::Algorithm, algorithms, own);
        let typ = token.header.typ().map(in_one_line);
        let names = words::types(issuer.token_type);
        match check_type(token.header.typ(), &token.claims, issuer.token_type) {
            Ok(()) => self.note(Check::Type, names, typ),
            Err(reason) => return self.refuse(Check::Type, reason, names, typ),
        }
        Ok((id, issuer))
    }

    /// Time and audience are one function, which says which of them refuses: those before it hold.
    fn validity(
        &mut self,
        token: &UnverifiedToken<'_>,
        issuer: &Issuer,
        wanted: &Requirements,
    ) -> Result<(), Refused> {
        let claims = &token.claims;
        let refused = check_validity(claims, issuer, wanted, self.now).err();
        let leeway = format!("leeway {} s", issuer.clock_skew.as_secs());
        let dates = [
            (Check::Expiry, Reason::TokenExpired, Some(claims.expires)),
            (
                Check::NotBefore,
                Reason::TokenNotYetValid,
                claims.not_before,
            ),
        ];
        for (check, reason, date) in dates {
            let Some(date) = date else { continue };
            let found = numeric_date(date, self.now);
            if refused == Some(reason) {
                return self.refuse(check, reason, [leeway], found);
            }
            self.note(check, [leeway.clone()], found);
        }
        let audiences = wanted
            .audiences
            .as_ref()
            .unwrap_or(&issuer.audiences)
            .clone();
        let named = claims.get(&issuer.audience_claim);
        let found = format!("{}: {}", issuer.audience_claim, json(named));
        match refused {
            None => self.note(Check::Audience, audiences, [found]),
            Some(reason) => return self.refuse(Check::Audience, reason, audiences, [found]),
        }
        Ok(())
    }

    /// The key; nothing where keys are missing that may still come.
    fn key(
        &mut self,
        id: IssuerId,
        issuer: &Issuer,
        token: &UnverifiedToken<'_>,
    ) -> Result<Option<crate::verify::PublicKey>, Refused> {
        if !self.keys.belongs_to(self.policy) {
            return self.refuse(Check::Key, Reason::HostFailure, [], []);
        }
        let (kid, algorithm) = (token.header.kid(), token.header.algorithm);
        let has_come =
            |date: &crate::claims::NumericDate| date.has_come(self.now, issuer.clock_skew);
        let issued = token.claims.issued_at.filter(has_come);
        let wanted = match kid {
            Some(kid) => format!("kid {:?}", in_one_line(kid)),
            None => "the only one that fits, as the token names none".to_owned(),
        };
        let found = self.keys.find(id, kid, algorithm, issued, self.now);
        let stop = match found {
            Lookup::Found(key) => {
                let public = key.public.clone();
                let found = key.kid.as_deref().map(|kid| format!("kid {kid:?}"));
                self.note(Check::Key, [wanted], found);
                return Ok(Some(public));
            }
            Lookup::NoKeys(missing) => Stop::from(missing),
            Lookup::UnknownKid(newer) => newer.map_or(Reason::KidUnknown.into(), Stop::from),
            Lookup::Refused(reason) => reason.into(),
        };
        match stop.reason() {
            Some(reason) => self.refuse(Check::Key, reason, [wanted], []),
            None => {
                let at = match stop {
                    Stop::NeedKeys(request) => Some(format!("to be had from {}", request.location)),
                    _ => None,
                };
                self.push(Check::Key, StepOutcome::NeedsKeys, [wanted], at);
                Ok(None)
            }
        }
    }

    fn authorisation(
        &mut self,
        claims: &Claims,
        issuer: &Issuer,
        wanted: &Requirements,
    ) -> Result<(), Refused> {
        let refusing = refusing_rule(claims, &wanted.claims);
        for rule in &wanted.claims {
            let value = claims.at_path(&rule.claim);
            let found = format!("{}: {}", rule.claim.join("."), json(value));
            let words = [rule.to_string()];
            if refusing.is_some_and(|refusing| std::ptr::eq(refusing, rule)) {
                return self.refuse(Check::Claim, Reason::ClaimRefused, words, [found]);
            }
            self.note(Check::Claim, words, [found]);
        }
        let scopes = words::scopes(&wanted.scopes);
        let present = issuer
            .scope_claims
            .iter()
            .find(|name| claims.get(name).is_some());
        let found = match present {
            Some(name) => format!("{name}: {}", json(claims.get(name))),
            None => format!("no claim {}", issuer.scope_claims.join(", ")),
        };
        match missing_scopes(claims, &issuer.scope_claims, &wanted.scopes) {
            Some(_) => return self.refuse(Check::Scopes, Reason::ScopeMissing, scopes, [found]),
            None if wanted.scopes == ScopeDemand::None => {}
            None => self.note(Check::Scopes, scopes, [found]),
        }
        match IdentityValues::of(&self.policy.forward, claims) {
            Ok(_) if self.policy.forward.is_empty() => {}
            Ok(_) => {
                let claims = self
                    .policy
                    .forward
                    .iter()
                    .map(|forward| forward.claim.clone());
                self.note(Check::Identity, claims, []);
            }
            Err(UnforwardableClaim { place }) => {
                let claim = self
                    .policy
                    .forward
                    .get(place)
                    .map(|forward| forward.claim.clone());
                return self.refuse(Check::Identity, Reason::ClaimUnforwardable, claim, []);
            }
        }
        Ok(())
    }

    fn note(
        &mut self,
        check: Check,
        wanted: impl IntoIterator<Item = String>,
        found: impl IntoIterator<Item = String>,
    ) {
        self.push(check, StepOutcome::Holds, wanted, found);
    }

    fn refuse<T>(
        &mut self,
        check: Check,
        reason: Reason,
        wanted: impl IntoIterator<Item = String>,
        found: impl IntoIterator<Item = String>,
    ) -> Result<T, Refused> {
        self.push(check, StepOutcome::Refuses(reason), wanted, found);
        Err(Refused)
    }

    fn push(
        &mut self,
        check: Check,
        outcome: StepOutcome,
        wanted: impl IntoIterator<Item = String>,
        found: impl IntoIterator<Item = String>,
    ) {
        self.steps.push(Step {
            check,
            outcome,
            // The policy is somebody's text too.
            wanted: wanted.into_iter().map(|text| in_one_line(&text)).collect(),
            found: found.into_iter().map(|text| in_one_line(&text)).collect(),
        });
    }
}

/// A decoded segment, which is UTF-8.
fn text(segment: &[u8]) -> String {
    in_one_line(&String::from_utf8_lossy(segment))
}
