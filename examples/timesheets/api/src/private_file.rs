//! A file that is its owner's alone, whoever else uses the machine.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Its owner reads and writes.
const OWNER_ALONE: u32 = 0o600;

/// Those of the group and all others read, write, or run it.
const OF_OTHERS: u32 = 0o077;

/// Makes the file where there is none, and returns its path without links.
///
/// # Errors
/// There is no such folder, or what is there is no file, a link, another user's, or open to others.
pub(crate) fn make(path: &Path) -> anyhow::Result<PathBuf> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().context("it names no file")?;
    let folder = folder.canonicalize()?;
    let path = folder.join(name);
    // Nothing but a file that this call makes: a link is not followed, wherever it leads.
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ALONE)
        .open(&path);
    match made {
        Ok(_) => Ok(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            check(&path, user(&folder)?)?;
            Ok(path)
        }
        Err(error) => Err(error.into()),
    }
}

/// Who runs this program, as whose the folder's files are made.
fn user(folder: &Path) -> anyhow::Result<u32> {
    let made = tempfile::Builder::new().prefix(".").tempfile_in(folder)?;
    Ok(made.as_file().metadata()?.uid())
}

/// Whoever owns a file may read it, whatever its mode: they can change that.
fn check(path: &Path, us: u32) -> anyhow::Result<()> {
    let found = std::fs::symlink_metadata(path)?;
    let mode = found.mode() & 0o777;
    if found.is_symlink() {
        bail!("it is a link: name the file itself");
    }
    if !found.is_file() {
        bail!("there is something else, which is no file");
    }
    if found.uid() != us {
        bail!("it belongs to another user (number {})", found.uid());
    }
    if mode & OF_OTHERS != 0 {
        bail!(
            "others on this machine may read or write it (mode {mode:03o}): chmod 600 {}",
            path.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn refusal(path: &Path) -> String {
        format!("{:#}", make(path).unwrap_err())
    }

    #[test]
    fn it_is_made_for_its_owner_and_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("entries.db");
        let made = make(&path).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o600);
        fs::write(&made, "mine").unwrap();
        assert_eq!(make(&path).unwrap(), made);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        // Nothing is left of the file that told who we are.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        symlink(&file, &link).unwrap();
        let error = refusal(&link);
        assert!(error.contains("it is a link"), "{error}");
        assert!(!file.exists());
        make(&file).unwrap();
        let error = refusal(&link);
        assert!(error.contains("it is a link"), "{error}");
        // The way to a file may lead over links: it is what the path says.
        symlink(folder.path(), folder.path().join("way")).unwrap();
        let made = make(&folder.path().join("way/file")).unwrap();
        assert_eq!(made, file.canonicalize().unwrap());
    }

    #[test]
    fn what_is_no_file_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        for (path, why) in [
            (folder.path(), "no file"),
            (&socket, "no file"),
            (Path::new("/dev/null"), "no file"),
            (Path::new("/"), "it names no file"),
        ] {
            let error = refusal(path);
            assert!(error.contains(why), "{} {error}", path.display());
        }
    }

    #[test]
    fn another_users_file_and_one_that_others_open_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("entries.db");
        let made = make(&path).unwrap();
        let us = user(folder.path()).unwrap();
        assert_eq!(us, fs::metadata(&made).unwrap().uid());
        check(&made, us).unwrap();
        let error = check(&made, us ^ 1).unwrap_err().to_string();
        assert!(error.contains("another user"), "{error}");
        for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = refusal(&path);
            assert!(error.contains(&format!("mode {mode:03o}")), "{error}");
        }
        // Only one user can give a file away.
        if us == 0 {
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            std::os::unix::fs::chown(&path, Some(1), None).unwrap();
            let error = refusal(&path);
            assert!(error.contains("another user (number 1)"), "{error}");
        }
    }
}
