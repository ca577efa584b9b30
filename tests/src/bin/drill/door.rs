//! The way to a server, which can be shut: then connections are refused, and those that stand break off.
//!
//! It is a Unix socket, so that no other program can take its port while it is shut, as it could with TCP.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

/// A way to the server behind it.
pub(crate) struct Door {
    place: PathBuf,
    behind: SocketAddr,
    open: Option<Open>,
}

struct Open {
    stopping: Arc<AtomicBool>,
    passing: Passing,
    acceptor: JoinHandle<()>,
}

/// Both ends of what goes through.
type Passing = Arc<Mutex<Vec<(UnixStream, TcpStream)>>>;

impl Door {
    /// An open door at that path.
    ///
    /// # Errors
    /// Nobody can listen there.
    pub(crate) fn open(place: &Path, behind: SocketAddr) -> Result<Self> {
        let mut door = Self {
            place: place.to_owned(),
            behind,
            open: None,
        };
        door.reopen()?;
        Ok(door)
    }

    /// Opens it again; nothing changes where it is open.
    ///
    /// # Errors
    /// Nobody can listen there.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        // What a shut door leaves: Envoy is refused there, as at a port where nobody listens.
        if self.place.exists() {
            std::fs::remove_file(&self.place)?;
        }
        let listener = UnixListener::bind(&self.place)
            .with_context(|| format!("listening on {}", self.place.display()))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let passing = Passing::default();
        let behind = self.behind;
        let acceptor = {
            let (stopping, passing) = (Arc::clone(&stopping), Arc::clone(&passing));
            std::thread::spawn(move || accept(&listener, behind, &stopping, &passing))
        };
        self.open = Some(Open {
            stopping,
            passing,
            acceptor,
        });
        Ok(())
    }

    /// Shuts it; nothing changes where it is shut.
    pub(crate) fn shut(&mut self) {
        let Some(open) = self.open.take() else { return };
        open.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then drops its listener.
        drop(UnixStream::connect(&self.place));
        drop(open.acceptor.join());
        for (near, far) in lock(&open.passing).drain(..) {
            // One that has ended by itself is as good.
            drop(near.shutdown(Shutdown::Both));
            drop(far.shutdown(Shutdown::Both));
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}

fn accept(listener: &UnixListener, behind: SocketAddr, stopping: &AtomicBool, passing: &Passing) {
    for near in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        // A connection that cannot be passed on is dropped: for Envoy, that is a server that fails.
        let Ok(near) = near else { continue };
        let Ok(far) = TcpStream::connect(behind) else {
            continue;
        };
        drop(pass(near, far, passing));
    }
}

fn pass(near: UnixStream, far: TcpStream, passing: &Passing) -> io::Result<()> {
    far.set_nodelay(true)?;
    let (mut from_near, mut to_near) = (near.try_clone()?, near.try_clone()?);
    let (mut from_far, mut to_far) = (far.try_clone()?, far.try_clone()?);
    lock(passing).push((near, far));
    std::thread::spawn(move || {
        drop(io::copy(&mut from_near, &mut to_far));
        drop(to_far.shutdown(Shutdown::Write));
    });
    std::thread::spawn(move || {
        drop(io::copy(&mut from_far, &mut to_near));
        drop(to_near.shutdown(Shutdown::Write));
    });
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};

    use e2e::server::{Reply, Server, answer};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    fn ask(stream: &mut UnixStream) -> String {
        stream.write_all(REQUEST).unwrap();
        e2e::http1::read_answer(stream, false).unwrap().text()
    }

    #[test]
    fn a_shut_door_refuses_and_breaks_off_and_an_open_one_lets_through() {
        let server = Server::start(|_| Reply::Bytes(answer(200, &[], b"here"))).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("door");
        let mut door = Door::open(&place, server.address()).unwrap();
        for _ in 0..2 {
            let mut stream = UnixStream::connect(&place).unwrap();
            assert_eq!(ask(&mut stream), "here");
            assert_eq!(ask(&mut stream), "here", "the connection stays");
            door.shut();
            assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "it breaks off");
            let refused = UnixStream::connect(&place).map_err(|error| error.kind());
            assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));
            door.reopen().unwrap();
        }
    }
}
