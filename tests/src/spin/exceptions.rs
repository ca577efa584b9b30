//! `tests/spin/exceptions.yaml`: where Spin itself answers before the gate, or hands it something else than was sent, and what comes
//! of that instead.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::gate::GateHost;
use crate::corpus::{Case, Expect};
use crate::judge::{Seen, differences};
use crate::runner::{self, Asked};
use crate::test_key::TestKey;

/// All rows.
pub struct Exceptions(Vec<Row>);

/// Some cases, with the one reason why they come out otherwise, and in exactly one way how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// Their names, as `FILE: NAME`.
    cases: Vec<String>,
    /// The ways in which they are put to Spin; without it, all.
    ways: Option<Vec<String>>,
    /// No answer: Spin closes the connection, or resets the stream.
    #[serde(default)]
    closed: bool,
    /// An empty answer of this status, which is Spin's.
    empty: Option<u16>,
    /// Another answer of the gate to the last request of the case.
    expect: Option<Expect>,
    /// With `expect`: the path that the gate and the upstream alike see, where it is not the one that was sent.
    path: Option<String>,
    /// It proves nothing here.
    #[serde(default)]
    untried: bool,
    reason: String,
    /// Why it is safe that the upstream is reached where the case refuses.
    safe: Option<String>,
}

impl Exceptions {
    /// Reads the file.
    ///
    /// # Errors
    /// It is not there, or a row lacks something.
    pub fn load() -> Result<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("spin/exceptions.yaml");
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let rows: Vec<Row> = serde_saphyr::from_str(&text)?;
        for row in &rows {
            row.check().with_context(|| format!("{:?}", row.cases))?;
        }
        Ok(Self(rows))
    }

    /// What is wrong with the rows: a case that is not there, two rows for one, or an upstream that is reached without a word on why
    /// that is safe. `put` are all cases, with the way in which each is put to Spin.
    pub fn complaints<'a>(&self, put: impl Iterator<Item = (&'a Case, &'a str)>) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut used: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (case, way) in put {
            let name = case.full_name();
            let rows: Vec<(usize, &Row)> = self
                .0
                .iter()
                .enumerate()
                .filter(|(_, row)| row.names(&name, way))
                .collect();
            if rows.len() > 1 {
                complaints.push(format!("{way}: {name}: more than one row"));
            }
            for (number, row) in rows {
                let entry = row.cases.iter().find(|entry| **entry == name);
                *used
                    .entry((number, entry.map_or("", String::as_str)))
                    .or_default() += 1;
                if row.reaches_what_is_refused(case) && row.safe.is_none() {
                    complaints.push(format!(
                        "{way}: {name}: the upstream is reached where the case refuses, and no word on why that is `safe`"
                    ));
                }
            }
        }
        for (number, row) in self.0.iter().enumerate() {
            for entry in &row.cases {
                if !used.contains_key(&(number, entry.as_str())) {
                    complaints.push(format!("there is no case {entry:?} in these ways"));
                }
            }
        }
        complaints
    }

    /// Why that case is not tried, if it is not.
    pub fn untried(&self, case: &Case, way: &str) -> Option<&str> {
        let row = self.row(case, way)?;
        row.untried.then_some(row.reason.as_str())
    }

    /// Runs a case, and finds out whether all comes out as it says, or as the exception says that is made for it.
    ///
    /// # Errors
    /// All that does not, or an exception that need not be.
    pub fn judge(
        &self,
        case: &Case,
        way: &str,
        keys: &BTreeMap<String, TestKey>,
        host: &mut GateHost<'_>,
    ) -> Result<()> {
        let Some(row) = self.row(case, way) else {
            return runner::run(case, keys, host);
        };
        let asked = runner::ask(case, keys, host)?;
        let as_written = runner::complaints(case, &asked, host);
        ensure!(
            !as_written.is_empty(),
            "it comes out as it should, so exceptions.yaml must not name it for {:?}",
            row.reason
        );
        row.judge(case, asked, host)
            .with_context(|| format!("not as exceptions.yaml says for {:?}", row.reason))
    }

    fn row(&self, case: &Case, way: &str) -> Option<&Row> {
        let name = case.full_name();
        self.0.iter().find(|row| row.names(&name, way))
    }
}

impl Row {
    fn check(&self) -> Result<()> {
        let ways = [
            self.closed,
            self.empty.is_some(),
            self.expect.is_some(),
            self.untried,
        ];
        let count = ways.iter().filter(|is_said| **is_said).count();
        ensure!(count == 1, "a row says in one way what happens instead");
        ensure!(
            self.path.is_none() || self.expect.is_some(),
            "a `path` needs an `expect`"
        );
        ensure!(!self.reason.is_empty(), "a row needs a reason");
        Ok(())
    }

    fn names(&self, name: &str, way: &str) -> bool {
        self.cases.iter().any(|case| case == name)
            && self
                .ways
                .as_ref()
                .is_none_or(|ways| ways.iter().any(|known| known == way))
    }

    fn reaches_what_is_refused(&self, case: &Case) -> bool {
        let is_reached = self
            .expect
            .as_ref()
            .is_some_and(|expect| expect.upstream.is_some());
        let is_refused = case
            .steps
            .last()
            .is_some_and(|step| step.expect.upstream.is_none());
        is_reached && is_refused
    }

    fn judge(&self, case: &Case, mut asked: Vec<Asked>, host: &mut GateHost<'_>) -> Result<()> {
        let last = asked.pop().context("a case without a request")?;
        let before = runner::complaints(
            &Case {
                fetches: BTreeMap::new(),
                ..case.clone()
            },
            &asked,
            host,
        );
        none(&before)?;
        match (&self.expect, self.empty, last.seen) {
            (Some(expect), _, seen) => {
                let mut sent = last.sent;
                if let Some(path) = &self.path {
                    sent.path = Some(path.clone().into_bytes());
                }
                none(&differences(&sent, expect, &seen?))
            }
            (None, Some(status), seen) => is_empty(status, &seen?),
            (None, None, Ok(seen)) => bail!("there is an answer: {seen:?}"),
            (None, None, Err(_)) if host.has_reached_upstream() => {
                bail!("no answer, and the upstream was reached")
            }
            (None, None, Err(_)) => Ok(()),
        }
    }
}

/// Spin's own answers say a status and nothing more, and the gate and the upstream know nothing of the request.
fn is_empty(status: u16, seen: &Seen) -> Result<()> {
    ensure!(
        seen.status == Some(status) && seen.body.as_deref() == Some(b"") && seen.reason.is_none(),
        "expected an empty {status}, saw {seen:?}"
    );
    ensure!(seen.upstream.is_none(), "the upstream was reached");
    Ok(())
}

fn none(complaints: &[String]) -> Result<()> {
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}
