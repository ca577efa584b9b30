//! To the upstream that the manifest names, over the network or in memory.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use scopegate_core::UpstreamFailure;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, RequestOptions, Response, Scheme};
use url::{Position, Url};

use super::Origin;
use crate::body::Progress;
use crate::host;

/// How long an upstream may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time that can be set: what the host waits when nobody tells it otherwise.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);

/// Where requests go that may pass.
#[derive(Debug)]
pub(crate) struct Target {
    scheme: Scheme,
    /// Host and port.
    authority: String,
    /// How long it may take to connect, to take what it is sent, and to begin its answer.
    timeout: Duration,
}

/// A variable that does not say where to forward to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvalidTarget {
    /// There is no `upstream`.
    Missing,
    /// Not a URL of scheme http or https with a host and nothing behind it.
    Url,
    /// Not a time between a millisecond and ten minutes.
    Timeout,
}

impl Target {
    /// Reads `upstream` and `upstream_timeout`. The outer error is the provider's.
    pub(crate) async fn read() -> Result<Result<Self, InvalidTarget>, String> {
        let url = host::variable("upstream").await?;
        let timeout = host::variable("upstream_timeout").await?;
        Ok(Self::parse(url.as_deref(), timeout.as_deref()))
    }

    fn parse(url: Option<&str>, timeout: Option<&str>) -> Result<Self, InvalidTarget> {
        let text = url.ok_or(InvalidTarget::Missing)?;
        let url = Url::parse(text).map_err(|_| InvalidTarget::Url)?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(InvalidTarget::Url),
        };
        // A path of its own would make the upstream see another one than was authorised, and a user has no place here.
        let authority = authority(&url);
        let has_user = !url.username().is_empty() || url.password().is_some();
        let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if authority.is_empty() || has_user || has_more {
            return Err(InvalidTarget::Url);
        }
        let timeout = timeout.map_or(Some(TIMEOUT), duration);
        Ok(Self {
            scheme,
            authority: authority.to_owned(),
            timeout: timeout.ok_or(InvalidTarget::Timeout)?,
        })
    }

    /// The host's own timeout for a connection, of ten minutes, comes down to the time allowed. That for the first octet of the
    /// answer stays: it would count while the client sends, and [`Target::send`] knows better.
    pub(crate) fn options(&self) -> Option<RequestOptions> {
        let options = RequestOptions::new();
        let timeout = u64::try_from(self.timeout.as_nanos()).ok();
        options.set_connect_timeout(timeout).ok()?;
        Some(options)
    }

    /// Puts the upstream's address on a request.
    pub(crate) fn address(&self, _: &Origin, outgoing: &Request) -> Result<(), ()> {
        outgoing.set_scheme(Some(&self.scheme))?;
        outgoing.set_authority(Some(&self.authority))
    }

    /// Sends it, and waits for the beginning of the answer.
    pub(crate) async fn send(
        &self,
        outgoing: Request,
        progress: &Progress,
    ) -> Result<Response, UpstreamFailure> {
        let sent = pin!(host::send(outgoing));
        let overdue = pin!(progress.overdue(self.timeout));
        match select(sent, overdue).await {
            Either::Left((answer, _)) => answer.map_err(|code| failure(&code)),
            Either::Right(_) => Err(UpstreamFailure::Timeout),
        }
    }
}

/// Nothing that Spin says of a request goes on: to the upstream it would be the client's word.
pub(crate) fn is_kept_of_spin(_: &str) -> bool {
    false
}

fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// `500ms`, `10s`, `2m`, as in the policy.
fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|sign: char| !sign.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => number,
        "s" => number.checked_mul(1_000)?,
        "m" => number.checked_mul(60_000)?,
        _ => return None,
    };
    let duration = Duration::from_millis(millis);
    (!duration.is_zero() && duration <= LONGEST_TIMEOUT).then_some(duration)
}

fn failure(code: &ErrorCode) -> UpstreamFailure {
    if matches!(code, ErrorCode::HttpRequestDenied) {
        host::log("the upstream is not among the `allowed_outbound_hosts` of the manifest");
    }
    match host::is_timeout(code) {
        true => UpstreamFailure::Timeout,
        false => UpstreamFailure::Unreachable,
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => {
                "variable `upstream` is not set: write the URL that requests are forwarded to, such as \
                 `http://timesheets.spin.internal`"
            }
            Self::Url => {
                "variable `upstream` must be http:// or https:// with a host and perhaps a port, without a user, a \
                 path or a query: the upstream gets the path that was authorised"
            }
            Self::Timeout => {
                "variable `upstream_timeout` must be a whole number with `ms`, `s` or `m`, such as `10s`, of at most 10m"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams() {
        for (url, expected) in [
            (
                "http://timesheets.spin.internal",
                Ok("timesheets.spin.internal"),
            ),
            ("http://127.0.0.1:8080/", Ok("127.0.0.1:8080")),
            ("https://[::1]:8443", Ok("[::1]:8443")),
            ("https://API.example.com:443", Ok("api.example.com")),
            ("", Err(InvalidTarget::Url)),
            ("timesheets.spin.internal", Err(InvalidTarget::Url)),
            ("ftp://example.com", Err(InvalidTarget::Url)),
            ("http://user@example.com", Err(InvalidTarget::Url)),
            ("http://:secret@example.com", Err(InvalidTarget::Url)),
            ("http://example.com/base", Err(InvalidTarget::Url)),
            ("http://example.com?x", Err(InvalidTarget::Url)),
            ("http://example.com/#x", Err(InvalidTarget::Url)),
        ] {
            let seen = Target::parse(Some(url), None).map(|upstream| upstream.authority);
            assert_eq!(seen, expected.map(str::to_owned), "{url}");
        }
        assert!(matches!(
            Target::parse(None, None),
            Err(InvalidTarget::Missing)
        ));
    }

    #[test]
    fn timeouts() {
        for (text, expected) in [
            ("", None),
            ("500ms", Some(500)),
            ("3s", Some(3_000)),
            ("10m", Some(600_000)),
            ("11m", None),
            ("0s", None),
            ("10", None),
            ("-1s", None),
            ("1.5s", None),
            ("s", None),
            ("99999999999999999999s", None),
        ] {
            let seen = Target::parse(Some("http://a"), Some(text)).map(|upstream| upstream.timeout);
            let expected = expected.map(Duration::from_millis);
            assert_eq!(seen.ok(), expected, "{text}");
        }
        let seen = Target::parse(Some("http://a"), None).map(|target| target.timeout);
        assert_eq!(seen.ok(), Some(TIMEOUT));
    }
}
