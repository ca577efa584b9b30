//! A file replaced in one step: whoever reads it sees the old text or the new one, and never half of either.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::NamedTempFile;

/// Puts `text` at `path`. A link stays one, and what it leads to is replaced; who may read the file stays as it was.
///
/// # Errors
/// The folder cannot be written to.
pub fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        // Of a name of its own, so that two writers do not write into each other's.
        let mut fresh = NamedTempFile::new_in(folder)?;
        fresh.write_all(text.as_bytes())?;
        like(&target, &fresh)?;
        fresh.as_file().sync_all()?;
        fresh.persist(&target).map_err(|error| error.error)?;
        std::io::Result::Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// Gives the new file the permissions of the old one, and where that may be its owner; those of any new file where there is none.
fn like(old: &Path, new: &NamedTempFile) -> std::io::Result<()> {
    let Ok(known) = fs::metadata(old) else {
        return usual_permissions(new);
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        // Only the superuser may give a file away; whoever else writes here stays its owner.
        let _ = fchown(new.as_file(), Some(known.uid()), Some(known.gid()));
    }
    new.as_file().set_permissions(known.permissions())
}

/// A temporary file is its owner's alone. What is written here is for others to read.
fn usual_permissions(new: &NamedTempFile) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        new.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_and_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        for text in ["one", "two"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("missing/policy.yaml"), "x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (
            folder.path().join("ecds.yaml"),
            folder.path().join("link.yaml"),
        );
        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        // What somebody else put where an older version wrote first.
        let victim = folder.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        symlink(&victim, folder.path().join("ecds.yaml.new")).unwrap();
        replace(&link, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    }
}
