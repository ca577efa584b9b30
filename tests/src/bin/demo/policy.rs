//! The policy file that the user edits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A file that is looked at again and again. (A look costs a read of a few kilobytes, and finds a change however the
/// editor saves: in place, by a rename, or through a link.)
pub(crate) struct Watched {
    path: PathBuf,
    /// The text that was last handed out.
    text: String,
    /// What the last look found. An editor may be half way through: a change counts when two looks find the same.
    last_look: Option<String>,
    /// How many looks in a row found no readable file.
    misses: u32,
}

impl Watched {
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let text = read(&path)?;
        Ok(Self {
            path,
            text,
            last_look: None,
            misses: 0,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text, if it is another one than last time. A file that cannot be read is told once.
    pub(crate) fn changed(&mut self) -> Option<Result<String>> {
        let found = match read(&self.path) {
            Ok(found) => found,
            // Some editors remove the file before they write it again: one look is not enough to say that it is gone.
            Err(error) => {
                self.misses = self.misses.saturating_add(1);
                return (self.misses == 2).then_some(Err(error));
            }
        };
        self.misses = 0;
        let settled = self.last_look.as_deref() == Some(found.as_str());
        self.last_look = Some(found.clone());
        if settled && found != self.text {
            self.text.clone_from(&found);
            return Some(Ok(found));
        }
        None
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("the policy {} cannot be read", path.display()))
}

/// The issuer that the demo is to be, by the policy's own word.
pub(crate) struct LocalIssuer {
    pub(crate) text: String,
    pub(crate) port: u16,
}

/// The one thing that the demo itself reads of a policy; the rest is for the filter to judge.
#[derive(Deserialize)]
struct Issuers {
    issuers: BTreeMap<String, NamedIssuer>,
}

#[derive(Deserialize)]
struct NamedIssuer {
    issuer: String,
}

/// The first issuer on loopback.
pub(crate) fn local_issuer(policy: &str, path: &Path) -> Result<LocalIssuer> {
    let file: Issuers = serde_saphyr::from_str(policy)
        .with_context(|| format!("the policy {} has no readable issuers", path.display()))?;
    file.issuers
        .into_values()
        .find_map(|named| {
            let port = named
                .issuer
                .strip_prefix("http://127.0.0.1:")?
                .strip_suffix('/')?
                .parse()
                .ok()?;
            Some(LocalIssuer { text: named.issuer, port })
        })
        .with_context(|| {
            format!(
                "the policy {} names no local issuer: the demo can only be one with `issuer: http://127.0.0.1:PORT/`",
                path.display()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_and_only_when_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        std::fs::write(&path, "one").unwrap();
        let mut watched = Watched::open(path.clone()).unwrap();
        assert!(watched.changed().is_none());
        std::fs::write(&path, "").unwrap();
        assert!(watched.changed().is_none());
        std::fs::write(&path, "two").unwrap();
        assert!(watched.changed().is_none());
        assert_eq!(watched.changed().unwrap().unwrap(), "two");
        assert!(watched.changed().is_none());
    }

    #[test]
    fn a_file_that_stays_away_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        std::fs::write(&path, "one").unwrap();
        let mut watched = Watched::open(path.clone()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(watched.changed().is_none());
        assert!(watched.changed().unwrap().is_err());
        assert!(watched.changed().is_none());
        std::fs::write(&path, "two").unwrap();
        assert!(watched.changed().is_none());
        assert_eq!(watched.changed().unwrap().unwrap(), "two");
    }

    #[test]
    fn the_issuer_is_the_one_on_loopback() {
        let policy = "issuers: { a: { issuer: https://a.example/ }, b: { issuer: http://127.0.0.1:9101/, audiences: [x] } }";
        let issuer = local_issuer(policy, Path::new("p")).unwrap();
        assert_eq!(
            (issuer.text.as_str(), issuer.port),
            ("http://127.0.0.1:9101/", 9101)
        );
        assert!(
            local_issuer(
                "issuers: { a: { issuer: https://a.example/ } }",
                Path::new("p")
            )
            .is_err()
        );
    }
}
