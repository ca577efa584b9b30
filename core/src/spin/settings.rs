//! The variables of the Spin component.

use std::fmt;
use std::time::Duration;

use url::{Position, Url};

use crate::policy::parse_duration;

/// How long an upstream may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time that can be set: what Spin waits when nobody tells it otherwise.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);

/// Where allowed requests go: `upstream` and `upstream_timeout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Host and port.
    pub authority: String,
    /// How long it may take to connect, to take what it is sent, and to begin its answer.
    pub timeout: Duration,
}

/// `log`: which decisions are worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Logged {
    /// None.
    Nothing,
    /// What was refused, would have been refused in shadow mode, or could not be forwarded. The default.
    Refused,
    /// Every one.
    All,
}

/// `forwarded`: who says where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// The component, by what Spin saw; the client's word is taken away. The default.
    Replace,
    /// A proxy in front, whose word passes as it is.
    Keep,
}

/// A variable that nothing can be done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSetting {
    /// There is no upstream to forward to.
    UpstreamMissing,
    /// Not a URL of scheme http or https with a host and nothing behind it.
    Upstream,
    /// Not a time between a millisecond and ten minutes.
    UpstreamTimeout,
    /// None of the three words.
    Log,
    /// Neither of the two words.
    Forwarded,
}

impl Upstream {
    /// Reads the two variables.
    pub fn parse(url: Option<&str>, timeout: Option<&str>) -> Result<Self, InvalidSetting> {
        let text = url.ok_or(InvalidSetting::UpstreamMissing)?;
        // A URL parser repairs what is no URL: blanks, line breaks, `\\`, a missing `//`.
        let is_odd = |sign: char| sign.is_whitespace() || sign.is_control() || sign == '\\';
        if !text.contains("://") || text.contains(is_odd) {
            return Err(InvalidSetting::Upstream);
        }
        let url = Url::parse(text).map_err(|_| InvalidSetting::Upstream)?;
        let scheme = match url.scheme() {
            "http" => "http",
            "https" => "https",
            _ => return Err(InvalidSetting::Upstream),
        };
        // A path of its own would make the upstream see another one than was authorised, and a user has no place here.
        let has_user = !url.username().is_empty() || url.password().is_some();
        let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if has_user || has_more {
            return Err(InvalidSetting::Upstream);
        }
        let timeout = match timeout {
            None => TIMEOUT,
            Some(text) => parse_duration(text)
                .filter(|timeout| !timeout.is_zero() && *timeout <= LONGEST_TIMEOUT)
                .ok_or(InvalidSetting::UpstreamTimeout)?,
        };
        Ok(Self {
            scheme,
            authority: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            timeout,
        })
    }
}

impl Logged {
    /// Reads the variable.
    pub fn parse(word: Option<&str>) -> Result<Self, InvalidSetting> {
        match word {
            None | Some("refused") => Ok(Self::Refused),
            Some("all") => Ok(Self::All),
            Some("nothing") => Ok(Self::Nothing),
            Some(_) => Err(InvalidSetting::Log),
        }
    }
}

impl Forwarded {
    /// Reads the variable.
    pub fn parse(word: Option<&str>) -> Result<Self, InvalidSetting> {
        match word {
            None | Some("replace") => Ok(Self::Replace),
            Some("keep") => Ok(Self::Keep),
            Some(_) => Err(InvalidSetting::Forwarded),
        }
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UpstreamMissing => {
                "variable `upstream` is not set: write the URL that requests are forwarded to, such as \
                 `http://timesheets.spin.internal`"
            }
            Self::Upstream => {
                "variable `upstream` must be http:// or https:// with a host and perhaps a port, without a user, a path \
                 or a query: the upstream gets the path that was authorised"
            }
            Self::UpstreamTimeout => {
                "variable `upstream_timeout` must be a whole number with `ms`, `s` or `m`, such as `10s`, of at most 10m"
            }
            Self::Log => "variable `log` must be `all`, `refused` or `nothing`",
            Self::Forwarded => "variable `forwarded` must be `replace` or `keep`",
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
            ("", Err(InvalidSetting::Upstream)),
            ("timesheets.spin.internal", Err(InvalidSetting::Upstream)),
            ("http:example.com", Err(InvalidSetting::Upstream)),
            ("http:\\\\example.com://", Err(InvalidSetting::Upstream)),
            (" http://example.com", Err(InvalidSetting::Upstream)),
            ("http://exam\nple.com", Err(InvalidSetting::Upstream)),
            ("ftp://example.com", Err(InvalidSetting::Upstream)),
            ("http://user@example.com", Err(InvalidSetting::Upstream)),
            ("http://:secret@example.com", Err(InvalidSetting::Upstream)),
            ("http://example.com/base", Err(InvalidSetting::Upstream)),
            ("http://example.com?x", Err(InvalidSetting::Upstream)),
            ("http://example.com/#x", Err(InvalidSetting::Upstream)),
        ] {
            let seen = Upstream::parse(Some(url), None).map(|upstream| upstream.authority);
            assert_eq!(seen, expected.map(str::to_owned), "{url}");
        }
        assert!(matches!(
            Upstream::parse(None, None),
            Err(InvalidSetting::UpstreamMissing)
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
            let seen =
                Upstream::parse(Some("http://a"), Some(text)).map(|upstream| upstream.timeout);
            let expected = expected.map(Duration::from_millis);
            assert_eq!(seen.ok(), expected, "{text}");
        }
        let seen = Upstream::parse(Some("http://a"), None).map(|upstream| upstream.timeout);
        assert_eq!(seen.ok(), Some(TIMEOUT));
    }

    #[test]
    fn words() {
        for (word, expected) in [
            (None, Ok(Logged::Refused)),
            (Some("all"), Ok(Logged::All)),
            (Some("refused"), Ok(Logged::Refused)),
            (Some("nothing"), Ok(Logged::Nothing)),
            (Some("ALL"), Err(InvalidSetting::Log)),
        ] {
            assert_eq!(Logged::parse(word), expected, "{word:?}");
        }
        for (word, expected) in [
            (None, Ok(Forwarded::Replace)),
            (Some("replace"), Ok(Forwarded::Replace)),
            (Some("keep"), Ok(Forwarded::Keep)),
            (Some("true"), Err(InvalidSetting::Forwarded)),
        ] {
            assert_eq!(Forwarded::parse(word), expected, "{word:?}");
        }
    }
}
