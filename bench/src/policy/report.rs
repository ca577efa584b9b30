//! The figures as a table, and as JSON.

use std::fmt;

use bench::options::Options;
use serde_json::{Value, json};

use super::rounds::Outcome;
use crate::growth;
use crate::statistics::Figure;

/// All that was measured, and how.
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) results: &'a [Outcome],
}

impl Report<'_> {
    /// Every figure of the table, with its spread.
    pub(crate) fn json(&self) -> Value {
        let results = self.results.iter().map(|outcome| {
            let figure = Figure::of(outcome.rounds.iter().copied());
            json!({
                "command": outcome.work.name(),
                "routes": outcome.routes,
                "ms": figure.map(|figure| figure.json()),
            })
        });
        json!({ "rounds": self.options.rounds, "rows": results.collect::<Vec<_>>() })
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} rounds; a whole run of the command in ms, medians, with the least and the most\n",
            self.options.rounds
        )?;
        writeln!(f, "| command | routes | ms |\n|---|---:|---:|")?;
        for outcome in self.results {
            let figure = Figure::of(outcome.rounds.iter().copied());
            let shown = figure.map(|figure| figure.spread(|value| format!("{value:.1}")));
            writeln!(
                f,
                "| {} | {} | {} |",
                outcome.work.name(),
                outcome.routes,
                shown.unwrap_or_default()
            )?;
        }
        for results in self.results.chunk_by(|one, other| one.work == other.work) {
            let medians = results.iter().filter_map(|outcome| {
                let figure = Figure::of(outcome.rounds.iter().copied())?;
                Some((outcome.routes as f64, figure.median))
            });
            let exponent = growth::exponent(&medians.collect::<Vec<_>>());
            if let (Some(first), Some(exponent)) = (results.first(), exponent) {
                writeln!(f, "\n{} grows as n^{exponent:.2}", first.work.name())?;
            }
        }
        Ok(())
    }
}
