//! What a `WWW-Authenticate` field of a refusal says.

use std::borrow::Cow;

use super::Row;

/// The Bearer challenges of a realm (RFC 6750 section 3), written when the policy is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenges {
    unauthorized: String,
    invalid_token: String,
    expired: String,
    invalid_request: String,
    insufficient_scope: String,
}

impl Challenges {
    /// Those of a realm that needs no escaping in a quoted string (RFC 9110 section 5.6.4).
    pub(crate) fn new(realm: &str) -> Self {
        let with = |parameters| format!("Bearer realm=\"{realm}\"{parameters}");
        Self {
            unauthorized: with(""),
            invalid_token: with(r#", error="invalid_token""#),
            expired: with(
                r#", error="invalid_token", error_description="The access token expired""#,
            ),
            invalid_request: with(r#", error="invalid_request""#),
            insufficient_scope: with(r#", error="insufficient_scope""#),
        }
    }

    /// The challenge of a row; nothing where there is none.
    pub(super) fn of(&self, row: Row, scopes: &[&str]) -> Option<Cow<'_, str>> {
        let ready = match row {
            Row::Unauthorized => &self.unauthorized,
            Row::InvalidToken => &self.invalid_token,
            Row::Expired => &self.expired,
            Row::InvalidRequest => &self.invalid_request,
            Row::ForbiddenToken => &self.insufficient_scope,
            Row::InsufficientScope => {
                let (challenge, scopes) = (&self.insufficient_scope, scopes.join(" "));
                return Some(Cow::Owned(format!(r#"{challenge}, scope="{scopes}""#)));
            }
            Row::Forbidden
            | Row::Ambiguous
            | Row::Unavailable
            | Row::Broken
            | Row::UpstreamUnreachable
            | Row::UpstreamTimeout
            | Row::BadRequest
            | Row::LengthRequired
            | Row::FieldsTooLarge => return None,
        };
        Some(Cow::Borrowed(ready))
    }
}
