//! The figures as tables to read and to paste, and as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::spin::applications::Instances;
use crate::spin::arguments::Options;
use crate::spin::rounds::Outcome;

/// All that was measured, and how.
pub(crate) struct Report<'a> {
    pub(crate) program: String,
    pub(crate) options: &'a Options,
    pub(crate) results: &'a [Outcome<'a>],
}

impl Report<'_> {
    /// Every figure of the tables, with its spread.
    pub(crate) fn json(&self) -> Value {
        let results: Vec<Value> = self.results.iter().map(json_of).collect();
        json!({
            "program": self.program,
            "rounds": self.options.rounds,
            "seconds": self.options.time.as_secs_f64(),
            "results": results,
        })
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}; {} × {} s for each line; medians, with the least and the most",
            self.program,
            self.options.rounds,
            self.options.time.as_secs_f64()
        )?;
        for table in self.results.chunk_by(|a, b| a.connections == b.connections) {
            let Some(first) = table.first() else { continue };
            writeln!(
                f,
                "\n{} at once\n\n| | instances | requests/s against plain | added latency, µs | requests/s | p50, µs | p99, µs |\n\
                 |---|---|---:|---:|---:|---:|---:|",
                first.connections
            )?;
            for outcome in table {
                let Outcome { subject, .. } = outcome;
                writeln!(
                    f,
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    subject.name,
                    subject.instances.map_or("–", Instances::name),
                    outcome.ratio.spread(|value| format!("{value:.2}")),
                    outcome.added.spread(|value| format!("{value:+.0}")),
                    outcome
                        .requests_per_second
                        .spread(|value| format!("{value:.0}")),
                    outcome.p50.spread(|value| format!("{value:.0}")),
                    outcome.p99.spread(|value| format!("{value:.0}")),
                )?;
            }
        }
        Ok(())
    }
}

fn json_of(outcome: &Outcome<'_>) -> Value {
    json!({
        "subject": outcome.subject.name,
        "instances": outcome.subject.instances.map(Instances::name),
        "connections": outcome.connections,
        "requests_per_second": outcome.requests_per_second.json(),
        "p50_us": outcome.p50.json(),
        "p99_us": outcome.p99.json(),
        "against_plain": {
            "requests_per_second_ratio": outcome.ratio.json(),
            "added_p50_us": outcome.added.json(),
        },
    })
}
