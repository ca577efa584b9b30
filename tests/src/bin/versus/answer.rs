//! A refusal, in the words of the page.

use std::fmt;

use e2e::corpus::Expect;
use e2e::judge::{Prepared, Seen};

/// A refusal: its status, plain or gRPC's, and its challenge less the realm.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The connection or the stream was given up.
    None,
    Plain {
        status: u16,
        challenge: Option<String>,
    },
    Grpc {
        status: u8,
        challenge: Option<String>,
    },
}

impl Answer {
    pub(crate) fn expected(expect: &Expect) -> Self {
        let challenge = expect
            .challenge
            .as_deref()
            .map(|challenge| without_realm(challenge, None));
        match expect.grpc_status {
            Some(status) => Self::Grpc { status, challenge },
            None => Self::Plain {
                status: expect.status.unwrap_or(200),
                challenge,
            },
        }
    }

    pub(crate) fn seen(seen: &Seen, sent: &Prepared) -> Self {
        let challenges: Vec<String> = seen
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate")
            .map(|(_, value)| without_realm(value, sent.token.as_deref()))
            .collect();
        let challenge = (!challenges.is_empty()).then(|| challenges.join(", "));
        match (&seen.grpc, seen.status) {
            (Some((status, _)), _) => Self::Grpc {
                status: *status,
                challenge,
            },
            (None, status) => Self::Plain {
                status: status.unwrap_or(0),
                challenge,
            },
        }
    }

    pub(crate) fn status_text(&self) -> String {
        match self {
            Self::None => "no answer".to_owned(),
            Self::Plain { status, .. } => status.to_string(),
            Self::Grpc { status, .. } => format!("gRPC {status}"),
        }
    }

    fn challenge(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Plain { challenge, .. } | Self::Grpc { challenge, .. } => challenge.as_deref(),
        }
    }

    /// The status and the challenge.
    pub(crate) fn whole(&self) -> String {
        let challenge = self
            .challenge()
            .map_or("no challenge".to_owned(), |challenge| {
                format!("`{challenge}`")
            });
        format!("{}, {challenge}", self.status_text())
    }
}

/// The status, and the error that the challenge names.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status_text())?;
        let error = self
            .challenge()
            .and_then(|challenge| challenge.split_once("error=\""));
        match error.and_then(|(_, rest)| rest.split_once('"')) {
            Some((error, _)) => write!(f, " `{error}`"),
            None => Ok(()),
        }
    }
}

/// A challenge without its realm: the policy's realm is a name, the native one the URL of the request, which would tell all
/// challenges apart. A realm that repeats the token is told.
fn without_realm(challenge: &str, token: Option<&str>) -> String {
    // So much of a token is no accident.
    const TELLING: usize = 40;
    let Some((scheme, rest)) = challenge.split_once("realm=\"") else {
        return challenge.to_owned();
    };
    let (realm, parameters) = rest.split_once("\", ").unwrap_or((rest, ""));
    let mut text = format!("{scheme}{parameters}").trim_end().to_owned();
    if let Some(start) = token.and_then(|token| token.get(..TELLING))
        && realm.contains(start)
    {
        text.push_str(" (the realm repeats the token)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realms_are_not_compared() {
        for (challenge, rest) in [
            (r#"Bearer realm="r""#, "Bearer"),
            (
                r#"Bearer realm="r", error="invalid_token""#,
                r#"Bearer error="invalid_token""#,
            ),
            (
                r#"Bearer realm="r", error="insufficient_scope", scope="a b""#,
                r#"Bearer error="insufficient_scope", scope="a b""#,
            ),
        ] {
            assert_eq!(without_realm(challenge, None), rest);
        }
        let token = "t".repeat(60);
        let challenge = format!("Bearer realm=\"http://a/?access_token={token}\"");
        assert!(without_realm(&challenge, Some(&token)).contains("repeats"));
    }
}
