//! A port before a server that can be shut: then connections are refused, as where nobody listens, and those that stood are cut.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

/// The port. Dropping it shuts it.
pub struct Door {
    address: SocketAddr,
    server: SocketAddr,
    open: Option<Open>,
}

struct Open {
    closing: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    acceptor: JoinHandle<()>,
}

impl Door {
    /// An open door before the server at that address.
    ///
    /// # Errors
    /// No port can be had.
    pub fn before(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("a door for the tests")?;
        let mut door = Self {
            address: listener.local_addr()?,
            server,
            open: None,
        };
        door.accept(listener);
        Ok(door)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses from now on.
    pub fn shut(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        open.closing.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        drop(TcpStream::connect(self.address));
        drop(open.acceptor.join());
        let streams = open.streams.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams.iter() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Lets connections through again.
    ///
    /// # Errors
    /// Somebody else has taken the port.
    pub fn open(&mut self) -> Result<()> {
        if self.open.is_none() {
            let listener = TcpListener::bind(self.address).context("opening a door again")?;
            self.accept(listener);
        }
        Ok(())
    }

    fn accept(&mut self, listener: TcpListener) {
        let closing = Arc::new(AtomicBool::new(false));
        let streams = Arc::new(Mutex::new(Vec::new()));
        let (stop, known, server) = (Arc::clone(&closing), Arc::clone(&streams), self.server);
        let acceptor = std::thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(client), Ok(behind)) = (client, TcpStream::connect(server)) else {
                    continue;
                };
                // What breaks is the business of those on both sides.
                drop(joined(client, behind, &known));
            }
        });
        self.open = Some(Open {
            closing,
            streams,
            acceptor,
        });
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Copies what comes on either to the other, until one of them ends.
fn joined(one: TcpStream, other: TcpStream, known: &Mutex<Vec<TcpStream>>) -> Result<()> {
    for (from, to) in [(&one, &other), (&other, &one)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        std::thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Both));
            drop(from.shutdown(Shutdown::Both));
        });
    }
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.extend([one, other]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1;
    use crate::server::{Reply, Server, answer};

    #[test]
    fn a_shut_door_refuses_until_it_is_opened() {
        let server = Server::start(|_| Reply::Bytes(answer(200, &[], b"here"))).unwrap();
        let mut door = Door::before(server.address()).unwrap();
        let ask = |door: &Door| http1::fetch(door.address(), "/");
        assert_eq!(ask(&door).unwrap().text(), "here");
        let standing = TcpStream::connect(door.address()).unwrap();
        door.shut();
        let refused = TcpStream::connect(door.address()).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        drop(standing);
        door.open().unwrap();
        assert_eq!(ask(&door).unwrap().text(), "here");
    }
}
