//! The files of a component: found at the start, copied into a folder of its own, and mounted read-only at `/`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::manifest::FileEntry;

/// One file, and where the component sees it, without the leading slash.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mount {
    source: PathBuf,
    destination: PathBuf,
}

/// Finds the files that the entries of a manifest in `folder` mean.
pub(crate) fn find(
    entries: &[FileEntry],
    excluded: &[String],
    folder: &Path,
) -> Result<Vec<Mount>> {
    let mut mounts = Vec::new();
    for entry in entries {
        match entry {
            FileEntry::Pattern(pattern) => {
                let found = matching(folder, pattern)?;
                if found.is_empty() {
                    bail!("files: nothing matches `{pattern}`");
                }
                mounts.extend(found);
            }
            FileEntry::Placed(placed) => {
                let destination = within(placed.destination.trim_start_matches('/'))?;
                add(&folder.join(&placed.source), &destination, &mut mounts)?;
            }
        }
    }
    for pattern in excluded {
        let excluded = matching(folder, pattern)?;
        mounts.retain(|mount| !excluded.iter().any(|other| other.source == mount.source));
    }
    mounts.sort();
    mounts.dedup();
    Ok(mounts)
}

/// Copies the files into a folder that lives as long as what is returned.
pub(crate) fn copy(mounts: &[Mount]) -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("spin-host-").tempdir()?;
    for mount in mounts {
        let target = folder.path().join(&mount.destination);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&mount.source, &target)
            .with_context(|| format!("files: {}", mount.source.display()))?;
    }
    Ok(folder)
}

/// The files below `folder` whose path matches: `*` within a segment, `**` for any number of segments, a folder for all that is in it.
fn matching(folder: &Path, pattern: &str) -> Result<Vec<Mount>> {
    let pattern = within(pattern)?;
    let segments: Vec<&str> = pattern.iter().filter_map(|s| s.to_str()).collect();
    let fixed: PathBuf = segments.iter().take_while(|s| !s.contains('*')).collect();
    let mut mounts = Vec::new();
    let start = folder.join(&fixed);
    if start.exists() {
        add(&start, &fixed, &mut mounts)?;
    }
    if fixed != pattern {
        mounts.retain(|mount| {
            let path: Vec<&str> = mount
                .destination
                .iter()
                .filter_map(|s| s.to_str())
                .collect();
            matches(&path, &segments)
        });
    }
    Ok(mounts)
}

fn matches(path: &[&str], pattern: &[&str]) -> bool {
    match (path, pattern) {
        ([], []) => true,
        (_, ["**", behind @ ..]) => (0..=path.len()).any(|skipped| {
            path.get(skipped..)
                .is_some_and(|rest| matches(rest, behind))
        }),
        ([first, path @ ..], [wanted, pattern @ ..]) => {
            matches_segment(first, wanted) && matches(path, pattern)
        }
        _ => false,
    }
}

fn matches_segment(segment: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => segment == pattern,
        Some((before, behind)) => segment.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| {
                    rest.get(at..)
                        .is_some_and(|rest| matches_segment(rest, behind))
                })
        }),
    }
}

/// Adds a file, or a folder with all that is in it.
fn add(source: &Path, destination: &Path, mounts: &mut Vec<Mount>) -> Result<()> {
    if !source.is_dir() {
        if !source.is_file() {
            bail!("files: there is no {}", source.display());
        }
        mounts.push(Mount {
            source: source.to_owned(),
            destination: destination.to_owned(),
        });
        return Ok(());
    }
    for entry in fs::read_dir(source).with_context(|| format!("{}", source.display()))? {
        let entry = entry?;
        add(&entry.path(), &destination.join(entry.file_name()), mounts)?;
    }
    Ok(())
}

/// A relative path that does not leave its folder.
fn within(path: &str) -> Result<PathBuf> {
    let mut inside = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            _ => bail!("files: `{path}` leaves its folder; place it with source and destination"),
        }
    }
    Ok(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |path: &str, pattern: &str, expected: bool| {
            let path: Vec<&str> = path.split('/').collect();
            let pattern: Vec<&str> = pattern.split('/').collect();
            assert_eq!(matches(&path, &pattern), expected, "{path:?} {pattern:?}");
        };
        check("a/b.yaml", "a/*.yaml", true);
        check("a/b.yaml", "*.yaml", false);
        check("a/b/c.yaml", "**/*.yaml", true);
        check("c.yaml", "**/*.yaml", true);
        check("a/b/c.yml", "**/*.yaml", false);
        check("a/b", "a/**", true);
        check("xay", "x*y", true);
        check("xa", "x*y", false);
    }

    #[test]
    fn files_are_found_and_copied_to_their_places() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("app/static")).unwrap();
        for name in [
            "policy.yaml",
            "app/a.txt",
            "app/static/b.txt",
            "app/static/c.bin",
        ] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let entries: Vec<FileEntry> = serde_json::from_str(
            r#"["a.txt", "static", {"source": "../policy.yaml", "destination": "/etc/policy.yaml"}]"#,
        )
        .unwrap();
        let app = folder.path().join("app");
        let mounts = find(&entries, &["static/*.bin".to_owned()], &app).unwrap();
        let copied = copy(&mounts).unwrap();
        let read = |name: &str| fs::read_to_string(copied.path().join(name)).ok();
        assert_eq!(read("a.txt").as_deref(), Some("app/a.txt"));
        assert_eq!(read("static/b.txt").as_deref(), Some("app/static/b.txt"));
        assert_eq!(read("static/c.bin"), None);
        assert_eq!(read("etc/policy.yaml").as_deref(), Some("policy.yaml"));
    }

    #[test]
    fn files_that_are_missing_or_outside_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        for entry in [
            r#"["missing.txt"]"#,
            r#"["../outside.txt"]"#,
            r#"["/etc/hosts"]"#,
            r#"[{"source": "missing", "destination": "/a"}]"#,
        ] {
            let entries: Vec<FileEntry> = serde_json::from_str(entry).unwrap();
            assert!(find(&entries, &[], folder.path()).is_err(), "{entry}");
        }
    }
}
