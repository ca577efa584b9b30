//! The figures as tables to read and to paste, and as JSON.

use std::fmt;

use bench::options::Options;
use serde_json::{Value, json};

use super::rounds::Outcome;

/// All that was measured, and how.
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) results: &'a [Outcome],
}

impl Report<'_> {
    /// Every figure of the tables, with its spread.
    pub(crate) fn json(&self) -> Value {
        let results: Vec<Value> = self.results.iter().map(json_of).collect();
        json!({
            "rounds": self.options.rounds,
            "seconds": self.options.time.as_secs_f64(),
            "series": results,
        })
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} × {} s for each figure; medians, with the least and the most",
            self.options.rounds,
            self.options.time.as_secs_f64()
        )?;
        for outcome in self.results {
            writeln!(
                f,
                "\n| {} | one decision, µs (token {}) |\n|---:|---:|",
                outcome.dimension.name(),
                outcome.token.name()
            )?;
            for (size, nanoseconds) in &outcome.points {
                let microseconds = nanoseconds.spread(|value| format!("{:.2}", value / 1000.0));
                writeln!(f, "| {size} | {microseconds} |")?;
            }
            let exponent = outcome.exponent.spread(|value| format!("{value:.3}"));
            writeln!(f, "| grows as n^k, k = | {exponent} |")?;
        }
        Ok(())
    }
}

fn json_of(outcome: &Outcome) -> Value {
    let points = outcome
        .points
        .iter()
        .map(|(size, nanoseconds)| json!({ "size": size, "ns": nanoseconds.json() }));
    json!({
        "what": outcome.dimension.name(),
        "token": outcome.token.name(),
        "points": points.collect::<Vec<_>>(),
        "exponent": outcome.exponent.json(),
    })
}
