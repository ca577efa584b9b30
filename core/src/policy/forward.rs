//! Claims that the upstream gets as headers, and the headers that this must never touch.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Forward;
use super::error::{Explanation, Problems};
use super::excerpt;
use super::read::Entries;
use super::schema::text_like;
use super::setting::non_empty;
use crate::request::{cgi_octet, is_token_octet};

/// The longest name of a header. Servers commonly take no more than 64 or 128 bytes.
const MAX_NAME: usize = 128;

/// Headers of one connection (RFC 9110 section 7.6.1): a proxy takes them away or reads them itself.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that route, frame or authenticate the request itself. `forwarded` is the standard's name (RFC 7239) for
/// what `x-forwarded-*` says.
const OF_THE_REQUEST: [&str; 4] = ["host", "authorization", "content-length", "forwarded"];

/// Headers by which proxies tell upstreams where a request came from.
const OF_PROXIES: [&str; 2] = ["x-envoy-", "x-forwarded-"];

/// Why a header is refused as a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidForward {
    NotAHeader,
    Pseudo,
    HopByHop,
    OfTheRequest,
    OfProxies,
    Twice { claim: String, line: u32 },
}

/// The claims that the upstream gets.
pub(super) fn forward(file: Entries<String>, problems: &mut Problems<'_>) -> Option<Vec<Forward>> {
    let mut targets = BTreeMap::new();
    let mut forward = Vec::new();
    let mut all_fit = true;
    for (claim, header) in file.0 {
        let place = header.place;
        let name = header.value.to_ascii_lowercase();
        if let Err(kind) = check(&name) {
            problems.report(place, kind);
            all_fit = false;
            continue;
        }
        let Some(claim) = non_empty(claim, "forward", problems) else {
            all_fit = false;
            continue;
        };
        // Many servers cannot tell `x-auth-sub` from `x_auth_sub`.
        let seen = targets.insert(as_seen(&name), (claim.clone(), place.line));
        if let Some((claim, line)) = seen {
            problems.report(place, InvalidForward::Twice { claim, line });
            all_fit = false;
        }
        forward.push(Forward {
            claim,
            header: name,
        });
    }
    all_fit.then_some(forward)
}

/// What a target may be, for editors. The headers that are refused by their names they are not told.
pub(super) fn header_schema() -> Value {
    text_like(format!("^[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{MAX_NAME}}}$"))
}

fn check(name: &str) -> Result<(), InvalidForward> {
    if name.starts_with(':') {
        return Err(InvalidForward::Pseudo);
    }
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_token_octet) {
        return Err(InvalidForward::NotAHeader);
    }
    let seen = as_seen(name);
    if HOP_BY_HOP.contains(&seen.as_str()) {
        return Err(InvalidForward::HopByHop);
    }
    if OF_THE_REQUEST.contains(&seen.as_str()) {
        return Err(InvalidForward::OfTheRequest);
    }
    if OF_PROXIES.iter().any(|start| seen.starts_with(start)) {
        return Err(InvalidForward::OfProxies);
    }
    Ok(())
}

/// A header name as a server sees it that speaks CGI.
fn as_seen(name: &str) -> String {
    name.bytes().map(cgi_octet).map(char::from).collect()
}

impl InvalidForward {
    pub(super) fn explain(&self) -> Explanation {
        const REMEDY: &str = "choose a name of your own, as in `x-auth-sub`";
        match self {
            Self::NotAHeader => Explanation::new(
                "this is not the name of a header (RFC 9110 section 5.1)",
                "use letters, digits and `-`, as in `x-auth-sub`",
            ),
            Self::Pseudo => {
                Explanation::new("a pseudo header is a part of the request line", REMEDY)
            }
            Self::HopByHop => Explanation::new(
                "this header belongs to one connection (RFC 9110 section 7.6.1) and never reaches the upstream",
                REMEDY,
            ),
            Self::OfTheRequest => Explanation::new(
                "this header belongs to the request itself, and replacing it would change what is asked, or by whom",
                REMEDY,
            ),
            Self::OfProxies => Explanation::new(
                "by this header proxies say where a request came from",
                REMEDY,
            ),
            Self::Twice { claim, line } => Explanation::new(
                format!(
                    "`{}` in line {line} has the same header, or one that servers cannot tell from it",
                    excerpt::shown(claim)
                ),
                "give every claim a header of its own",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_not_ours_is_refused_in_every_spelling() {
        use InvalidForward::{HopByHop, NotAHeader, OfProxies, OfTheRequest, Pseudo};
        for (name, expected) in [
            (":path", Pseudo),
            (":authority", Pseudo),
            ("", NotAHeader),
            ("x auth", NotAHeader),
            ("x-auth:", NotAHeader),
            ("x-größe", NotAHeader),
            ("x-\r\n", NotAHeader),
            ("te", HopByHop),
            ("transfer-encoding", HopByHop),
            ("transfer_encoding", HopByHop),
            ("proxy-connection", HopByHop),
            ("host", OfTheRequest),
            ("authorization", OfTheRequest),
            ("content_length", OfTheRequest),
            ("forwarded", OfTheRequest),
            ("x-envoy-internal", OfProxies),
            ("x_envoy-internal", OfProxies),
            ("x-forwarded-for", OfProxies),
            ("x_forwarded_user", OfProxies),
        ] {
            assert_eq!(check(name), Err(expected), "{name:?}");
        }
        assert_eq!(check(&"x".repeat(129)), Err(NotAHeader));
        for name in ["x-auth-sub", "x_auth_sub", "user", "hostname", "x-envoyfan"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }
}
