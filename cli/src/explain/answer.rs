//! The decision of the core about one request, what led to it, and what client and upstream see.

use scopegate_core::explain::{Step, steps};
use scopegate_core::{
    Allow, Decision, KeyCache, Policy, Portable, Reason, Request, Timestamp, TokenCache, decide,
};

use super::others::{Other, others};

/// A request that is asked about.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// Header fields, without the credential.
    pub headers: Vec<(String, String)>,
    /// The token.
    pub token: Option<String>,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request goes on.
    Allowed,
    /// It goes on because this is only watched, and would be refused for that reason.
    Shadowed(Reason),
    /// It is refused.
    Refused(Reason),
    /// Nothing can be said without keys.
    NeedsKeys {
        /// The issuer, by its name in the policy.
        issuer: String,
        /// Where a gate would fetch them.
        location: String,
    },
}

/// The decision, and all that is worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub verdict: Verdict,
    /// The pattern of the route.
    pub route: Option<String>,
    /// The issuer, by its name in the policy.
    pub issuer: Option<String>,
    /// The `kid` of the key.
    pub kid: Option<String>,
    /// What was looked at, in order.
    pub steps: Vec<Step>,
    /// Routes that do not decide though one might think so.
    pub others: Vec<Other>,
    /// What the client gets of a refusal.
    pub client: Option<Answer>,
    /// What the upstream gets.
    pub upstream: Option<Upstream>,
}

/// The answer to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// How a request is changed on its way to the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Header fields that are set.
    pub set: Vec<(String, String)>,
    /// Names of fields that are taken away.
    pub strip: Vec<String>,
}

impl std::fmt::Debug for Asked {
    // A token never prints.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Decides, and says why.
pub fn explain(policy: &Policy, asked: &Asked, keys: &KeyCache, now: Timestamp) -> Explanation {
    let headers = fields(asked);
    let request = request(asked, &headers);
    let steps = steps(policy, &request, keys, &Portable, now);
    let mut tokens = TokenCache::new(policy, 0);
    let decision = decide(policy, &request, keys, &mut tokens, &Portable, now);
    let facts = match &decision {
        Decision::Allow(allow) => allow.facts.clone(),
        Decision::Deny(deny) => deny.facts.clone(),
        Decision::NeedKeys(wanted) => wanted.facts.clone(),
    };
    let (client, upstream) = match &decision {
        Decision::Allow(allow) => (None, Some(upstream(allow))),
        Decision::Deny(deny) => {
            let response = deny.response(policy, &request);
            let headers = response.headers.iter();
            let headers = headers.map(|(name, value)| ((*name).to_owned(), value.to_string()));
            let answer = Answer {
                status: response.status,
                headers: headers.collect(),
                body: response.body.to_owned(),
            };
            (Some(answer), None)
        }
        Decision::NeedKeys(_) => (None, None),
    };
    Explanation {
        verdict: verdict_of(policy, &decision),
        route: facts.route.map(str::to_owned),
        issuer: facts.issuer.map(str::to_owned),
        kid: facts.kid.as_deref().map(str::to_owned),
        steps,
        others: others(policy, asked.method.as_bytes(), asked.path.as_bytes()),
        client,
        upstream,
    }
}

/// All header fields, the credential among them.
fn fields(asked: &Asked) -> Vec<(&str, String)> {
    let own = asked.headers.iter();
    let own = own.map(|(name, value)| (name.as_str(), value.clone()));
    let token = asked.token.iter();
    let credential = token.map(|token| ("authorization", format!("Bearer {token}")));
    own.chain(credential).collect()
}

fn request<'a>(asked: &'a Asked, headers: &'a [(&str, String)]) -> Request<'a> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    Request::new(
        asked.method.as_bytes(),
        Some(asked.path.as_bytes()),
        headers,
    )
}

fn verdict_of(policy: &Policy, decision: &Decision<'_, '_>) -> Verdict {
    match decision {
        Decision::Allow(allow) => allow.shadowed.map_or(Verdict::Allowed, Verdict::Shadowed),
        Decision::Deny(deny) => Verdict::Refused(deny.reason),
        Decision::NeedKeys(wanted) => Verdict::NeedsKeys {
            issuer: policy.issuer_name(wanted.keys.issuer).to_owned(),
            location: wanted.keys.location.to_string(),
        },
    }
}

fn upstream(allow: &Allow<'_, '_>) -> Upstream {
    let set = allow.set.iter();
    let strip = allow.strip.iter();
    Upstream {
        set: set
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        strip: strip
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect(),
    }
}
