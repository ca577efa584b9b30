//! The URLs of a policy: who an issuer is, and where its keys are.

use serde_json::Value;

use super::yaml::Spanned;

use super::error::{Explanation, Problems};
use super::schema::text_like;
use crate::key_url::{self, InvalidKeyUrl, MAX_URL_BYTES, PlainHttp};

/// Why a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidUrl {
    /// An issuer that is empty or holds blanks.
    Issuer,
    /// An address that no keys are fetched from.
    Keys(InvalidKeyUrl),
}

/// Checks an issuer, kept byte for byte as it is written: any StringOrURI (RFC 7519 section 2).
///
/// Most are https URLs (RFC 8414 section 2), but tokens are signed by `accounts.google.com` and by names of a team's own
/// too. It need not be an address, unless its keys are to be discovered.
pub(super) fn issuer(text: &Spanned<String>, problems: &mut Problems<'_>) -> Option<String> {
    let unfit = |character: char| character.is_control() || character.is_whitespace();
    if text.value.is_empty() || text.value.chars().any(unfit) {
        problems.report(text.place, InvalidUrl::Issuer);
        return None;
    }
    Some(text.value.clone())
}

/// What an issuer may be, for editors: no control characters, and no white space of Unicode.
pub(super) fn issuer_schema() -> Value {
    text_like(r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$")
}

/// What the address of a key set may be, for editors.
pub(super) fn jwks_uri_schema() -> Value {
    text_like(r"^[Hh][Tt][Tt][Pp][Ss]?://[!-\[\]-~]+$")
}

/// Checks the address of a key set, and writes it in the one normal form that is fetched.
pub(super) fn jwks_uri(
    text: &Spanned<String>,
    http: PlainHttp,
    problems: &mut Problems<'_>,
) -> Option<String> {
    key_url::parse(&text.value, http)
        .map(String::from)
        .map_err(|kind| report(text, kind, problems))
        .ok()
}

/// Tells what is wrong with an address.
pub(super) fn report(text: &Spanned<String>, kind: InvalidKeyUrl, problems: &mut Problems<'_>) {
    let has_password = kind == InvalidKeyUrl::UserInfo;
    let kind = InvalidUrl::Keys(kind);
    match has_password {
        // A password stays out of the log even now.
        true => problems.report_unseen(text.place, kind),
        false => problems.report(text.place, kind),
    }
}

impl InvalidUrl {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::Issuer => Explanation::new(
                "no token has such an `iss`",
                "write the `iss` of its tokens, byte for byte",
            ),
            Self::Keys(InvalidKeyUrl::Unparsable { reason }) => Explanation::new(
                format!("this is not a URL: {reason}"),
                "write it whole, as in `https://tenant.example.com/`",
            ),
            Self::Keys(InvalidKeyUrl::Scheme) => Explanation::new(
                "this is not an https URL",
                "write it whole, as in `https://tenant.example.com/`",
            ),
            Self::Keys(InvalidKeyUrl::Http) => Explanation::new(
                "whoever can change plain http on its way can sign tokens",
                "use https, or write `danger_http_jwks: true` on this issuer if the way is safe otherwise",
            ),
            Self::Keys(InvalidKeyUrl::UserInfo) => Explanation::new(
                "a URL with a user name or password is refused, as it would end up in logs",
                "remove everything between `://` and `@`",
            ),
            Self::Keys(InvalidKeyUrl::TooLong) => Explanation::new(
                format!("this URL is longer than {MAX_URL_BYTES} bytes"),
                "shorten it: it is sent with every fetch, and stands in log lines",
            ),
            Self::Keys(InvalidKeyUrl::Fragment) => Explanation::new(
                "a fragment is never sent to the server",
                "remove the `#` and what follows",
            ),
        }
    }
}
