//! The table for people, and the last line for machines.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::memory::Memory;
use crate::row::Row;

const HEAD: [&str; 9] = [
    "phase",
    "requests",
    "allowed",
    "wrongly refused",
    "wrongly allowed",
    "excused",
    "503",
    "fetches",
    "p99 ms",
];

/// What came of a drill.
pub(crate) struct Report<'a> {
    pub(crate) rows: &'a [Row],
    /// Of a soak.
    pub(crate) memory: Option<Memory>,
    /// What is wrong with the drill as a whole.
    pub(crate) faults: Vec<String>,
}

impl Report<'_> {
    /// Whether all was as it should be.
    pub(crate) fn has_passed(&self) -> bool {
        self.faults.is_empty() && self.rows.iter().all(Row::has_passed)
    }

    /// Writes the table, the sum of it, and what is wrong.
    ///
    /// # Errors
    /// Nobody reads it.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let lines: Vec<[String; 9]> = std::iter::once(HEAD.map(str::to_owned))
            .chain(self.rows.iter().map(cells))
            .collect();
        for line in &lines {
            let mut text = String::new();
            for (column, cell) in line.iter().enumerate() {
                let widths = lines.iter().map(|line| line[column].chars().count());
                let width = widths.max().unwrap_or(0);
                // Writing to a string cannot fail.
                let _ = match column {
                    0 => write!(text, "{cell:width$}"),
                    _ => write!(text, "  {cell:>width$}"),
                };
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        writeln!(
            out,
            "\nexcused: refused within the time that the policy allows. fetches: the tenant's of at most as many + the other issuer's of at most as many."
        )?;
        if let Some(Memory { first, last, .. }) = &self.memory {
            writeln!(
                out,
                "memory after the first minute: {:.1} MiB in the first third, {:.1} MiB in the last",
                mebi(*first),
                mebi(*last)
            )?;
        }
        let of_rows = self.rows.iter().flat_map(|row| {
            let phase = row.phase;
            row.faults
                .iter()
                .map(move |fault| format!("{phase}: {fault}"))
        });
        for fault in of_rows.chain(self.faults.iter().cloned()) {
            writeln!(out, "WRONG: {fault}")?;
        }
        Ok(())
    }

    /// The same for machines.
    pub(crate) fn to_json(&self) -> Value {
        let memory = self.memory.as_ref().map(|memory| {
            let Memory {
                first,
                last,
                by_minute,
            } = memory;
            json!({ "first_kib": first, "last_kib": last, "by_minute_kib": by_minute })
        });
        json!({
            "passed": self.has_passed(),
            "rows": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
            "memory": memory,
            "faults": self.faults,
        })
    }
}

fn cells(row: &Row) -> [String; 9] {
    [
        row.phase.to_owned(),
        row.requests.to_string(),
        row.allowed.to_string(),
        row.wrongly_refused.to_string(),
        row.wrongly_allowed.to_string(),
        row.excused.to_string(),
        row.unavailable.to_string(),
        format!(
            "{}/{} + {}/{}",
            row.fetches, row.most_fetches, row.partner_fetches, row.most_partner_fetches
        ),
        row.p99.to_string(),
    ]
}

/// A number of KiB to be shown, not to be counted with.
fn mebi(kibi: u64) -> f64 {
    f64::from(u32::try_from(kibi).unwrap_or(u32::MAX)) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_anywhere_is_a_failure_and_is_said() {
        let row = Row {
            phase: "steady",
            requests: 10,
            ..Row::default()
        };
        let bad = Row {
            faults: vec!["requests wrongly refused: 1".to_owned()],
            ..row.clone()
        };
        for (rows, faults, passed, said) in [
            (vec![row.clone()], vec![], true, "steady"),
            (
                vec![row.clone(), bad],
                vec![],
                false,
                "WRONG: steady: requests",
            ),
            (
                vec![row],
                vec!["it grows".to_owned()],
                false,
                "WRONG: it grows",
            ),
        ] {
            let report = Report {
                rows: &rows,
                memory: None,
                faults,
            };
            let mut text = Vec::new();
            report.write(&mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            assert_eq!(report.has_passed(), passed, "{text}");
            assert_eq!(report.to_json()["passed"], passed);
            assert!(text.contains(said), "{text}");
        }
    }
}
