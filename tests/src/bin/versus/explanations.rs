//! Who is right, and why: `tests/versus.yaml`. What it does not explain, and what it explains in vain, is an error.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::comparison::{Found, Tried};
use crate::disagreement::Kind;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explanations {
    /// Cases whose answer turns on a second; native times are whole seconds.
    early_in_a_second: Vec<String>,
    not_comparable: Vec<LeftOut>,
    themes: Vec<Theme>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftOut {
    cases: Vec<String>,
    reason: String,
}

/// What several disagreements have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Theme {
    pub(crate) theme: String,
    pub(crate) right: Right,
    /// Only disagreements of these kinds; all where none is named.
    #[serde(default)]
    kinds: Vec<Kind>,
    /// Names of cases, `FILE: NAME`; one `*` stands for any text.
    cases: Vec<String>,
    pub(crate) why: String,
}

/// Who is right.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Right {
    Scopegate,
    Native,
    Either,
    Inexpressible,
}

impl Right {
    pub(crate) const ALL: [Self; 4] = [
        Self::Scopegate,
        Self::Native,
        Self::Either,
        Self::Inexpressible,
    ];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Scopegate => "Scopegate",
            Self::Native => "native",
            Self::Either => "either",
            Self::Inexpressible => "cannot be expressed",
        }
    }
}

/// A theme with its disagreements.
pub(crate) struct Explained<'a> {
    pub(crate) theme: &'a Theme,
    pub(crate) found: Vec<&'a Found>,
}

impl Explanations {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_saphyr::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Why that case is not compared, if it is not.
    pub(crate) fn left_out(&self, case: &str) -> Option<&String> {
        let row = self
            .not_comparable
            .iter()
            .find(|row| row.cases.iter().any(|pattern| matches(pattern, case)));
        row.map(|row| &row.reason)
    }

    /// Whether the answer to that case turns on a second.
    pub(crate) fn is_early(&self, case: &str) -> bool {
        self.early_in_a_second
            .iter()
            .any(|pattern| matches(pattern, case))
    }

    /// Gives every disagreement its theme.
    pub(crate) fn explain<'a>(&'a self, tried: &'a Tried) -> Result<Vec<Explained<'a>>> {
        let mut wrong = Vec::new();
        let mut explained: Vec<Explained> = self
            .themes
            .iter()
            .map(|theme| Explained {
                theme,
                found: Vec::new(),
            })
            .collect();
        for found in &tried.found {
            let mut fitting = explained
                .iter_mut()
                .filter(|explained| explained.theme.fits(found));
            match (fitting.next(), fitting.next()) {
                (Some(one), None) => one.found.push(found),
                (None, _) => wrong.push(format!("nothing explains {}", spoken(found))),
                (Some(one), Some(other)) => wrong.push(format!(
                    "{:?} and {:?} both explain {}",
                    one.theme.theme,
                    other.theme.theme,
                    spoken(found)
                )),
            }
        }
        for Explained { theme, found } in &explained {
            let idle = theme
                .cases
                .iter()
                .filter(|pattern| !found.iter().any(|found| matches(pattern, &found.case)));
            wrong.extend(
                idle.map(|pattern| format!("{:?} explains {pattern:?} in vain", theme.theme)),
            );
        }
        for pattern in self.not_comparable.iter().flat_map(|row| &row.cases) {
            if !tried
                .left_out
                .iter()
                .any(|(case, _)| matches(pattern, case))
            {
                wrong.push(format!(
                    "{pattern:?} in `not_comparable` is the name of no case"
                ));
            }
        }
        if !wrong.is_empty() {
            bail!(
                "tests/versus.yaml does not fit what was seen:\n{}",
                wrong.join("\n")
            );
        }
        Ok(explained)
    }
}

impl Theme {
    fn fits(&self, found: &Found) -> bool {
        let is_of_kind = self.kinds.is_empty() || self.kinds.contains(&found.disagreement.kind);
        is_of_kind
            && self
                .cases
                .iter()
                .any(|pattern| matches(pattern, &found.case))
    }
}

fn spoken(found: &Found) -> String {
    let d = &found.disagreement;
    let only = found
        .only
        .map_or(String::new(), |runner| format!(" ({})", runner.name()));
    format!(
        "{:?}{only}: {:?}, {} | {}",
        found.case, d.kind, d.expected, d.native
    )
}

fn matches(pattern: &str, case: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == case,
        Some((start, end)) => {
            case.len() >= start.len() + end.len() && case.starts_with(start) && case.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, case, expected) in [
            ("a: b", "a: b", true),
            ("a: b", "a: bc", false),
            ("a: *", "a: bc", true),
            ("a: *c", "a: bc", true),
            ("a: b*b", "a: b", false),
        ] {
            assert_eq!(matches(pattern, case), expected, "{pattern} {case}");
        }
    }
}
