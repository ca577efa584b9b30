//! The bearer credential of a request (RFC 6750 section 2.1, RFC 9110 section 11.6.2).

use crate::identity::is_credential;
use crate::reason::Reason;
use crate::request::{Request, is_token_octet};
use crate::token::{KnownHeaders, MalformedToken, UnverifiedToken};

/// The value of the one `Authorization` field.
///
/// Envoy joins two `Authorization` fields with a comma and drops an empty one. Here every host gets
/// that treatment, so that a comma always means more than one credential and no host reads only the first.
pub(crate) struct Credential<'r> {
    value: &'r [u8],
    /// What stands behind the scheme `Bearer`; nothing when the scheme is another one.
    behind_scheme: Option<&'r [u8]>,
}

/// Why a credential brings no token that could be verified.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvalidCredential {
    /// It is none, or more than one, or its characters are not those of a token.
    Credential(Reason),
    /// It is a token of another form than ours.
    Token(MalformedToken),
}

impl<'r> Credential<'r> {
    /// The only one that is not empty, or why there is none to check.
    pub(crate) fn of(request: &Request<'r>) -> Result<Self, Reason> {
        let mut only = None;
        for (name, value) in request.headers() {
            if !is_credential(name) {
                continue;
            }
            let value = without_blanks(value);
            if !value.is_empty() && only.replace(value).is_some() {
                return Err(Reason::CredentialAmbiguous);
            }
        }
        let value = only.ok_or(Reason::CredentialMissing)?;
        Ok(Self {
            value,
            behind_scheme: after_scheme(value),
        })
    }

    /// What stands where a token would, whatever it is. Only what is known to be a token may be compared with it.
    pub(crate) fn unchecked(&self) -> Option<&'r [u8]> {
        let (spaces, text) = split_spaces(self.behind_scheme?);
        (spaces > 0).then_some(text)
    }

    /// The token taken apart, or why there is none.
    ///
    /// Base64url and dots are characters of `token68`, so that what comes apart needs no look at each of them: whether it is one, or no
    /// credential at all, is asked about the others.
    pub(crate) fn token(
        &self,
        known: &KnownHeaders,
    ) -> Result<UnverifiedToken<'r>, InvalidCredential> {
        let text = self.unchecked().unwrap_or_default();
        match str::from_utf8(text).map(|text| UnverifiedToken::parse_knowing(text, known)) {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(malformed)) if is_token68(text) => Err(InvalidCredential::Token(malformed)),
            Ok(Err(_)) | Err(_) => Err(InvalidCredential::Credential(self.fault())),
        }
    }

    /// What is wrong with a value that holds no token.
    fn fault(&self) -> Reason {
        match self.behind_scheme {
            _ if self.value.contains(&b',') => Reason::CredentialAmbiguous,
            None => Reason::CredentialMissing,
            Some(_) => Reason::CredentialMalformed,
        }
    }
}

/// The number of spaces that a text begins with, and what stands behind them.
fn split_spaces(text: &[u8]) -> (usize, &[u8]) {
    let spaces = text.iter().take_while(|octet| **octet == b' ').count();
    (spaces, text.get(spaces..).unwrap_or_default())
}

/// A field value without the optional white space around it (RFC 9110 section 5.5): spaces and tabs, nothing else.
fn without_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', inner @ ..] | [inner @ .., b' ' | b'\t'] = value {
        value = inner;
    }
    value
}

/// What follows the scheme `Bearer`, in any case; nothing when the scheme is another one.
fn after_scheme(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_first_chunk()?;
    let is_bearer = scheme == b"Bearer" || scheme.eq_ignore_ascii_case(b"bearer");
    let ends_there = rest.first().is_none_or(|octet| !is_token_octet(*octet));
    (is_bearer && ends_there).then_some(rest)
}

/// `token68` of RFC 9110 section 11.2: one or more of its characters, then any number of `=`.
fn is_token68(text: &[u8]) -> bool {
    let padding = text
        .iter()
        .rev()
        .take_while(|octet| **octet == b'=')
        .count();
    let body = text.len().saturating_sub(padding);
    let body = text.get(..body).unwrap_or_default();
    !body.is_empty() && body.iter().all(|octet| is_token68_octet(*octet))
}

fn is_token68_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verify::Algorithm;
    use crate::verify::testing::mint;

    /// What stands where a token would, if its characters are those of one: none of these is a token.
    fn check(values: &[&str], expected: Result<&str, Reason>) {
        let headers = values.iter().map(|value| ("Authorization", *value));
        let request = Request::new(b"GET", Some(b"/"), headers);
        let found = Credential::of(&request).and_then(|credential| {
            match credential.token(&KnownHeaders::default()) {
                Ok(_) => panic!("a token: {values:?}"),
                Err(InvalidCredential::Credential(reason)) => Err(reason),
                Err(InvalidCredential::Token(_)) => Ok(credential.unchecked().unwrap()),
            }
        });
        assert_eq!(found, expected.map(str::as_bytes), "{values:?}");
    }

    #[test]
    fn credentials() {
        use Reason::{CredentialAmbiguous, CredentialMalformed, CredentialMissing};
        check(&[], Err(CredentialMissing));
        check(&[""], Err(CredentialMissing));
        check(&["  "], Err(CredentialMissing));
        check(&["Basic dXNlcjpwYXNz"], Err(CredentialMissing));
        check(&["Bearertoken"], Err(CredentialMissing));
        check(&["Token abc"], Err(CredentialMissing));
        check(&["\u{e9}"], Err(CredentialMissing));
        check(&["Bearer abc"], Ok("abc"));
        check(&["bEARER abc"], Ok("abc"));
        check(&["Bearer    abc=="], Ok("abc=="));
        check(&["", "Bearer abc"], Ok("abc"));
        check(&["Bearer a-._~+/9"], Ok("a-._~+/9"));
        check(&["Bearer"], Err(CredentialMalformed));
        check(&["Bearer "], Err(CredentialMalformed));
        check(&["Bearer ="], Err(CredentialMalformed));
        check(&["Bearer a=b"], Err(CredentialMalformed));
        check(&["Bearer a b"], Err(CredentialMalformed));
        check(&["Bearer\tabc"], Err(CredentialMalformed));
        check(&["Bearer \tabc"], Err(CredentialMalformed));
        check(&["Bearer \nabc"], Err(CredentialMalformed));
        check(&["Bearer \u{c}abc"], Err(CredentialMalformed));
        check(&["Bearer abc\r\n"], Err(CredentialMalformed));
        check(&["\t Bearer abc \t"], Ok("abc"));
        check(&["Bearer \"abc\""], Err(CredentialMalformed));
        check(&["Bearer ab\u{e9}"], Err(CredentialMalformed));
        check(&["Bearer abc, Bearer def"], Err(CredentialAmbiguous));
        check(&["Bearer abc,"], Err(CredentialAmbiguous));
        check(&["Bearer abc", "Bearer abc"], Err(CredentialAmbiguous));
        check(&["Basic abc", "Bearer abc"], Err(CredentialAmbiguous));
    }

    #[test]
    fn what_comes_apart_is_a_token_by_its_characters() {
        let token = mint(
            Algorithm::Ed25519,
            json!({}),
            &json!({"iss": "i", "exp": 1}),
        );
        let comes_apart = |token: &str| {
            let value = format!("Bearer {token}");
            let request = Request::new(b"GET", Some(b"/"), [("authorization", &value)]);
            Credential::of(&request)
                .unwrap()
                .token(&KnownHeaders::default())
                .is_ok()
        };
        assert!(comes_apart(&token) && is_token68(token.as_bytes()));
        for octet in (0..=u8::MAX).map(char::from) {
            for place in [0, 5, token.len() / 2, token.len()] {
                let (start, end) = token.split_at(place);
                let changed = format!("{start}{octet}{end}");
                // What is trimmed is none of its characters.
                let text = changed
                    .trim_start_matches(' ')
                    .trim_end_matches([' ', '\t']);
                let is_one = is_token68(text.as_bytes());
                assert!(is_one || !comes_apart(&changed), "{changed:?}");
            }
        }
    }
}
