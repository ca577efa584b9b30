//! What a token says.

use scopegate_core::Algorithm;
use serde_json::{Map, Value, json};

/// How long a token lasts that nobody said more about, in seconds.
const USUAL_SECONDS: i64 = 300;

/// What is asked of an access token. The issuer, the times and the token's id are added when it is minted, where they are not named.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grant {
    /// Its claims. One that is null is left out, also if it would be added.
    pub claims: Map<String, Value>,
    /// Seconds from minting to `exp`; negative for a token that expired that long ago.
    pub expires_in: Option<i64>,
    /// What it is signed with; the issuer's first key where nothing is said.
    pub algorithm: Option<Algorithm>,
}

impl Grant {
    /// The usual token of somebody: for that audience, with these scopes, separated by spaces.
    pub fn new(subject: &str, audience: &str, scope: &str) -> Self {
        let mut grant = Self::usual();
        grant.say("sub", subject);
        grant.say("aud", audience);
        grant.say("scope", scope);
        grant
    }

    /// What a token says of which nothing is said.
    pub(super) fn usual() -> Self {
        let mut grant = Self::default();
        for claim in ["sub", "aud", "client_id"] {
            grant.say(claim, "local");
        }
        grant
    }

    /// One claim more, or another value of it.
    pub fn say(&mut self, claim: &str, value: impl Into<Value>) {
        self.claims.insert(claim.to_owned(), value.into());
    }

    /// This, and where it says nothing what the other says.
    #[must_use]
    pub(super) fn over(self, below: &Self) -> Self {
        let mut claims = below.claims.clone();
        claims.extend(self.claims);
        Self {
            claims,
            expires_in: self.expires_in.or(below.expires_in),
            algorithm: self.algorithm.or(below.algorithm),
        }
    }

    /// The claims of the token that is minted at that second.
    pub(super) fn claims(&self, issuer: &str, id: String, now: i64) -> Map<String, Value> {
        let expires = now.saturating_add(self.expires_in.unwrap_or(USUAL_SECONDS));
        // A token that expired an hour ago was not issued just now.
        let issued = now.min(expires.saturating_sub(1));
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), json!(issuer));
        claims.insert("iat".to_owned(), json!(issued));
        claims.insert("exp".to_owned(), json!(expires));
        claims.insert("jti".to_owned(), json!(id));
        claims.extend(self.claims.clone());
        claims.retain(|_, value| !value.is_null());
        claims
    }

    /// The audiences that it names: what a policy has to ask for.
    pub(super) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(grant: &Grant) -> Value {
        Value::Object(grant.claims("https://i/", "1".into(), 1_000))
    }

    #[test]
    fn what_is_not_said_is_usual() {
        assert_eq!(
            claims(&Grant::usual()),
            json!({ "iss": "https://i/", "sub": "local", "aud": "local", "client_id": "local", "iat": 1000, "exp": 1300, "jti": "1" })
        );
    }

    #[test]
    fn an_expired_token_was_issued_before_it_expired() {
        let mut grant = Grant::new("alice", "api", "read");
        grant.expires_in = Some(-60);
        let claims = claims(&grant);
        assert_eq!((&claims["exp"], &claims["iat"]), (&json!(940), &json!(939)));
        assert_eq!(
            (&claims["sub"], &claims["aud"], &claims["scope"]),
            (&json!("alice"), &json!("api"), &json!("read"))
        );
    }

    #[test]
    fn what_is_named_replaces_and_null_takes_away() {
        let mut wanted = Grant::default();
        wanted.say("exp", "never");
        wanted.say("sub", Value::Null);
        wanted.say("jti", Value::Null);
        let claims = claims(&wanted.over(&Grant::usual()));
        assert_eq!(
            claims,
            json!({ "iss": "https://i/", "aud": "local", "client_id": "local", "iat": 1000, "exp": "never" })
        );
    }

    #[test]
    fn a_lifetime_beyond_all_numbers_is_the_longest() {
        let mut grant = Grant::usual();
        grant.expires_in = Some(i64::MAX);
        assert_eq!(claims(&grant)["exp"], json!(i64::MAX));
        grant.expires_in = Some(i64::MIN);
        assert_eq!(claims(&grant)["exp"], json!(i64::MIN + 1_000));
    }
}
