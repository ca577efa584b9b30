//! The figures as tables to read and to paste, and as JSON.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::envoy::memory::{LARGEST_FILE, MOST_BESIDES_CACHE, Memory};
use crate::envoy::rounds::{Measured, Row};
use crate::envoy::setup::Setup;
use crate::envoy::targets::Outcome;
use crate::envoy::workload::Load;
use crate::statistics::Figure;

/// A figure of a measurement, and how it is written.
type Column = (fn(&Measured) -> f64, fn(f64) -> String);

/// All that was measured, and how.
pub(crate) struct Report<'a> {
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    /// Whether the worker had a processor to itself.
    pub(crate) is_pinned: bool,
    /// How many tokens each token cache holds.
    pub(crate) cached: u64,
    /// Host calls in which the gate and the filters that make its calls differ.
    pub(crate) differences: &'a [String],
    pub(crate) rows: &'a [Row],
    pub(crate) outcomes: &'a [Outcome],
    /// Each host call with its nanoseconds.
    pub(crate) calls: &'a [(String, Figure)],
    pub(crate) memory: Option<&'a Memory>,
}

impl Row {
    /// One figure over all rounds.
    pub(crate) fn figure(&self, of: fn(&Measured) -> f64) -> Option<Figure> {
        Figure::of(self.rounds.iter().map(of))
    }

    /// The share of tokens that a token cache knew, where there is one.
    fn hits(&self) -> Option<f64> {
        Some(Figure::of(self.rounds.iter().filter_map(|round| round.hits))?.median)
    }
}

impl Memory {
    /// What is promised of it: name, octets, and at most how many.
    fn limits(&self) -> [(&'static str, u64, u64); 3] {
        [
            ("wasm file", self.file, LARGEST_FILE),
            ("VM at rest", self.at_rest, MOST_BESIDES_CACHE),
            (
                "VM with a full token cache",
                self.full,
                MOST_BESIDES_CACHE + self.token_cache,
            ),
        ]
    }
}

impl Report<'_> {
    /// Every figure, each with its spread and the figures of the rounds.
    pub(crate) fn json(&self) -> Value {
        json!({
            "rounds": self.rounds,
            "seconds": self.seconds,
            "worker_has_a_processor": self.is_pinned,
            "cached_tokens": self.cached,
            "hostcalls_differ": self.differences,
            "rows": self.rows.iter().map(of_row).collect::<Vec<_>>(),
            "targets": self.outcomes.iter().map(of_outcome).collect::<Vec<_>>(),
            "host_calls_ns": self.calls.iter().map(|(name, time)| (name.clone(), time.json())).collect::<Map<_, _>>(),
            "memory": self.memory.map(of_memory),
        })
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Envoy with one worker{}; {} × {} s for each figure; medians, with the least and the most; token caches of {} tokens",
            if self.is_pinned {
                ", on a processor of its own"
            } else {
                ""
            },
            self.rounds,
            self.seconds,
            self.cached,
        )?;
        for difference in self.differences {
            writeln!(f, "\nnot the host calls of the gate: {difference}")?;
        }
        writeln!(
            f,
            "\n| load | configuration | requests/s | worker, µs a request | worker busy | p50, µs | p99, µs | token cache hits |\n\
             |---|---|---:|---:|---:|---:|---:|---:|"
        )?;
        for row in self.rows {
            write!(f, "| {} | {} |", row.load.name(), row.setup.name())?;
            let figures: [Column; 5] = [
                (|one| one.rps, |value| format!("{value:.0}")),
                (|one| one.cpu_us, |value| format!("{value:.1}")),
                (|one| one.busy, |value| format!("{value:.2}")),
                (|one| one.p50, |value| format!("{value:.0}")),
                (|one| one.p99, |value| format!("{value:.0}")),
            ];
            for (index, (of, show)) in figures.into_iter().enumerate() {
                let figure = row.figure(of);
                match figure {
                    Some(figure) if index < 2 => write!(f, " {} |", figure.spread(show))?,
                    Some(figure) => write!(f, " {} |", show(figure.median))?,
                    None => write!(f, " – |")?,
                }
            }
            match row.hits() {
                Some(hits) => writeln!(f, " {:.0} % |", hits * 100.0)?,
                None => writeln!(f, " – |")?,
            }
        }
        writeln!(
            f,
            "\n| scopegate under | against | target | ratio of requests/s | by worker's time | | every token verified | the floor's ratio | of the floor |\n\
             |---|---|---:|---:|---:|---|---:|---:|---:|"
        )?;
        for outcome in self.outcomes {
            let target = outcome.target;
            writeln!(
                f,
                "| {} | {} | ≥ {:.2} | {} | {} | {} | {} | {} | {} |",
                target.load.name(),
                against(target.load, target.against),
                target.least,
                outcome.ratio.spread(|value| format!("{value:.2}")),
                shown(outcome.by_cpu),
                verdict(outcome.is_met()),
                shown(outcome.uncached),
                shown(outcome.allowed),
                shown(outcome.of_floor),
            )?;
        }
        writeln!(
            f,
            "\n| host call, 200 times within one request | ns |\n|---|---:|"
        )?;
        for (name, time) in self.calls {
            writeln!(
                f,
                "| {name} | {} |",
                time.spread(|value| format!("{value:.0}"))
            )?;
        }
        if let Some(memory) = self.memory {
            writeln!(
                f,
                "\n| memory | at most, KiB | KiB | |\n|---|---:|---:|---|"
            )?;
            for (name, octets, most) in memory.limits() {
                writeln!(
                    f,
                    "| {name} | {} | {} | {} |",
                    most / 1024,
                    octets / 1024,
                    verdict(octets <= most)
                )?;
            }
            for (name, octets) in of_process(memory) {
                writeln!(f, "| {name} | – | {} | |", octets / 1024)?;
            }
        }
        Ok(())
    }
}

fn against(load: Load, (other, setup): (Load, Setup)) -> String {
    if load == other {
        setup.name().to_owned()
    } else {
        format!("{} under {}", setup.name(), other.name())
    }
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

fn of_row(row: &Row) -> Value {
    let median = |of: fn(&Measured) -> f64| row.figure(of).map(|figure| figure.median);
    let rps = row.figure(|one| one.rps);
    json!({
        "load": row.load.name(),
        "config": row.setup.name(),
        "rps": median(|one| one.rps),
        "rps_least": rps.map(|figure| figure.least),
        "rps_most": rps.map(|figure| figure.most),
        "rps_of_rounds": row.rounds.iter().map(|one| one.rps).collect::<Vec<_>>(),
        "worker_us": median(|one| one.cpu_us),
        "worker_busy": median(|one| one.busy),
        "p50_us": median(|one| one.p50),
        "p99_us": median(|one| one.p99),
        "cache_hits": row.hits(),
    })
}

fn of_outcome(outcome: &Outcome) -> Value {
    let target = outcome.target;
    let figure = |figure: Figure| json!({ "median": figure.median, "least": figure.least, "most": figure.most });
    json!({
        "load": target.load.name(),
        "config": Setup::Scopegate.name(),
        "against": { "load": target.against.0.name(), "config": target.against.1.name() },
        "target": target.least,
        "ratio": outcome.ratio.json(),
        "ratio_by_worker_time": outcome.by_cpu.map(figure),
        "met": outcome.is_met(),
        "ratio_every_token_verified": outcome.uncached.map(figure),
    })
}

fn of_memory(memory: &Memory) -> Value {
    let limits = memory.limits();
    let limits = limits.map(|(name, octets, most)| {
        json!({ "what": name, "bytes": octets, "most": most, "met": octets <= most })
    });
    let process = of_process(memory);
    let process = process.map(|(name, octets)| json!({ "what": name, "bytes": octets }));
    json!({ "limits": limits, "token_cache_bytes": memory.token_cache, "process": process })
}

/// A ratio, where there is one.
fn shown(figure: Option<Figure>) -> String {
    figure.map_or("–".to_owned(), |figure| {
        figure.spread(|value| format!("{value:.2}"))
    })
}

fn of_process(memory: &Memory) -> [(&'static str, u64); 3] {
    [
        ("resident: Envoy without the gate", memory.process_without),
        (
            "resident: Envoy with the gate at rest, 3 VMs",
            memory.process_at_rest,
        ),
        (
            "resident: the same with a full token cache",
            memory.process_full,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envoy::targets::{judge, tests::row};

    #[test]
    fn the_tables_say_what_was_measured_and_what_it_means() {
        let rows = [
            row(
                Load::Refused,
                Setup::WasmHeader,
                &[50_000.0, 40_000.0, 60_000.0],
            ),
            row(
                Load::Refused,
                Setup::Scopegate,
                &[40_000.0, 36_000.0, 54_000.0],
            ),
        ];
        let memory = Memory {
            file: 1000 * 1024,
            token_cache: 4096 * 1024,
            at_rest: 8192 * 1024,
            full: 9000 * 1024,
            process_without: 1,
            process_at_rest: 2,
            process_full: 3,
        };
        let report = Report {
            rounds: 3,
            seconds: 0.5,
            is_pinned: true,
            cached: 1000,
            differences: &["a call".to_owned()],
            rows: &rows,
            outcomes: &judge(&rows),
            calls: &[("set_property".to_owned(), Figure::of([150.0]).unwrap())],
            memory: Some(&memory),
        };
        let text = report.to_string();
        for line in [
            "| refused | wasm-header | 50000 (40000 to 60000) | 20.0 (16.7 to 25.0) | 1.00 | 100 | 200 | – |",
            "| refused | wasm-header | ≥ 0.85 | 0.90 (0.80 to 0.90) | 0.90 (0.80 to 0.90) | met | – | – | – |",
            "| set_property | 150 (150 to 150) |",
            "| wasm file | 900 | 1000 | missed |",
            "| VM at rest | 8192 | 8192 | met |",
            "not the host calls of the gate: a call",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let json = report.json();
        assert_eq!(json["rows"][1]["config"], "scopegate");
        assert_eq!(json["rows"][1]["rps"], 40_000.0);
        assert_eq!(json["targets"][0]["met"], true);
        assert_eq!(json["memory"]["limits"][0]["met"], false);
    }
}
