//! An upstream that does with each connection what a test wants, octet by octet.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Where it listens. It lives as long as the test program.
pub(crate) struct Upstream(SocketAddr);

impl Upstream {
    /// Hands every connection to the handler, in a thread of its own.
    pub(crate) fn start(handler: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let handler = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                let handler = Arc::clone(&handler);
                std::thread::spawn(move || {
                    handler(Connection {
                        stream,
                        rest: Vec::new(),
                    });
                });
            }
        });
        Self(address)
    }

    /// Answers every request with these octets once it is whole, and tells its head.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> (Self, Receiver<String>) {
        let (sender, receiver) = heads();
        let answer = answer.into();
        let upstream = Self::start(move |mut connection| {
            while let Some(head) = connection.next_head() {
                connection.skip_body(&head);
                // The test may be over.
                let _ = sender.send(head);
                connection.write(&answer);
            }
        });
        (upstream, receiver)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0
    }
}

fn heads() -> (Sender<String>, Receiver<String>) {
    channel()
}

/// A connection from the gate.
pub(crate) struct Connection {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Connection {
    /// The head of the request, in lower case, with the empty line at its end.
    pub(crate) fn head(&mut self) -> String {
        self.next_head().unwrap()
    }

    /// The same, and nothing where no request follows.
    pub(crate) fn next_head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                let body = self.rest.split_off(end + 4);
                let head = std::mem::replace(&mut self.rest, body);
                return Some(String::from_utf8_lossy(&head).to_lowercase());
            }
            if !self.read_more() {
                assert!(self.rest.is_empty(), "the connection ended within a head");
                return None;
            }
        }
    }

    fn skip_body(&mut self, head: &str) {
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if let Some(length) = length {
            self.swallow(length.parse().unwrap());
        }
        if head.contains("transfer-encoding: chunked\r\n") {
            assert!(self.read_until(b"0\r\n\r\n"));
            self.rest.clear();
        }
    }

    /// Reads until these octets have come.
    pub(crate) fn read_until(&mut self, wanted: &[u8]) -> bool {
        while !self.rest.windows(wanted.len()).any(|some| some == wanted) {
            if !self.read_more() {
                return false;
            }
        }
        true
    }

    /// What has come and was not taken.
    pub(crate) fn rest(&self) -> String {
        String::from_utf8_lossy(&self.rest).into_owned()
    }

    /// Reads that many octets of a body, and keeps none.
    pub(crate) fn swallow(&mut self, length: usize) -> usize {
        let mut count = self.rest.len();
        self.rest.clear();
        let mut buffer = vec![0; 64 * 1024];
        while count < length {
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(some) => count += some,
            }
        }
        count
    }

    /// Reads chunks to the end of them, and keeps none. Gives the length of their content.
    pub(crate) fn swallow_chunks(&mut self) -> usize {
        let mut count = 0;
        loop {
            assert!(self.read_until(b"\r\n"));
            let line = self.rest.windows(2).position(|two| two == b"\r\n").unwrap();
            let length = std::str::from_utf8(&self.rest[..line]).unwrap();
            let length = usize::from_str_radix(length, 16).unwrap();
            self.rest.drain(..line + 2);
            while self.rest.len() < length + 2 {
                assert!(self.read_more(), "the connection ended within a chunk");
            }
            self.rest.drain(..length + 2);
            count += length;
            if length == 0 {
                return count;
            }
        }
    }

    pub(crate) fn write(&mut self, octets: &[u8]) {
        // Who is gone misses nothing.
        self.try_write(octets);
    }

    /// Whether the other side still takes it.
    pub(crate) fn try_write(&mut self, octets: &[u8]) -> bool {
        self.stream.write_all(octets).is_ok()
    }

    /// Waits for the other side's end.
    pub(crate) fn drain(&mut self) {
        while self.read_more() {}
    }

    fn read_more(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.rest.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(error) => {
                let is_end = matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                );
                assert!(is_end, "{error}");
                false
            }
        }
    }
}

/// A chunk of that many octets.
pub(crate) fn chunk(length: usize) -> Vec<u8> {
    let mut chunk = format!("{length:x}\r\n").into_bytes();
    chunk.extend(vec![b'x'; length]);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
