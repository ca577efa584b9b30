//! The addresses that keys, and the metadata that names them, may be fetched from.

use url::{Host, Url};

/// The longest address, in bytes. It stands in log lines, and metadata may name one.
pub(crate) const MAX_URL_BYTES: usize = 2_048;

/// Why nothing is fetched from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidKeyUrl {
    Unparsable {
        reason: String,
    },
    /// Something else than http and https.
    Scheme,
    /// http, outside loopback.
    Http,
    UserInfo,
    Fragment,
    TooLong,
}

/// Whether http is taken outside loopback, because the issuer says `danger_http_jwks: true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    Refused,
    Permitted,
}

/// The address, in the one normal form that is fetched.
///
/// # Errors
/// It is none, or one whose answers could come from anybody.
pub(crate) fn parse(text: &str, http: PlainHttp) -> Result<Url, InvalidKeyUrl> {
    // The parser repairs what browsers repair: blanks, line breaks, backslashes. A policy says what it means.
    let unfit = |character: &char| !character.is_ascii_graphic() || *character == '\\';
    if let Some(found) = text.chars().find(unfit) {
        return Err(InvalidKeyUrl::Unparsable {
            reason: format!("it holds `{}`", found.escape_default()),
        });
    }
    let url = Url::parse(text).map_err(|error| InvalidKeyUrl::Unparsable {
        reason: error.to_string(),
    })?;
    // The normal form may be three times as long as what was written.
    if url.as_str().len() > MAX_URL_BYTES {
        return Err(InvalidKeyUrl::TooLong);
    }
    match url.scheme() {
        "https" => {}
        "http" if http == PlainHttp::Permitted || is_loopback(&url) => {}
        "http" => return Err(InvalidKeyUrl::Http),
        _ => return Err(InvalidKeyUrl::Scheme),
    }
    // `https:host` and `https:///host` are repaired as well.
    let authority = text
        .split_once("://")
        .is_some_and(|(_, behind)| !behind.starts_with('/'));
    if !authority {
        return Err(InvalidKeyUrl::Unparsable {
            reason: "there is no host behind `://`".into(),
        });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidKeyUrl::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(InvalidKeyUrl::Fragment);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken once is taken again in its normal form, and is the same: records hold that.
    #[test]
    fn a_normal_form_is_its_own() {
        for text in [
            "https://a.example",
            "https://A.example:443/x/../y?z=\"1\"",
            "http://127.0.0.1:8080/{a}<b>`c`",
            "https://b\u{fc}cher.example/",
            "https://xn--bcher-kva.example/",
            "https://[::1]/a%2Fb",
        ] {
            let Ok(url) = parse(text, PlainHttp::Refused) else {
                assert!(!text.is_ascii(), "{text}");
                continue;
            };
            assert_eq!(parse(url.as_str(), PlainHttp::Refused), Ok(url), "{text}");
        }
    }

    #[test]
    fn the_normal_form_has_a_budget() {
        let of = |path: &str| parse(&format!("https://a.example/{path}"), PlainHttp::Refused);
        assert!(of(&"k".repeat(2_048 - 18)).is_ok());
        assert_eq!(of(&"k".repeat(2_048 - 17)), Err(InvalidKeyUrl::TooLong));
        assert!(of(&"{".repeat(676)).is_ok());
        assert_eq!(of(&"{".repeat(677)), Err(InvalidKeyUrl::TooLong));
    }
}
