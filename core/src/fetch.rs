//! The outcome of a key fetch: what a host saw, judged once for every host.

use std::fmt;
use std::time::Duration;

use crate::jwks::{InvalidKeySet, KeySet};

/// An HTTP answer to a key fetch, as the host received it, whole.
#[derive(Clone, Copy)]
pub struct KeyAnswer<'a> {
    /// The HTTP status code.
    pub status: u16,
    /// The `Cache-Control` field, if there is one.
    pub cache_control: Option<&'a str>,
    /// The content, at most [`crate::MAX_KEY_SET_BYTES`] of it: a longer one is [`FetchFailure::TooLarge`].
    pub body: &'a [u8],
}

/// Why a fetch brought no keys. The first four are what a host sees, the others what the core finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    /// No answer within the time allowed.
    Timeout,
    /// No connection, or one that broke.
    Unreachable,
    /// An answer over the budget.
    TooLarge,
    /// An answer that ended early.
    Truncated,
    /// A redirect: keys come from where the policy says, and from nowhere else.
    Redirect,
    /// Another status than 200.
    Status(u16),
    /// No key set.
    Invalid(InvalidKeySet),
}

/// What became of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchReport {
    /// The key set was taken over.
    Installed {
        /// How many usable keys it holds.
        keys: usize,
    },
    /// The old keys, if any, stay as they were.
    Failed(FetchFailure),
}

pub(crate) struct Fetched {
    pub(crate) keys: KeySet,
    pub(crate) max_age: Option<Duration>,
}

impl KeyAnswer<'_> {
    pub(crate) fn read(self) -> Result<Fetched, FetchFailure> {
        match self.status {
            200 => {}
            300..=399 => return Err(FetchFailure::Redirect),
            other => return Err(FetchFailure::Status(other)),
        }
        let keys = KeySet::parse(self.body).map_err(|invalid| match invalid {
            InvalidKeySet::TooLarge => FetchFailure::TooLarge,
            other => FetchFailure::Invalid(other),
        })?;
        Ok(Fetched {
            keys,
            max_age: self.cache_control.and_then(max_age),
        })
    }
}

impl FetchReport {
    /// The stable word of metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Installed { .. } => "installed",
            Self::Failed(FetchFailure::Timeout) => "timeout",
            Self::Failed(FetchFailure::Unreachable) => "unreachable",
            Self::Failed(FetchFailure::TooLarge) => "too_large",
            Self::Failed(FetchFailure::Truncated) => "truncated",
            Self::Failed(FetchFailure::Redirect) => "redirect",
            Self::Failed(FetchFailure::Status(_)) => "status",
            Self::Failed(FetchFailure::Invalid(_)) => "invalid",
        }
    }

    /// Every word that [`FetchReport::code`] gives.
    pub const CODES: [&'static str; 8] = [
        "installed",
        "timeout",
        "unreachable",
        "too_large",
        "truncated",
        "redirect",
        "status",
        "invalid",
    ];
}

impl fmt::Display for FetchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed { keys } => write!(f, "installed {keys} keys"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
        }
    }
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("no answer in time"),
            Self::Unreachable => f.write_str("no connection, or a broken one"),
            Self::TooLarge => f.write_str("the answer is larger than 64 KiB"),
            Self::Truncated => f.write_str("the answer ended early"),
            Self::Redirect => f.write_str("a redirect, which is not followed"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Invalid(invalid) => write!(f, "{invalid}"),
        }
    }
}

/// `max-age` of RFC 9111 section 5.2.2.1; nothing when it is not there or not a number of seconds.
fn max_age(cache_control: &str) -> Option<Duration> {
    let value = cache_control.split(',').find_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then_some(value)
    })?;
    let digits = value.trim_matches('"');
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    // RFC 9111 section 1.2.2: a number too large to hold counts as the largest.
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::from(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_ages() {
        for (field, expected) in [
            ("max-age=300", Some(300)),
            ("public, Max-Age=\"15\", must-revalidate", Some(15)),
            ("max-age=99999999999999999999999", Some(u64::from(u32::MAX))),
            ("s-maxage=5", None),
            ("no-store", None),
            ("max-age=-1", None),
            ("max-age=", None),
            ("", None),
        ] {
            assert_eq!(max_age(field).map(|age| age.as_secs()), expected, "{field}");
        }
    }

    #[test]
    fn an_outcome_is_told_in_words() {
        use FetchFailure::{Invalid, Redirect, Status, Timeout, TooLarge, Truncated, Unreachable};
        let installed = FetchReport::Installed { keys: 3 };
        assert_eq!(installed.to_string(), "installed 3 keys");
        for (failure, words) in [
            (Timeout, "no answer in time"),
            (Unreachable, "no connection, or a broken one"),
            (TooLarge, "the answer is larger than 64 KiB"),
            (Truncated, "the answer ended early"),
            (Redirect, "a redirect, which is not followed"),
            (Status(500), "status 500"),
            (
                Invalid(InvalidKeySet::NoKeys),
                "the key set has no usable key",
            ),
        ] {
            let report = FetchReport::Failed(failure);
            assert_eq!(report.to_string(), format!("failed: {words}"));
        }
    }
}
