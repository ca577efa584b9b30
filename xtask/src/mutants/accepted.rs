//! `core/mutants.txt`: the mistakes that no test notices, and why that is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// What the file says: a mistake in a line of its own, its reason in the indented lines below it.
pub struct Accepted(BTreeMap<String, String>);

impl Accepted {
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut rows: BTreeMap<String, String> = BTreeMap::new();
        let mut current: Option<String> = None;
        for line in text.lines() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if let Some(reason) = line.strip_prefix("    ") {
                let mutant = current
                    .as_ref()
                    .with_context(|| format!("a reason without its mistake: {reason}"))?;
                rows.entry(mutant.clone()).or_default().push_str(reason);
            } else {
                ensure!(!rows.contains_key(line), "named twice: {line}");
                rows.insert(line.to_owned(), String::new());
                current = Some(line.to_owned());
            }
        }
        for (mutant, reason) in &rows {
            ensure!(!reason.is_empty(), "no reason: {mutant}");
        }
        Ok(Self(rows))
    }

    /// What is wrong: a mistake that went unnoticed without a reason, and a reason for one that was noticed. `is_asked` says
    /// which files were looked at.
    pub fn complaints(&self, unnoticed: &[String], is_asked: impl Fn(&str) -> bool) -> Vec<String> {
        let unnoticed: BTreeSet<&str> = unnoticed.iter().map(String::as_str).collect();
        let unexplained = unnoticed
            .iter()
            .filter(|mutant| !self.0.contains_key(**mutant))
            .map(|mutant| format!("no test notices: {mutant}"));
        let file = |mutant: &str| mutant.split(':').next().unwrap_or_default().to_owned();
        let stale = self
            .0
            .keys()
            .filter(|mutant| is_asked(&file(mutant)) && !unnoticed.contains(mutant.as_str()))
            .map(|mutant| format!("a test notices it, or it is gone, so core/mutants.txt must not name it: {mutant}"));
        unexplained.chain(stale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_being_wrong_are_told() {
        let accepted = Accepted::parse(
            "# words\n\ncore/src/a.rs: replace a\n    A reason\n    in two lines.\ncore/src/b.rs: replace b\n    Another.\n",
        );
        let accepted = accepted.expect("it is in order");
        let told = |unnoticed: &[&str], asked: &str| {
            let unnoticed: Vec<String> =
                unnoticed.iter().map(|&mutant| mutant.to_owned()).collect();
            accepted
                .complaints(&unnoticed, |file| file.starts_with(asked))
                .len()
        };
        let both = ["core/src/a.rs: replace a", "core/src/b.rs: replace b"];
        assert_eq!(told(&both, "core"), 0);
        assert_eq!(told(&both[..1], "core"), 1, "a stale row");
        assert_eq!(
            told(&both[..1], "core/src/a.rs"),
            0,
            "a row that was not asked about"
        );
        assert_eq!(
            told(&[both[0], both[1], "core/src/c.rs: replace c"], "core"),
            1
        );
    }

    #[test]
    fn a_row_has_a_reason_and_stands_once() {
        for text in [
            "core/src/a.rs: replace a\n",
            "    a reason\n",
            "core/src/a.rs: replace a\n    R.\ncore/src/a.rs: replace a\n    R.\n",
        ] {
            assert!(Accepted::parse(text).is_err(), "{text}");
        }
    }
}
