//! The one table from a reason to its HTTP answer.

mod challenges;

use std::borrow::Cow;
use std::time::Duration;

use crate::decision::{Deny, Facts};
use crate::reason::Reason;
use crate::request::Request;
pub(crate) use challenges::Challenges;

/// What a host answers for a refusal. It borrows from the policy (`'p`), where all that can be said beforehand is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'p> {
    /// The HTTP status code.
    pub status: u16,
    /// The header fields of the answer; `content-length` is the host's.
    pub headers: Vec<(&'static str, Cow<'p, str>)>,
    /// The body: a problem document, or for gRPC the bare title.
    pub body: &'static str,
    /// The gRPC status, when the request was gRPC.
    pub grpc_status: Option<u8>,
}

/// The rows of the HTTP contract, less what differs from request to request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Unauthorized,
    InvalidToken,
    Expired,
    InvalidRequest,
    InsufficientScope,
    ForbiddenToken,
    Forbidden,
    Ambiguous,
    Unavailable,
    Broken,
    UpstreamUnreachable,
    UpstreamTimeout,
    BadRequest,
    LengthRequired,
    FieldsTooLarge,
}

/// Why a host that forwards by itself has no answer of the upstream for a request that was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardingFailure {
    /// No connection, or one that broke before the answer began.
    UpstreamUnreachable,
    /// No answer within the time allowed.
    UpstreamTimeout,
    /// Content that broke off before it could be forwarded.
    ContentBroken,
    /// Content without a length, in a request that the host can only forward with one.
    LengthRequired,
    /// More header fields than the host can forward.
    FieldsTooLarge,
}

impl Reason {
    /// The row of the HTTP contract. There is no other place that turns a reason into an answer.
    const fn row(self) -> Row {
        match self {
            Self::CredentialMissing => Row::Unauthorized,
            Self::CredentialAmbiguous | Self::CredentialMalformed => Row::InvalidRequest,
            Self::TokenExpired => Row::Expired,
            Self::TokenTooLarge
            | Self::TokenMalformed
            | Self::AlgorithmRefused
            | Self::CriticalHeader
            | Self::TypeRefused
            | Self::ClaimMalformed
            | Self::ProofOfPossession
            | Self::IssuerUnknown
            | Self::IssuerRefused
            | Self::TokenNotYetValid
            | Self::AudienceMismatch
            | Self::KidUnknown
            | Self::KeyUnusable
            | Self::KeyAmbiguous
            | Self::SignatureInvalid => Row::InvalidToken,
            Self::KeysUnavailable | Self::KidAwaited => Row::Unavailable,
            Self::ScopeMissing => Row::InsufficientScope,
            Self::ClaimRefused | Self::ClaimUnforwardable => Row::ForbiddenToken,
            Self::RouteUnmatched
            | Self::MethodUnmatched
            | Self::PathMissing
            | Self::ConnectRefused => Row::Forbidden,
            Self::PathAmbiguous => Row::Ambiguous,
            Self::HostFailure => Row::Broken,
        }
    }
}

/// What an answer of a row says besides its challenge.
struct Line {
    status: u16,
    title: &'static str,
    /// The problem document (RFC 9457) of the two.
    problem: &'static str,
    /// gRPC's "Statuscodes".
    grpc_status: u8,
}

macro_rules! line {
    ($status:literal, $title:literal, $grpc_status:literal) => {
        Line {
            status: $status,
            title: $title,
            problem: concat!(r#"{"title":""#, $title, r#"","status":"#, $status, "}"),
            grpc_status: $grpc_status,
        }
    };
}

impl Row {
    /// Status, title, and the gRPC status (RFC 9110, RFC 6750 section 3.1).
    const fn line(self) -> Line {
        match self {
            Self::Unauthorized | Self::InvalidToken | Self::Expired => {
                line!(401, "Missing or invalid token", 16)
            }
            Self::InvalidRequest => line!(400, "Missing or invalid token", 13),
            Self::InsufficientScope => line!(403, "Insufficient scope", 7),
            Self::ForbiddenToken | Self::Forbidden => line!(403, "Forbidden", 7),
            Self::Ambiguous => line!(400, "Ambiguous path", 13),
            Self::Unavailable => line!(503, "Keys unavailable", 14),
            Self::Broken => line!(503, "Service unavailable", 14),
            Self::UpstreamUnreachable => line!(502, "Upstream unreachable", 14),
            Self::UpstreamTimeout => line!(504, "Upstream timeout", 4),
            Self::BadRequest => line!(400, "Bad request", 13),
            Self::LengthRequired => line!(411, "Length required", 13),
            Self::FieldsTooLarge => line!(431, "Request header fields too large", 8),
        }
    }
}

/// The answer for a refusal: DESIGN's HTTP contract, the same on every host.
pub(crate) fn response<'p>(
    deny: &Deny<'_>,
    challenges: &'p Challenges,
    grpc: bool,
) -> Response<'p> {
    let row = deny.reason.row();
    let challenge = challenges.of(row, &deny.scopes);
    let retry_after =
        (row == Row::Unavailable).then(|| whole_seconds(deny.retry_after).to_string());
    let own = [
        ("www-authenticate", challenge),
        ("retry-after", retry_after.map(Cow::Owned)),
    ];
    let own = own
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    answer(row, own, grpc)
}

/// An answer of that row, with these fields before those that all have.
fn answer<'p>(
    row: Row,
    own: impl IntoIterator<Item = (&'static str, Cow<'p, str>)>,
    grpc: bool,
) -> Response<'p> {
    let line = row.line();
    // For all that an answer has, at once.
    let mut headers = Vec::with_capacity(4);
    headers.extend(own);
    headers.push(("cache-control", Cow::Borrowed("no-store")));
    if !grpc {
        headers.push(("content-type", Cow::Borrowed("application/problem+json")));
    }
    Response {
        status: line.status,
        headers,
        body: if grpc { line.title } else { line.problem },
        grpc_status: grpc.then_some(line.grpc_status),
    }
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3), rounded up and at least 1.
fn whole_seconds(wait: Duration) -> u64 {
    let rounded = match wait.subsec_nanos() {
        0 => wait.as_secs(),
        _ => wait.as_secs().saturating_add(1),
    };
    rounded.max(1)
}

impl Response<'_> {
    /// The answer of a host that cannot ask [`decide`](crate::decide): it could not read the request, or has no policy.
    pub fn host_failure() -> Self {
        answer(Reason::HostFailure.row(), [], false)
    }

    /// The answer of a host to what it cannot read as a request.
    pub fn bad_request() -> Self {
        answer(Row::BadRequest, [], false)
    }

    /// The answer of a host that forwards by itself, for a request that was allowed and has no answer of the upstream (RFC 9110
    /// sections 15.6.3, 15.6.5 and 15.5.12, RFC 6585 section 5).
    pub fn forwarding_failure(failure: ForwardingFailure, request: &Request<'_>) -> Self {
        answer(failure.row(), [], request.is_grpc())
    }
}

impl ForwardingFailure {
    const fn row(self) -> Row {
        match self {
            Self::UpstreamUnreachable => Row::UpstreamUnreachable,
            Self::UpstreamTimeout => Row::UpstreamTimeout,
            Self::ContentBroken => Row::BadRequest,
            Self::LengthRequired => Row::LengthRequired,
            Self::FieldsTooLarge => Row::FieldsTooLarge,
        }
    }

    /// The stable word of logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::ContentBroken => "content_broken",
            Self::LengthRequired => "length_required",
            Self::FieldsTooLarge => "fields_too_large",
        }
    }
}

impl<'a> Deny<'a> {
    /// A refusal that says no more than its reason.
    pub(crate) fn because(reason: Reason, facts: Facts<'a>) -> Self {
        Self {
            reason,
            scopes: Vec::new(),
            retry_after: Duration::ZERO,
            facts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(reason: Reason, grpc: bool) -> Response<'static> {
        let deny = Deny {
            scopes: vec!["read:timesheets", "create:timesheets"],
            retry_after: Duration::from_millis(1_200),
            ..Deny::because(reason, Facts::default())
        };
        let challenges = Box::leak(Box::new(Challenges::new("timesheets")));
        response(&deny, challenges, grpc)
    }

    fn check(reason: Reason, status: u16, challenge: Option<&str>, title: &str) {
        let seen = refusal(reason, false);
        let challenges: Vec<_> = seen
            .headers
            .iter()
            .filter(|(name, _)| *name == "www-authenticate")
            .map(|(_, value)| value.as_ref())
            .collect();
        assert_eq!(seen.status, status, "{reason:?}");
        assert_eq!(
            challenges,
            challenge.into_iter().collect::<Vec<_>>(),
            "{reason:?}"
        );
        assert_eq!(
            seen.body,
            format!(r#"{{"title":"{title}","status":{status}}}"#),
            "{reason:?}"
        );
        assert!(seen.headers.contains(&("cache-control", "no-store".into())));
        assert_eq!(refusal(reason, true).body, title, "{reason:?}");
    }

    #[test]
    fn every_row_of_the_contract() {
        let bad = "Missing or invalid token";
        check(
            Reason::CredentialMissing,
            401,
            Some(r#"Bearer realm="timesheets""#),
            bad,
        );
        check(
            Reason::SignatureInvalid,
            401,
            Some(r#"Bearer realm="timesheets", error="invalid_token""#),
            bad,
        );
        check(
            Reason::TokenExpired,
            401,
            Some(
                r#"Bearer realm="timesheets", error="invalid_token", error_description="The access token expired""#,
            ),
            bad,
        );
        check(
            Reason::CredentialAmbiguous,
            400,
            Some(r#"Bearer realm="timesheets", error="invalid_request""#),
            bad,
        );
        check(
            Reason::ScopeMissing,
            403,
            Some(
                r#"Bearer realm="timesheets", error="insufficient_scope", scope="read:timesheets create:timesheets""#,
            ),
            "Insufficient scope",
        );
        check(
            Reason::ClaimRefused,
            403,
            Some(r#"Bearer realm="timesheets", error="insufficient_scope""#),
            "Forbidden",
        );
        check(Reason::RouteUnmatched, 403, None, "Forbidden");
        check(Reason::PathAmbiguous, 400, None, "Ambiguous path");
        check(Reason::KeysUnavailable, 503, None, "Keys unavailable");
        check(Reason::KidAwaited, 503, None, "Keys unavailable");
        check(Reason::HostFailure, 503, None, "Service unavailable");
    }

    #[test]
    fn retry_after_is_rounded_up_and_never_zero() {
        let seen = refusal(Reason::KeysUnavailable, false);
        assert!(seen.headers.contains(&("retry-after", "2".into())));
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_secs(30)), 30);
    }

    #[test]
    fn a_grpc_status_follows_the_http_status() {
        for reason in Reason::ALL {
            let seen = refusal(reason, true);
            let expected = match seen.status {
                400 => 13,
                401 => 16,
                403 => 7,
                503 => 14,
                other => panic!("{reason:?} answers {other}"),
            };
            assert_eq!(seen.grpc_status, Some(expected), "{reason:?}");
        }
    }

    #[test]
    fn what_could_not_be_forwarded() {
        for (failure, status, grpc_status) in [
            (ForwardingFailure::UpstreamUnreachable, 502, 14),
            (ForwardingFailure::UpstreamTimeout, 504, 4),
            (ForwardingFailure::ContentBroken, 400, 13),
            (ForwardingFailure::LengthRequired, 411, 13),
            (ForwardingFailure::FieldsTooLarge, 431, 8),
        ] {
            for (content_type, expected) in [
                ("text/plain", None),
                ("application/grpc", Some(grpc_status)),
            ] {
                let headers = [("content-type", content_type)];
                let request = Request::new(b"GET", Some(b"/"), headers);
                let seen = Response::forwarding_failure(failure, &request);
                assert_eq!((seen.status, seen.grpc_status), (status, expected));
                assert!(seen.headers.contains(&("cache-control", "no-store".into())));
            }
        }
    }
}
