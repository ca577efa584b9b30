//! What a scalar without quotes is: the core schema (YAML 1.2.2 section 10.3), without the numbers about which readers of YAML disagree.

use std::borrow::Cow;

use serde_json::Number;

use crate::node::Value;

/// A number that not every reader takes for the same one, or that JSON, and so a claim, cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DisputedNumber;

/// The value of a scalar without quotes.
pub(crate) fn value(text: Cow<'_, str>) -> Result<Value, DisputedNumber> {
    let more = match may_be_more_than_text(&text) {
        true => more_than_text(&text)?,
        false => None,
    };
    Ok(more.unwrap_or_else(|| Value::Text(text.into_owned())))
}

/// Whether it begins as a number or a word of the schema does. Most scalars do not, and are looked at no more.
fn may_be_more_than_text(text: &str) -> bool {
    let first = text.bytes().next().map(|octet| octet.to_ascii_lowercase());
    matches!(
        first,
        None | Some(b'~' | b'n' | b't' | b'f' | b'0'..=b'9' | b'+' | b'-' | b'.')
    )
}

/// The value, unless it is a text.
fn more_than_text(text: &str) -> Result<Option<Value>, DisputedNumber> {
    if text.is_empty() || text == "~" || text.eq_ignore_ascii_case("null") {
        return Ok(Some(Value::Blank));
    }
    for (word, truth) in [("true", true), ("false", false)] {
        if text.eq_ignore_ascii_case(word) {
            return Ok(Some(Value::Truth(truth)));
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_disputed(unsigned) {
        return Err(DisputedNumber);
    }
    let number = number(text, unsigned).transpose()?;
    Ok(number.map(Value::Number))
}

/// The number, if it is written as one.
fn number(text: &str, unsigned: &str) -> Option<Result<Number, DisputedNumber>> {
    if is_digits(unsigned) {
        if let Ok(number) = text.parse::<u64>() {
            return Some(Ok(number.into()));
        }
        if let Ok(number) = text.parse::<i64>() {
            return Some(Ok(number.into()));
        }
    } else if !is_float(unsigned) {
        return None;
    }
    let float = text.parse().ok().and_then(Number::from_f64);
    Some(float.ok_or(DisputedNumber))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits =
        exponent.is_none_or(|text| is_digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    exponent_fits && mantissa_fits
}

fn is_disputed(unsigned: &str) -> bool {
    let mut octets = unsigned.bytes();
    let (first, second) = (octets.next(), octets.next());
    match (first, second) {
        // `0127` is 87 for YAML 1.1; `0o127` is a text there, and `0b1` is one in YAML 1.2.
        (Some(b'0'), Some(b'0'..=b'9')) if is_digits(unsigned) => true,
        (Some(b'0'), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B')) => {
            octets.all(|octet| octet.is_ascii_hexdigit() || octet == b'_')
        }
        // `1_000` is a thousand for YAML 1.1, and a text for YAML 1.2.
        (Some(b'0'..=b'9'), _) if unsigned.contains('_') => unsigned
            .bytes()
            .all(|octet| octet.is_ascii_digit() || matches!(octet, b'_' | b'.')),
        (Some(b'.'), _) => [".inf", ".nan"]
            .iter()
            .any(|word| unsigned.eq_ignore_ascii_case(word)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_what_the_core_schema_says() {
        let text = |text: &str| Ok(Value::Text(text.into()));
        let float = |float: f64| Ok(Value::Number(Number::from_f64(float).unwrap()));
        for (written, expected) in [
            ("", Ok(Value::Blank)),
            ("~", Ok(Value::Blank)),
            ("Null", Ok(Value::Blank)),
            ("true", Ok(Value::Truth(true))),
            ("FALSE", Ok(Value::Truth(false))),
            ("yes", text("yes")),
            ("on", text("on")),
            ("0", Ok(Value::Number(0.into()))),
            ("+12", Ok(Value::Number(12.into()))),
            ("-12", Ok(Value::Number((-12).into()))),
            (
                "18446744073709551615",
                Ok(Value::Number(18_446_744_073_709_551_615_u64.into())),
            ),
            ("18446744073709551616", float(18_446_744_073_709_551_616.0)),
            ("-9223372036854775809", float(-9_223_372_036_854_775_809.0)),
            ("1.5", float(1.5)),
            ("1.", float(1.0)),
            (".5", float(0.5)),
            ("-1e3", float(-1000.0)),
            ("1E-2", float(0.01)),
            ("1e", text("1e")),
            ("e1", text("e1")),
            (".", text(".")),
            ("+", text("+")),
            ("1.2.3", text("1.2.3")),
            ("5m", text("5m")),
            ("1:30", text("1:30")),
            ("inf", text("inf")),
            ("nan", text("nan")),
            ("0xyz", text("0xyz")),
            ("a_b", text("a_b")),
            ("1_a", text("1_a")),
        ] {
            assert_eq!(value(written.into()), expected, "{written:?}");
        }
    }

    #[test]
    fn what_is_looked_at_no_more_is_a_text() {
        let rests = [
            "", "0", "1", "~", "ull", "rue", "alse", "inf", "nan", "_1", "x1", ".5", "e3", ".inf",
        ];
        for first in 0..=u8::MAX {
            let first = char::from(first);
            for rest in rests {
                let text = format!("{first}{rest}");
                if !may_be_more_than_text(&text) {
                    assert_eq!(more_than_text(&text), Ok(None), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_number_that_readers_take_differently_is_none() {
        for written in [
            "0127", "-01", "0x1F", "0o17", "0b1", "0x", "1_000", "1_0.5", ".inf", "-.INF", ".NaN",
            "1e999",
        ] {
            assert_eq!(value(written.into()), Err(DisputedNumber), "{written:?}");
        }
    }
}
