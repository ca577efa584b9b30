//! What the core answers: allow, refuse, or say which keys are missing.

use std::sync::Arc;
use std::time::Duration;

use crate::deny::{self, Response};
use crate::identity::IdentityHeaders;
use crate::keys::KeyRequest;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::Request;
use crate::token_cache::CacheUse;

/// What the host shall do with a request. It borrows from the policy (`'p`) and from the request (`'r`).
#[derive(Debug)]
pub enum Decision<'p, 'r> {
    /// Hand it on to the upstream.
    Allow(Allow<'p, 'r>),
    /// Answer it with [`Deny::response`].
    Deny(Deny<'p>),
    /// Fetch a key set, hand the outcome to [`KeyCache::install`](crate::KeyCache::install), and ask again.
    NeedKeys(NeedKeys<'p>),
}

/// A request that cannot be decided without keys that are not at hand.
#[derive(Debug)]
pub struct NeedKeys<'p> {
    /// What to fetch.
    pub keys: KeyRequest,
    /// What is worth a log line, should the keys not come.
    pub facts: Facts<'p>,
}

/// A request that goes on to the upstream, and how it is changed on the way: first `strip`, then `set`.
#[derive(Debug)]
pub struct Allow<'p, 'r> {
    /// Header fields to set: identity headers, by their names in the policy.
    pub set: IdentityHeaders<'p>,
    /// Names of header fields to remove, as they stand in the request.
    pub strip: Vec<&'r [u8]>,
    /// In shadow mode: why the request would have been refused.
    pub shadowed: Option<Reason>,
    /// A key set to fetch behind the request, which does not wait for it: keys that will soon be too old, and in
    /// shadow mode keys that are not there.
    pub fetch: Option<KeyRequest>,
    /// What is worth a log line.
    pub facts: Facts<'p>,
}

/// A refusal.
#[derive(Debug)]
pub struct Deny<'p> {
    /// Why, for logs and metrics.
    pub reason: Reason,
    /// What is worth a log line.
    pub facts: Facts<'p>,
    pub(crate) scopes: Vec<&'p str>,
    pub(crate) retry_after: Duration,
}

/// What a decision found on its way, for logs and metrics: the policy's words and our keys', none of the client's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts<'p> {
    /// The pattern of the route.
    pub route: Option<&'p str>,
    /// The issuer, by its name in the policy.
    pub issuer: Option<&'p str>,
    /// The `kid` of the key in the issuer's set that a token seen for the first time is verified with.
    pub kid: Option<Arc<str>>,
    /// Whether the issuer's set, as it is held, has no key for the `kid` of the token.
    pub unknown_kid: bool,
    /// The claim whose rule refused a token, or that could not be forwarded.
    pub claim: Option<String>,
    /// `sub` of a verified token, where the policy allows it in logs, with what could begin another line taken out.
    pub subject: Option<String>,
    /// What the token cache did.
    pub token_cache: CacheUse,
}

impl Facts<'_> {
    /// One line for whoever looks for the rule or the key behind a decision; never a token, never a claim's value.
    pub fn explain(&self, verdict: &str, reason: Option<&str>) -> String {
        let details = [
            ("reason", reason),
            ("route", self.route),
            ("issuer", self.issuer),
            ("kid", self.kid.as_deref()),
            ("claim", self.claim.as_deref()),
        ];
        let mut line = verdict.to_owned();
        for (name, value) in details {
            if let Some(value) = value {
                line.push_str(&format!(" {name}={value:?}"));
            }
        }
        line
    }
}

impl<'p> NeedKeys<'p> {
    /// The refusal of a request that found no place to wait for its keys, or has waited too long.
    pub fn give_up(self) -> Deny<'p> {
        Deny::because(Reason::KeysUnavailable, self.facts)
    }
}

impl Deny<'_> {
    /// The HTTP answer, the same on every host.
    pub fn response<'p>(&self, policy: &'p Policy, request: &Request<'_>) -> Response<'p> {
        deny::response(self, &policy.challenges, request.is_grpc())
    }
}

/// A text with U+FFFD in place of what ends a line or steers a terminal: an issuer may let its users choose their `sub`, and a log in
/// plain text would show whatever lines they write into it.
pub(crate) fn in_one_line(text: &str) -> String {
    let steers = |sign: char| {
        // Ends of lines, and what turns the direction of the rest of the line (Unicode Standard Annex 9).
        sign.is_control() || matches!(sign, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(steers, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_explained_in_one_line() {
        let facts = Facts {
            route: Some("/reports/{*rest}"),
            kid: Some("a\nb".into()),
            subject: Some("auth0|alice".to_owned()),
            ..Facts::default()
        };
        assert_eq!(
            facts.explain("refused", Some("scope_missing")),
            r#"refused reason="scope_missing" route="/reports/{*rest}" kid="a\nb""#
        );
        assert_eq!(Facts::default().explain("allowed", None), "allowed");
    }

    #[test]
    fn a_subject_stays_in_its_line() {
        for (subject, shown) in [
            ("auth0|alice", "auth0|alice"),
            ("J\u{fc}rgen M", "J\u{fc}rgen M"),
            ("x\nGET /forged 200", "x\u{fffd}GET /forged 200"),
            (
                "\r\u{1b}[2J\u{85}\u{2028}\0",
                "\u{fffd}\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}",
            ),
            ("a\u{202e}b\u{2069}", "a\u{fffd}b\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(in_one_line(subject), shown);
        }
    }
}
