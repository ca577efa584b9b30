//! Whole numbers between two bounds as a regular expression, for the schema of the policy file: JSON Schema has no numbers with units.

use std::ops::RangeInclusive;

/// The most digits of a number.
const MAX_DIGITS: u32 = 20;

/// The decimal texts of these numbers, without leading zeros; none if there are no numbers.
pub(super) fn number_pattern(numbers: RangeInclusive<u64>) -> Option<String> {
    let (least, most) = numbers.into_inner();
    let mut texts = Vec::new();
    for digits in 1..=MAX_DIGITS {
        // The numbers of so many digits: 0 to 9, 10 to 99, …
        let first = match digits {
            1 => 0,
            _ => 10_u64.pow(digits.saturating_sub(1)),
        };
        let last = match 10_u64.checked_pow(digits) {
            Some(next) => next.saturating_sub(1),
            None => u64::MAX,
        };
        let (first, last) = (first.max(least), last.min(most));
        if first <= last {
            texts.push(of_equal_length(
                first.to_string().as_bytes(),
                last.to_string().as_bytes(),
            ));
        }
    }
    either(texts)
}

/// Those from `first` to `last`, which have the same number of digits.
fn of_equal_length(first: &[u8], last: &[u8]) -> String {
    let (Some((low, first)), Some((high, last))) = (first.split_first(), last.split_first()) else {
        return String::new();
    };
    if low == high {
        return format!("{}{}", char::from(*low), of_equal_length(first, last));
    }
    // In the middle every digit may follow; at the ends only if nothing is cut off there.
    let whole_low = first.iter().all(|digit| *digit == b'0');
    let whole_high = last.iter().all(|digit| *digit == b'9');
    let mut texts = Vec::new();
    if !whole_low {
        let nines = vec![b'9'; first.len()];
        texts.push(format!(
            "{}{}",
            char::from(*low),
            of_equal_length(first, &nines)
        ));
    }
    let from = low.saturating_add(u8::from(!whole_low));
    let to = high.saturating_sub(u8::from(!whole_high));
    if from <= to {
        texts.push(format!("{}{}", digit(from, to), any_digits(first.len())));
    }
    if !whole_high {
        let zeros = vec![b'0'; last.len()];
        texts.push(format!(
            "{}{}",
            char::from(*high),
            of_equal_length(&zeros, last)
        ));
    }
    either(texts).unwrap_or_default()
}

fn digit(from: u8, to: u8) -> String {
    match from == to {
        true => char::from(from).into(),
        false => format!("[{}-{}]", char::from(from), char::from(to)),
    }
}

fn any_digits(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "[0-9]".into(),
        _ => format!("[0-9]{{{count}}}"),
    }
}

fn either(mut texts: Vec<String>) -> Option<String> {
    match texts.len() {
        0 | 1 => texts.pop(),
        _ => Some(format!("(?:{})", texts.join("|"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, number: u64) -> bool {
        let schema = serde_json::json!({ "pattern": format!("^{pattern}$") });
        jsonschema::is_valid(&schema, &number.to_string().into())
    }

    #[test]
    fn what_is_written() {
        for (numbers, pattern) in [
            (0..=0, Some("0")),
            (0..=9, Some("[0-9]")),
            (1..=24, Some("(?:[1-9]|(?:1[0-9]|2[0-4]))")),
            (0..=120, Some("(?:[0-9]|[1-9][0-9]|1(?:[0-1][0-9]|20))")),
            (100..=999, Some("[1-9][0-9]{2}")),
        ] {
            assert_eq!(
                number_pattern(numbers.clone()).as_deref(),
                pattern,
                "{numbers:?}"
            );
        }
    }

    #[test]
    fn where_there_are_no_numbers_there_is_no_pattern() {
        assert_eq!(number_pattern(RangeInclusive::new(60, 59)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_number_matches_if_it_is_between_the_bounds(least in 0_u64..100_000, length in 0_u64..100_000, number in 0_u64..300_000) {
            let most = least.saturating_add(length);
            let pattern = number_pattern(least..=most).unwrap();
            for number in [number, least, most, least.saturating_sub(1), most.saturating_add(1)] {
                prop_assert_eq!(matches(&pattern, number), (least..=most).contains(&number), "{} in {}", number, &pattern);
            }
        }
    }
}
