//! Durations and sizes: a whole number and its unit, between two bounds.

use std::time::Duration;

use serde_json::{Value, json};

use super::yaml::Spanned;

use super::error::{Explanation, Problems};
use super::number_pattern;
use super::scalar::Scalar;

/// The largest verified-token cache: 64 MiB in each worker, some 30,000 tokens.
const MAX_TOKEN_CACHE: u64 = 64 * MIB;
/// The cache of a policy that says nothing.
const DEFAULT_TOKEN_CACHE: u64 = 4 * MIB;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Why a duration or a size is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidQuantity {
    /// Not a whole number with a unit.
    Duration { example: Duration },
    /// A duration outside its bounds.
    OutOfBounds { least: Duration, most: Duration },
    /// Not a whole number with `KiB` or `MiB`.
    Size,
    /// A size above its bound.
    TooLarge,
}

/// What a duration may be, and what it is when the policy says nothing.
pub(super) struct Bounds {
    pub(super) least: Duration,
    pub(super) most: Duration,
    pub(super) default: Duration,
}

/// A duration of the policy.
pub(super) fn duration(
    field: Option<Spanned<Scalar>>,
    bounds: &Bounds,
    problems: &mut Problems<'_>,
) -> Option<Duration> {
    let Some(field) = field else {
        return Some(bounds.default);
    };
    let parsed = match &field.value {
        Scalar::Text(text) => parse_duration(text),
        Scalar::Number(_) | Scalar::Truth(_) | Scalar::Blank => None,
    };
    let kind = match parsed {
        Some(found) if found >= bounds.least && found <= bounds.most => return Some(found),
        Some(_) => InvalidQuantity::OutOfBounds {
            least: bounds.least,
            most: bounds.most,
        },
        None => InvalidQuantity::Duration {
            example: bounds.default,
        },
    };
    problems.report(field.place, kind);
    None
}

/// The budget of the verified-token cache, in bytes.
pub(super) fn token_cache(
    field: Option<Spanned<Scalar>>,
    problems: &mut Problems<'_>,
) -> Option<usize> {
    let Some(field) = field else {
        return usize::try_from(DEFAULT_TOKEN_CACHE).ok();
    };
    let parsed = match &field.value {
        Scalar::Text(text) => parse_size(text),
        Scalar::Number(number) if number.as_u64() == Some(0) => Some(0),
        Scalar::Number(_) | Scalar::Truth(_) | Scalar::Blank => None,
    };
    let kind = match parsed {
        Some(found) if found <= MAX_TOKEN_CACHE => return usize::try_from(found).ok(),
        Some(_) => InvalidQuantity::TooLarge,
        None => InvalidQuantity::Size,
    };
    problems.report(field.place, kind);
    None
}

/// `500ms`, `30s`, `10m`, `24h`. The crate `humantime` reads much more (`1.5h`, `2 weeks`, months of 30.44 days)
/// and panics on the largest number of seconds with another unit behind it.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    match unit {
        "KiB" => number.checked_mul(KIB),
        "MiB" => number.checked_mul(MIB),
        "" if number == 0 => Some(0),
        _ => None,
    }
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit))
}

/// The texts of all durations within these bounds, as a regular expression.
pub(super) fn duration_pattern(bounds: &Bounds) -> String {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (least, most) = (millis(bounds.least), millis(bounds.most));
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    pattern(units, least, most)
}

/// What the budget of the verified-token cache may be, for editors.
pub(super) fn token_cache_schema() -> Value {
    let sizes = pattern([("KiB", KIB), ("MiB", MIB)], 0, MAX_TOKEN_CACHE);
    json!({
        "anyOf": [
            { "type": "string", "pattern": sizes },
            { "enum": [0, "0"] },
        ],
        "default": format!("{}MiB", DEFAULT_TOKEN_CACHE / MIB),
    })
}

/// The texts of a number and its unit, for all from `least` to `most` of what the units are multiples of.
fn pattern<const N: usize>(units: [(&str, u64); N], least: u64, most: u64) -> String {
    let mut texts = Vec::new();
    for (unit, size) in units {
        let last = most.checked_div(size).unwrap_or_default();
        let whole = least.div_ceil(size)..=last;
        if let Some(numbers) = number_pattern::number_pattern(whole) {
            texts.push(format!("{numbers}{unit}"));
        }
    }
    format!("^0*(?:{})$", texts.join("|"))
}

/// A duration as the policy would write it.
pub(super) fn written(duration: Duration) -> String {
    let secs = duration.as_secs();
    match (duration.subsec_millis(), secs) {
        (0, 0) => "0s".into(),
        (0, secs) if secs.is_multiple_of(3600) => format!("{}h", secs / 3600),
        (0, secs) if secs.is_multiple_of(60) => format!("{}m", secs / 60),
        (0, secs) => format!("{secs}s"),
        _ => format!("{}ms", duration.as_millis()),
    }
}

impl InvalidQuantity {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::Duration { example } => Explanation::new(
                "this is not a duration",
                format!(
                    "write a whole number and `ms`, `s`, `m` or `h`, as in `{}`",
                    written(*example)
                ),
            ),
            Self::OutOfBounds { least, most } => Explanation::new(
                "this duration is out of bounds",
                format!(
                    "write one from `{}` to `{}`",
                    written(*least),
                    written(*most)
                ),
            ),
            Self::Size => Explanation::new(
                "this is not a size",
                "write a whole number and `KiB` or `MiB`, as in `4MiB`, or `0` for no cache",
            ),
            Self::TooLarge => Explanation::new(
                "every worker has a cache of this size, which is too large",
                format!("write at most `{}MiB`", MAX_TOKEN_CACHE / MIB),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "30",
            "-30s",
            "+30s",
            "30 s",
            " 30s",
            "30s ",
            "1.5h",
            "1h30m",
            "30S",
            "1d",
            "30sec",
            "0x1s",
            "٣s",
            "18446744073709551616s",
            "18446744073709551615h",
        ] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_size_is_a_whole_number_and_a_binary_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("0MiB", 0),
            ("512KiB", 524_288),
            ("4MiB", 4_194_304),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in [
            "",
            "4",
            "4MB",
            "4M",
            "4mib",
            "4 MiB",
            "-4MiB",
            "4GiB",
            "18446744073709551615MiB",
        ] {
            assert_eq!(parse_size(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["0s", "100ms", "1500ms", "90s", "2m", "24h"] {
            assert_eq!(parse_duration(text).map(written).as_deref(), Some(text));
        }
    }
}
