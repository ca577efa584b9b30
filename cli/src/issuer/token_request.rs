//! A request for a token: JSON claims, or the fields of a form as clients of RFC 6749 section 4.4 send them.

use scopegate_core::Algorithm;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::grant::Grant;

/// Why there is no token (RFC 6749 section 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The code.
    pub(super) error: &'static str,
    /// In words, for whoever wrote the client.
    pub(super) description: String,
}

/// What is asked for. The fields may stand in the query too, where the body is JSON.
pub(super) fn read(query: &str, body: &[u8]) -> Result<Grant, Refusal> {
    let body = body.trim_ascii();
    // No form begins with a brace, so that `curl -d '{…}'` works as it is.
    if body.starts_with(b"{") {
        let claims: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| invalid(format!("the body is no JSON object: {error}")))?;
        let fields = fields(&[query.as_bytes()])?;
        return Ok(Grant {
            claims,
            ..Grant::default()
        }
        .over(&fields));
    }
    fields(&[query.as_bytes(), body])
}

/// RFC 6749 section 3.2: a field without a value counts as absent, an unknown one is ignored, none may stand twice. (But for audiences:
/// RFC 8693 section 2.1.)
fn fields(forms: &[&[u8]]) -> Result<Grant, Refusal> {
    let mut grant = Grant::default();
    let mut audiences = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let pairs = forms.iter().flat_map(|form| form_urlencoded::parse(form));
    for (name, value) in pairs.filter(|(_, value)| !value.is_empty()) {
        if name == "audience" {
            audiences.push(value.into_owned());
            continue;
        }
        if seen.iter().any(|known| *known == name) {
            return Err(invalid(format!("{name:?} stands there twice")));
        }
        match &*name {
            "grant_type" if value != "client_credentials" => {
                return Err(Refusal {
                    error: "unsupported_grant_type",
                    description: "grant_type is client_credentials, or left out".into(),
                });
            }
            "scope" => grant.say("scope", &*value),
            "subject" => grant.say("sub", &*value),
            // RFC 9068 section 2.2: without a resource owner the subject is the client.
            "client_id" => {
                grant.say("client_id", &*value);
                if !grant.claims.contains_key("sub") {
                    grant.say("sub", &*value);
                }
            }
            "expires_in" => {
                let seconds = value.parse();
                grant.expires_in = Some(seconds.map_err(|_| {
                    invalid("expires_in is a whole number of seconds, as in 300".into())
                })?);
            }
            "alg" => {
                let algorithm = Algorithm::from_name(&value);
                grant.algorithm = Some(algorithm.ok_or_else(|| {
                    invalid("alg is a name such as RS256, ES256 or EdDSA".into())
                })?);
            }
            _ => {}
        }
        seen.push(name.into_owned());
    }
    match audiences.as_slice() {
        [] => {}
        [one] => grant.say("aud", one.as_str()),
        _ => grant.say("aud", json!(audiences)),
    }
    Ok(grant)
}

pub(super) fn invalid(description: String) -> Refusal {
    Refusal {
        error: "invalid_request",
        description,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant(query: &str, body: &str) -> Grant {
        read(query, body.as_bytes()).unwrap()
    }

    fn refused(query: &str, body: &str) -> &'static str {
        read(query, body.as_bytes()).unwrap_err().error
    }

    #[test]
    fn a_form_names_what_the_token_says() {
        let wanted = grant(
            "",
            "grant_type=client_credentials&scope=read+write%3Aall&audience=https%3A%2F%2Fapi%2F&client_id=app&client_secret=x&expires_in=-5&alg=ES256",
        );
        assert_eq!(
            Value::Object(wanted.claims),
            json!({ "aud": "https://api/", "client_id": "app", "scope": "read write:all", "sub": "app" })
        );
        assert_eq!(wanted.expires_in, Some(-5));
        assert_eq!(wanted.algorithm, Some(Algorithm::Es256));
    }

    #[test]
    fn a_subject_is_not_replaced_by_the_client_whatever_the_order() {
        for body in ["subject=alice&client_id=app", "client_id=app&subject=alice"] {
            assert_eq!(grant("", body).claims["sub"], "alice", "{body}");
        }
    }

    #[test]
    fn several_audiences_are_a_list() {
        assert_eq!(
            grant("", "audience=a&audience=b").claims["aud"],
            json!(["a", "b"])
        );
    }

    #[test]
    fn json_is_claims_and_the_query_says_the_rest() {
        let wanted = grant(
            "expires_in=60&scope=a",
            " {\"scope\":null,\"roles\":[\"auditor\"]}\n",
        );
        assert_eq!(
            Value::Object(wanted.claims),
            json!({ "scope": null, "roles": ["auditor"] })
        );
        assert_eq!(wanted.expires_in, Some(60));
    }

    #[test]
    fn nothing_asks_for_the_usual() {
        assert_eq!(grant("", ""), Grant::default());
        assert_eq!(grant("", "scope=&alg=&audience="), Grant::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(refused("", "grant_type=password"), "unsupported_grant_type");
        for body in [
            "scope=a&scope=b",
            "expires_in=1h",
            "alg=none",
            "{\"sub\":",
            "{} {}",
        ] {
            assert_eq!(refused("", body), "invalid_request", "{body}");
        }
        assert_eq!(refused("scope=a", "scope=b"), "invalid_request");
    }

    proptest! {
        #[test]
        fn nothing_panics(query in ".*", body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&query, &body);
        }
    }
}
