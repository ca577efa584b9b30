//! The URLs of a policy: who an issuer is, and where its keys are.

use serde_saphyr::Spanned;
use url::{Host, Url};

use super::error::{Explanation, Problems};

/// Why a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidUrl {
    Unparsable {
        reason: String,
    },
    /// Something else than http and https.
    Scheme,
    /// http, outside loopback.
    Http,
    UserInfo,
    /// An issuer that is empty or holds blanks.
    Issuer,
    Fragment,
}

/// Whether http is taken outside loopback, because the issuer says `danger_http_jwks: true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainHttp {
    Refused,
    Permitted,
}

/// Checks an issuer, kept byte for byte as it is written: any StringOrURI (RFC 7519 section 2).
///
/// Most are https URLs (RFC 8414 section 2), but tokens are signed by `accounts.google.com` and by names of a team's own
/// too. Nothing is fetched from it, so that it need not be an address.
pub(super) fn issuer(text: &Spanned<String>, problems: &mut Problems<'_>) -> Option<String> {
    let unfit = |character: char| character.is_control() || character.is_whitespace();
    if text.value.is_empty() || text.value.chars().any(unfit) {
        problems.report(text.referenced, InvalidUrl::Issuer);
        return None;
    }
    Some(text.value.clone())
}

/// Checks the address of a key set, and writes it in the one normal form that is fetched.
pub(super) fn jwks_uri(
    text: &Spanned<String>,
    http: PlainHttp,
    problems: &mut Problems<'_>,
) -> Option<String> {
    parse(&text.value, http)
        .map(String::from)
        .map_err(|kind| report(text, kind, problems))
        .ok()
}

fn report(text: &Spanned<String>, kind: InvalidUrl, problems: &mut Problems<'_>) {
    match kind {
        // A password stays out of the log even now.
        InvalidUrl::UserInfo => problems.report_unseen(text.referenced, kind),
        _ => problems.report(text.referenced, kind),
    }
}

fn parse(text: &str, http: PlainHttp) -> Result<Url, InvalidUrl> {
    // The parser repairs what browsers repair: blanks, line breaks, backslashes. A policy says what it means.
    let unfit = |character: &char| !character.is_ascii_graphic() || *character == '\\';
    if let Some(found) = text.chars().find(unfit) {
        return Err(InvalidUrl::Unparsable {
            reason: format!("it holds `{}`", found.escape_default()),
        });
    }
    let url = Url::parse(text).map_err(|error| InvalidUrl::Unparsable {
        reason: error.to_string(),
    })?;
    match url.scheme() {
        "https" => {}
        "http" if http == PlainHttp::Permitted || is_loopback(&url) => {}
        "http" => return Err(InvalidUrl::Http),
        _ => return Err(InvalidUrl::Scheme),
    }
    // `https:host` and `https:///host` are repaired as well.
    let authority = text
        .split_once("://")
        .is_some_and(|(_, behind)| !behind.starts_with('/'));
    if !authority {
        return Err(InvalidUrl::Unparsable {
            reason: "there is no host behind `://`".into(),
        });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidUrl::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(InvalidUrl::Fragment);
    }
    Ok(url)
}

/// Whether the address cannot leave the machine (RFC 1122 section 3.2.1.3, RFC 6761 section 6.3).
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl InvalidUrl {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::Unparsable { reason } => Explanation::new(
                format!("this is not a URL: {reason}"),
                "write it whole, as in `https://tenant.example.com/`",
            ),
            Self::Scheme => Explanation::new(
                "this is not an https URL",
                "write it whole, as in `https://tenant.example.com/`",
            ),
            Self::Http => Explanation::new(
                "whoever can change plain http on its way can sign tokens",
                "use https, or write `danger_http_jwks: true` on this issuer if the way is safe otherwise",
            ),
            Self::UserInfo => Explanation::new(
                "a URL with a user name or password is refused, as it would end up in logs",
                "remove everything between `://` and `@`",
            ),
            Self::Issuer => Explanation::new(
                "no token has such an `iss`",
                "write the `iss` of its tokens, byte for byte",
            ),
            Self::Fragment => Explanation::new(
                "a fragment is never sent to the server",
                "remove the `#` and what follows",
            ),
        }
    }
}
