//! The outcome of a key fetch: what a host saw, judged once for every host.

use std::fmt;
use std::time::Duration;

use crate::clock::{self, ClockDrift};
use crate::discovery::{Discovery, InvalidMetadata};
use crate::jwks::{InvalidKeySet, KeySet, OnEmpty};
use crate::time::Timestamp;

/// An HTTP answer to a key fetch, as the host received it, whole.
#[derive(Clone, Default)]
pub struct KeyAnswer {
    status: u16,
    cache_control: Option<String>,
    date: Option<String>,
    age: Option<String>,
    body: Vec<u8>,
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
    /// No metadata that says where this issuer's keys are.
    Metadata(InvalidMetadata),
}

/// What became of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchReport {
    /// Metadata said where the key set is, which comes next.
    Discovered,
    /// The key set was taken over.
    Installed {
        /// How many usable keys it holds.
        keys: usize,
        /// How far the issuer's clock is from ours, where it tells.
        clock: Option<ClockDrift>,
    },
    /// The old keys, if any, stay as they were.
    Failed(FetchFailure),
}

impl KeyAnswer {
    /// An answer with that HTTP status code, these header fields, and this content: at most [`crate::MAX_KEY_SET_BYTES`] of it, a
    /// longer one is [`FetchFailure::TooLarge`].
    pub fn new<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        status: u16,
        fields: impl IntoIterator<Item = (N, V)>,
        body: Vec<u8>,
    ) -> Self {
        let mut answer = Self {
            status,
            body,
            ..Self::default()
        };
        for (name, value) in fields {
            let Ok(value) = str::from_utf8(value.as_ref()) else {
                continue;
            };
            match name.as_ref().to_ascii_lowercase().as_slice() {
                b"cache-control" => join(&mut answer.cache_control, value),
                b"date" => join(&mut answer.date, value),
                b"age" => join(&mut answer.age, value),
                _ => {}
            }
        }
        answer
    }

    /// What a file holds, as an answer.
    pub fn of_file(content: Vec<u8>) -> Self {
        Self::new::<&str, &str>(200, [], content)
    }

    /// Its content.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The keys that it holds, and how long the issuer wants them kept.
    pub(crate) fn read_keys(
        &self,
        on_empty: OnEmpty,
    ) -> Result<(KeySet, Option<Duration>), FetchFailure> {
        self.check_status()?;
        let keys = KeySet::parse(&self.body, on_empty).map_err(|invalid| match invalid {
            InvalidKeySet::TooLarge => FetchFailure::TooLarge,
            other => FetchFailure::Invalid(other),
        })?;
        Ok((keys, self.cache_control.as_deref().and_then(max_age)))
    }

    /// The address of the keys that it names.
    pub(crate) fn read_metadata(&self, discovery: &Discovery) -> Result<String, FetchFailure> {
        self.check_status()?;
        discovery.read(&self.body).map_err(|invalid| match invalid {
            InvalidMetadata::TooLarge => FetchFailure::TooLarge,
            other => FetchFailure::Metadata(other),
        })
    }

    /// How long a cache on the way has had it (RFC 9111 section 5.1).
    pub(crate) fn age(&self) -> Duration {
        let age = self.age.as_deref().and_then(clock::seconds);
        age.unwrap_or(Duration::ZERO)
    }

    /// How far the issuer's clock is from ours; nothing where it does not tell the time (RFC 9110 section 6.6.1).
    pub(crate) fn clock_drift(&self, now: Timestamp) -> Option<ClockDrift> {
        ClockDrift::between(self.date.as_deref()?, self.age.as_deref(), now)
    }

    fn check_status(&self) -> Result<(), FetchFailure> {
        match self.status {
            200 => Ok(()),
            300..=399 => Err(FetchFailure::Redirect),
            other => Err(FetchFailure::Status(other)),
        }
    }
}

impl FetchFailure {
    /// Whether somebody answered, with something else than what was asked for.
    pub(crate) const fn is_an_answer(self) -> bool {
        match self {
            Self::TooLarge
            | Self::Redirect
            | Self::Status(_)
            | Self::Invalid(_)
            | Self::Metadata(_) => true,
            Self::Timeout | Self::Unreachable | Self::Truncated => false,
        }
    }
}

impl FetchReport {
    /// The stable word of metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Discovered => "discovered",
            Self::Installed { .. } => "installed",
            Self::Failed(FetchFailure::Timeout) => "timeout",
            Self::Failed(FetchFailure::Unreachable) => "unreachable",
            Self::Failed(FetchFailure::TooLarge) => "too_large",
            Self::Failed(FetchFailure::Truncated) => "truncated",
            Self::Failed(FetchFailure::Redirect) => "redirect",
            Self::Failed(FetchFailure::Status(_)) => "status",
            Self::Failed(FetchFailure::Invalid(_)) => "invalid",
            Self::Failed(FetchFailure::Metadata(_)) => "metadata",
        }
    }

    /// Every word that [`FetchReport::code`] gives.
    pub const CODES: [&'static str; 10] = [
        "discovered",
        "installed",
        "timeout",
        "unreachable",
        "too_large",
        "truncated",
        "redirect",
        "status",
        "invalid",
        "metadata",
    ];
}

/// In words; `{:#}` also tells of a clock that is off, for hosts that do not tell it otherwise.
impl fmt::Display for FetchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovered => f.write_str("the metadata says where the keys are"),
            Self::Installed { keys, clock } => {
                write!(f, "installed {keys} keys")?;
                let alarming = clock.filter(|drift| f.alternate() && drift.is_alarming());
                alarming.map_or(Ok(()), |drift| write!(f, "; {drift}"))
            }
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
            Self::Metadata(invalid) => write!(f, "{invalid}"),
        }
    }
}

/// Several fields of one name are one list (RFC 9110 section 5.3).
fn join(list: &mut Option<String>, value: &str) {
    match list {
        None => *list = Some(value.to_owned()),
        Some(list) => {
            list.push_str(", ");
            list.push_str(value);
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
    fn a_field_that_comes_twice_is_one_list() {
        let fields = [
            ("Cache-Control", "public"),
            ("Age", "5"),
            ("cache-control", "max-age=60"),
        ];
        let answer = KeyAnswer::new(200, fields, Vec::new());
        assert_eq!(answer.cache_control.as_deref(), Some("public, max-age=60"));
        assert_eq!(answer.age.as_deref(), Some("5"));
        assert_eq!(answer.date, None);
        // Two dates are none.
        let dates = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"); 2];
        let answer = KeyAnswer::new(200, dates, Vec::new());
        assert_eq!(answer.clock_drift(Timestamp::from_secs(784_111_777)), None);
    }

    #[test]
    fn an_outcome_is_told_in_words() {
        use FetchFailure::{Invalid, Redirect, Status, Timeout, TooLarge, Truncated, Unreachable};
        for (seconds, words) in [
            (10, "installed 3 keys"),
            (
                11,
                "installed 3 keys; the issuer's clock is 11 s ahead of ours",
            ),
        ] {
            let clock = Some(ClockDrift::Ahead(Duration::from_secs(seconds)));
            let installed = FetchReport::Installed { keys: 3, clock };
            assert_eq!(format!("{installed:#}"), words);
            assert_eq!(installed.to_string(), "installed 3 keys");
        }
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
