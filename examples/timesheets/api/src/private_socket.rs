//! A Unix socket that one user of this machine can open: how the API knows that who calls it is the gate.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Its owner reads and writes; whoever may not write cannot connect (unix(7)).
const OWNER_ALONE: u32 = 0o600;

/// Those of the group and all others may write.
const BY_OTHERS: u32 = 0o022;

/// Only an owner may remove or rename what is in a folder with this bit.
const STICKY: u32 = 0o1000;

/// The file of a socket that is listened on. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct PrivateSocket {
    path: PathBuf,
    // Device and number: somebody else's file may be there in the meantime.
    identity: (u64, u64),
}

impl PrivateSocket {
    /// # Errors
    /// Others could put their own socket there, somebody listens there already, or something else is there.
    pub(crate) fn bind(path: &Path) -> anyhow::Result<(Self, UnixListener)> {
        let bound = || {
            let folder = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let name = path.file_name().context("it names no file")?;
            let folder = folder
                .canonicalize()
                .with_context(|| format!("there is no folder {}", folder.display()))?;
            // A relative path would lead elsewhere once the program's folder changes.
            let path = folder.join(name);
            make_way(&path)?;
            bind_in(&folder, path)
        };
        bound().with_context(|| format!("listening on the socket {}", path.display()))
    }
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.identity) {
            // Whoever starts next removes what stays.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The socket is made in a folder of its own and moved into place when its mode is right. Made in place, it would be open to
/// all for a moment, unless the umask of the whole program were changed.
fn bind_in(folder: &Path, path: PathBuf) -> anyhow::Result<(PrivateSocket, UnixListener)> {
    let cradle = tempfile::Builder::new()
        .prefix(".")
        .rand_bytes(6)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)?;
    // Made by this program: its owner is who runs it.
    let us = cradle.path().metadata()?.uid();
    check_folders(folder, us)?;
    let made = cradle.path().join("s");
    for path in [&made, &path] {
        SocketAddr::from_pathname(path).context("a socket's path has at most about 100 octets")?;
    }
    let listener = UnixListener::bind(&made)?;
    std::fs::set_permissions(&made, Permissions::from_mode(OWNER_ALONE))?;
    let file = std::fs::symlink_metadata(&made)?;
    let identity = (file.dev(), file.ino());
    std::fs::rename(&made, &path)?;
    Ok((PrivateSocket { path, identity }, listener))
}

/// Whoever may write into one of the folders on the way can move what is in it, and listen in its place: the gate would hand its
/// requests to them.
fn check_folders(folder: &Path, us: u32) -> anyhow::Result<()> {
    for above in folder.ancestors() {
        let found = above.metadata()?;
        let name = above.display();
        if found.uid() != us && found.uid() != 0 {
            bail!("the folder {name} belongs to another user");
        }
        let is_shared = found.mode() & BY_OTHERS != 0;
        let is_kept_apart = found.mode() & STICKY != 0 && above != folder;
        if is_shared && !is_kept_apart {
            bail!(
                "others may write into the folder {name} (mode {:03o}), and so put their own socket there: chmod go-w {name}, or choose \
                 a folder of your own",
                found.mode() & 0o777
            );
        }
    }
    Ok(())
}

/// What a program left that ended without its last word is removed when the new socket takes its place.
fn make_way(path: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => {
            bail!("there is something else, which is no socket")
        }
        Ok(_) => match UnixStream::connect(path) {
            // Nobody listens.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(error).context("finding out whether somebody listens there"),
            Ok(_) => bail!("somebody listens there already"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn refusal(path: &Path) -> String {
        format!("{:#}", PrivateSocket::bind(path).unwrap_err())
    }

    #[test]
    fn it_is_its_owners_alone_and_goes_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let (socket, _listener) = PrivateSocket::bind(&path).unwrap();
        let found = fs::symlink_metadata(&path).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.mode() & 0o777, 0o600);
        UnixStream::connect(&path).unwrap();
        // Nothing is left of where it was made.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_makes_way_and_a_living_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        drop(UnixListener::bind(&path).unwrap());
        let (_socket, listener) = PrivateSocket::bind(&path).unwrap();
        let error = refusal(&path);
        assert!(error.contains("somebody listens there already"), "{error}");
        drop(listener);
        PrivateSocket::bind(&path).unwrap();
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        fs::write(&path, "mine").unwrap();
        let error = refusal(&path);
        assert!(error.contains("no socket"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn the_socket_of_the_next_program_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let (first, listener) = PrivateSocket::bind(&path).unwrap();
        drop(listener);
        let (_second, _listener) = PrivateSocket::bind(&path).unwrap();
        drop(first);
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn a_folder_into_which_others_may_write_is_refused() {
        for others in [0o777, 0o770, 0o702, 0o1777] {
            let folder = tempfile::tempdir().unwrap();
            mode(folder.path(), others);
            let error = refusal(&folder.path().join("api.sock"));
            assert!(error.contains("others may write into"), "{error}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        let shared = tempfile::tempdir().unwrap();
        let inner = shared.path().join("inner");
        fs::create_dir(&inner).unwrap();
        mode(&inner, 0o700);
        mode(shared.path(), 0o777);
        let error = refusal(&inner.join("api.sock"));
        assert!(error.contains("others may write into"), "{error}");
        // As in /tmp: what is ours there stays ours.
        mode(shared.path(), 0o1777);
        PrivateSocket::bind(&inner.join("api.sock")).unwrap();
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(100));
        fs::create_dir(&deep).unwrap();
        for (path, why) in [
            (folder.path().join("x".repeat(120)), "at most about 100"),
            (deep.join("s"), "at most about 100"),
            (folder.path().join("none/api.sock"), "there is no folder"),
            (PathBuf::from("/"), "it names no file"),
        ] {
            let error = refusal(&path);
            assert!(error.contains(why), "{error}");
        }
    }
}
