//! Medians, quantiles, and how far figures lie apart.

use serde_json::{Value, json};

/// One figure of all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// In the middle.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Figure {
    /// `None` without any value.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        // Of an even number the mean of the two in the middle.
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Some(Self {
            median,
            least,
            most,
        })
    }

    /// The median, and between what the rounds lie.
    pub fn spread(self, show: impl Fn(f64) -> String) -> String {
        let [median, least, most] = [self.median, self.least, self.most].map(show);
        format!("{median} ({least} to {most})")
    }

    /// All of it, for machines.
    pub fn json(self) -> Value {
        json!({ "median": self.median, "least": self.least, "most": self.most })
    }
}

/// The least value that so many in a hundred do not exceed (nearest rank); `None` without any value.
pub fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        for (values, median, least, most) in [
            (&[3.0, 1.0, 2.0][..], 2.0, 1.0, 3.0),
            (&[4.0, 1.0, 2.0, 3.0], 2.5, 1.0, 4.0),
            (&[-1.0], -1.0, -1.0, -1.0),
            // One round that went wrong is seen in the spread, and not in the median.
            (&[10.0, 11.0, 900.0, 9.0, 10.5], 10.5, 9.0, 900.0),
        ] {
            let figure = Figure {
                median,
                least,
                most,
            };
            assert_eq!(
                Figure::of(values.iter().copied()),
                Some(figure),
                "{values:?}"
            );
        }
        assert_eq!(Figure::of([]), None);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (values, percent, found) in [
            (&hundred[..], 50, Some(50)),
            (&hundred, 99, Some(99)),
            (&hundred, 100, Some(100)),
            (&hundred, 0, Some(1)),
            (&[7], 99, Some(7)),
            (&[1, 2], 50, Some(1)),
            (&[1, 2, 3], 50, Some(2)),
            (&[1, 2, 3], 99, Some(3)),
            (&[], 50, None),
        ] {
            assert_eq!(
                percentile(values, percent),
                found,
                "{percent} % of {values:?}"
            );
        }
    }
}
