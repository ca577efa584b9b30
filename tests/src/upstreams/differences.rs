//! The differences between gate and upstream that are known, each with its reason: `tests/upstreams/differences.yaml`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::spellings::How;
use super::{UPSTREAMS, file};

/// Differences of one kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Which upstreams show them.
    pub upstreams: Vec<String>,
    /// In what the paths are unusual.
    pub spelling: How,
    /// Why they differ, and why that cannot be closed in the gate.
    pub because: String,
    /// One example for each pair of routes.
    pub differences: Vec<Difference>,
}

/// A request for which gate and upstream do not agree.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The request target.
    pub path: String,
    /// The route that the gate authorised.
    pub authorised: String,
    /// The route that the upstream served.
    pub served: String,
}

/// Reads the file.
///
/// # Errors
/// It is not as above, a reason is missing, or an upstream is not one.
pub fn load() -> Result<Vec<Known>> {
    let path = file("differences.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let known: Vec<Known> = serde_saphyr::from_str(&text).context("differences.yaml")?;
    for row in &known {
        if row.because.trim().is_empty() || row.differences.is_empty() || row.upstreams.is_empty() {
            bail!("differences.yaml: a row without upstreams, reason or differences");
        }
        for name in &row.upstreams {
            if !UPSTREAMS.iter().any(|upstream| upstream.name == name) {
                bail!("differences.yaml: there is no upstream {name:?}");
            }
        }
    }
    Ok(known)
}

/// What is wrong with what was seen at that upstream: differences that are not known, and known ones that were not seen.
pub fn judge(known: &[Known], upstream: &str, seen: &[(How, Difference)]) -> Vec<String> {
    let rows: Vec<(How, &Difference)> = known
        .iter()
        .filter(|row| row.upstreams.iter().any(|name| name == upstream))
        .flat_map(|row| {
            row.differences
                .iter()
                .map(|difference| (row.spelling, difference))
        })
        .collect();
    let mut wrong = Vec::new();
    for (how, difference) in seen {
        let is_known = rows.iter().any(|(row, known)| {
            row == how
                && known.authorised == difference.authorised
                && known.served == difference.served
        });
        if !is_known {
            let Difference {
                path,
                authorised,
                served,
            } = difference;
            wrong.push(format!("a new difference ({how}): {{ path: {path:?}, authorised: {authorised:?}, served: {served:?} }}"));
        }
    }
    for (row, known) in rows {
        if !seen
            .iter()
            .any(|(how, difference)| *how == row && difference == known)
        {
            wrong.push(format!(
                "no difference any more ({row}), so differences.yaml should not name it: {known:?}"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(path: &str, served: &str) -> Difference {
        Difference {
            path: path.to_owned(),
            authorised: "/a/{id}".to_owned(),
            served: served.to_owned(),
        }
    }

    #[test]
    fn what_is_new_and_what_is_gone_are_both_told() {
        let known = [Known {
            upstreams: vec!["express".to_owned()],
            spelling: How::Case,
            because: "it ignores case".to_owned(),
            differences: vec![difference("/a/B", "/a/b")],
        }];
        let seen = |path, served| (How::Case, difference(path, served));
        let check = |upstream, seen: &[_], wrong: &[&str]| {
            let told = judge(&known, upstream, seen);
            assert_eq!(told.len(), wrong.len(), "{told:?}");
            assert!(
                told.iter()
                    .zip(wrong)
                    .all(|(told, wrong)| told.starts_with(wrong)),
                "{told:?}"
            );
        };
        check(
            "express",
            &[seen("/a/B", "/a/b"), seen("/A/B", "/a/b")],
            &[],
        );
        check(
            "express",
            &[seen("/a/B", "/a/b"), seen("/a/B", "/b")],
            &["a new difference"],
        );
        check(
            "express",
            &[seen("/A/B", "/a/b")],
            &["no difference any more"],
        );
        check(
            "express",
            &[(How::Escape, difference("/a/B", "/a/b"))],
            &["a new difference", "no difference any more"],
        );
        check("nginx", &[], &[]);
        check("nginx", &[seen("/a/B", "/a/b")], &["a new difference"]);
    }
}
