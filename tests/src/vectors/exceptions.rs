//! `tests/vectors/exceptions.yaml`: which vectors come out otherwise than their makers say, and why that is right.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{Difference, Group};

/// All rows.
pub struct Exceptions(Vec<Row>);

/// Some vectors, with the one reason why they come out otherwise. They are named in one of two ways.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sets: Vec<String>,
    /// These.
    vectors: Option<Vec<usize>>,
    /// Every valid one of the sets but these.
    every_valid_one_but: Option<Vec<usize>>,
    reason: String,
}

impl Exceptions {
    /// Reads the file.
    ///
    /// # Errors
    /// It is not there, or a row lacks something.
    pub fn load() -> Result<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/exceptions.yaml");
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let rows: Vec<Row> = serde_saphyr::from_str(&text)?;
        for row in &rows {
            let sets = &row.sets;
            let is_one = row.vectors.is_some() != row.every_valid_one_but.is_some();
            ensure!(
                is_one,
                "{sets:?}: a row says which vectors, in one of the two ways"
            );
            ensure!(!row.reason.is_empty(), "{sets:?}: a row needs a reason");
        }
        Ok(Self(rows))
    }

    /// What is wrong: a vector that came out otherwise without a row, and a row whose vector came out as its makers say.
    pub fn complaints(&self, groups: &[Group], seen: &[Difference]) -> Vec<String> {
        let excepted = self.excepted(groups);
        let seen: BTreeSet<Difference> = seen.iter().cloned().collect();
        let unexpected = seen.difference(&excepted).map(|difference| {
            let Difference { set, number, valid } = difference;
            let said = if *valid { "valid" } else { "not valid" };
            format!("{set}, vector {number}: it is {said}, and came out otherwise")
        });
        let stale = excepted.difference(&seen).map(|Difference { set, number, .. }| {
            format!("{set}, vector {number}: it came out as it should, so exceptions.yaml must not name it")
        });
        unexpected
            .chain(stale)
            .chain(self.unknown(groups))
            .collect()
    }

    fn excepted(&self, groups: &[Group]) -> BTreeSet<Difference> {
        let mut excepted = BTreeSet::new();
        for group in groups {
            let rows = self.0.iter().filter(|row| row.sets.contains(&group.set));
            for row in rows {
                let named = group
                    .expected
                    .iter()
                    .filter(|(number, valid)| row.names(*number, *valid));
                excepted.extend(named.map(|(number, valid)| Difference {
                    set: group.set.clone(),
                    number: *number,
                    valid: *valid,
                }));
            }
        }
        excepted
    }

    /// Sets and vectors that are not there.
    fn unknown(&self, groups: &[Group]) -> Vec<String> {
        let is_there = |set: &String, number: Option<&usize>| {
            groups
                .iter()
                .filter(|group| group.set == *set)
                .any(|group| {
                    number.is_none_or(|number| {
                        group.expected.iter().any(|(known, _)| known == number)
                    })
                })
        };
        let mut unknown = Vec::new();
        for row in &self.0 {
            let numbers = row.vectors.iter().chain(&row.every_valid_one_but);
            for set in &row.sets {
                if !is_there(set, None) {
                    unknown.push(format!(
                        "exceptions.yaml names a set {set:?}, and there is none"
                    ));
                }
                for number in numbers.clone().flatten() {
                    if !is_there(set, Some(number)) {
                        unknown.push(format!(
                            "exceptions.yaml names vector {number} of {set:?}, and there is none"
                        ));
                    }
                }
            }
        }
        unknown
    }
}

impl Row {
    fn names(&self, number: usize, valid: bool) -> bool {
        let among = |numbers: &Vec<usize>| numbers.contains(&number);
        match &self.every_valid_one_but {
            Some(others) => valid && !among(others),
            None => self.vectors.as_ref().is_some_and(among),
        }
    }
}
