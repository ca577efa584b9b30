//! The figures as tables to read and to paste, and as JSON.

use std::fmt;

use bench::statistics::Figure;
use serde_json::{Value, json};

use crate::arguments::Wanted;
use crate::cases::Named;
use crate::host::{Place, Running};
use crate::ratios::{self, Ratio};
use crate::rounds::Measured;

/// All that was measured, and how.
pub(crate) struct Report<'a> {
    wanted: &'a Wanted,
    hosts: Vec<&'a str>,
    cells: Vec<Cell>,
    ratios: Vec<Ratio>,
}

/// What one verification took.
struct Cell {
    case: &'static str,
    way: &'static str,
    place: Place,
    microseconds: Figure,
}

impl<'a> Report<'a> {
    /// `None` without a round.
    pub(crate) fn of(
        wanted: &'a Wanted,
        cases: &[Named],
        hosts: &'a [Running],
        measured: &[Measured],
    ) -> Option<Self> {
        let cell = |measured: &Measured| {
            Some(Cell {
                case: measured.case,
                way: measured.way,
                place: measured.place,
                microseconds: Figure::of(measured.rounds.iter().map(|one| one / 1000.0))?,
            })
        };
        Some(Self {
            wanted,
            hosts: hosts.iter().map(|one| &*one.description).collect(),
            cells: measured.iter().map(cell).collect::<Option<_>>()?,
            ratios: ratios::all(cases, measured),
        })
    }

    /// Every figure of the tables, with its spread.
    pub(crate) fn json(&self) -> Value {
        let verifications = self.cells.iter().map(|cell| {
            json!({
                "case": cell.case,
                "way": cell.way,
                "place": cell.place.name(),
                "us": cell.microseconds.json(),
            })
        });
        let ratios = self.ratios.iter().map(|ratio| {
            let targets = ratio
                .met()
                .map(|(most, met)| json!({ "most": most, "met": met }));
            json!({
                "case": ratio.case,
                "of": { "way": ratio.one.0, "place": ratio.one.1.name() },
                "to": { "way": ratio.other.0, "place": ratio.other.1.name() },
                "ratio": ratio.ratio.json(),
                "targets": targets.collect::<Vec<_>>(),
            })
        });
        json!({
            "places": self.hosts,
            "rounds": self.wanted.options.rounds,
            "seconds": self.wanted.options.time.as_secs_f64(),
            "verifications": verifications.collect::<Vec<_>>(),
            "ratios": ratios.collect::<Vec<_>>(),
        })
    }

    fn microseconds(&self, case: &str, way: &str, place: Place) -> String {
        let found = self
            .cells
            .iter()
            .find(|cell| cell.case == case && cell.way == way && cell.place == place);
        found.map_or("–".to_owned(), |cell| spread(cell.microseconds, 1))
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for host in &self.hosts {
            writeln!(f, "{host}")?;
        }
        writeln!(
            f,
            "{} × {} s for each figure; medians, with the least and the most\n\n\
             One verification, µs\n\n| | | native | wasmtime | V8 |\n|---|---|---:|---:|---:|",
            self.wanted.options.rounds,
            self.wanted.options.time.as_secs_f64()
        )?;
        // The ways of a case follow each other in its first place, which is the native one, and that has them all.
        for cell in self.cells.iter().filter(|cell| cell.place == Place::Native) {
            write!(f, "| {} | {} |", cell.case, shown(cell.way))?;
            for place in Place::ALL {
                write!(f, " {} |", self.microseconds(cell.case, cell.way, place))?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "\nRatios, of two figures of the same round\n\n| | | ratio | target |\n|---|---|---:|---|"
        )?;
        for ratio in &self.ratios {
            let targets: Vec<String> = ratio
                .met()
                .map(|(most, met)| format!("≤ {most}: {}", if met { "met" } else { "missed" }))
                .collect();
            writeln!(
                f,
                "| {} | {} {} / {} {} | {} | {} |",
                ratio.case,
                shown(ratio.one.0),
                ratio.one.1.name(),
                shown(ratio.other.0),
                ratio.other.1.name(),
                spread(ratio.ratio, 2),
                targets.join(", ")
            )?;
        }
        Ok(())
    }
}

/// What a way is called in the tables.
fn shown(way: &str) -> &str {
    match way {
        "portable" => "scopegate",
        "first" => "scopegate, new key",
        library => library,
    }
}

fn spread(figure: Figure, digits: usize) -> String {
    figure.spread(|value| format!("{value:.digits$}"))
}
