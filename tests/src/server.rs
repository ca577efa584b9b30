//! A small HTTP/1.1 server for tests: it tells byte for byte what it received, and answers in ways a good server would not.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::http1::parse_chunks;

/// A request as it came. Header names are in lower case, values and path are the raw bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The request target.
    pub path: Vec<u8>,
    /// The headers, in the order they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, with its transfer coding taken off.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Vec<(String, Vec<u8>)>,
}

impl Received {
    /// The values of that header, in the order they came.
    pub fn header(&self, name: &str) -> Vec<String> {
        values(&self.headers, name)
    }

    /// The values of that trailer, in the order they came.
    pub fn trailer(&self, name: &str) -> Vec<String> {
        values(&self.trailers, name)
    }
}

fn values(fields: &[(String, Vec<u8>)], name: &str) -> Vec<String> {
    fields
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}

/// What a handler answers.
pub enum Reply {
    /// These bytes, and the connection stays.
    Bytes(Vec<u8>),
    /// These bytes, and the connection closes whatever they promised.
    Cut(Vec<u8>),
    /// Head first, then that many bytes of body.
    Flood(Vec<u8>, usize),
    /// The head at once, then the body with a pause before each octet.
    Drip(Vec<u8>, Vec<u8>),
    /// Nothing: the connection stays until the other side closes it.
    Nothing,
    /// These bytes, then everything that comes is sent back (after an upgrade).
    Echo(Vec<u8>),
}

/// A key set of one key takes a minute, the longest that a policy may wait.
const DRIP_PAUSE: Duration = Duration::from_millis(400);

/// A plain answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status} Test\r\ncontent-length: {}\r\n",
        body.len()
    )
    .into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A running server on loopback. Dropping it stops it; connections end with their clients.
pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that asks `handler` for every request; each connection has its own thread.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start(handler: impl Fn(Received) -> Reply + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("a server for the tests")?;
        let address = listener.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let handler = Arc::new(handler);
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let handler = Arc::clone(&handler);
                // A connection that breaks is the client's matter: what a test expected and did not get, it reports.
                std::thread::spawn(move || drop(serve(stream, &*handler)));
            }
        });
        Ok(Self {
            address,
            stopping,
            acceptor: Some(acceptor),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

fn serve(mut stream: TcpStream, handler: &dyn Fn(Received) -> Reply) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer)? {
        match handler(request) {
            Reply::Bytes(bytes) => stream.write_all(&bytes)?,
            Reply::Cut(bytes) => {
                stream.write_all(&bytes)?;
                return Ok(());
            }
            Reply::Flood(head, length) => {
                stream.write_all(&head)?;
                let block = vec![b' '; 64 * 1024];
                let mut left = length;
                while left > 0 {
                    let count = left.min(block.len());
                    stream.write_all(&block[..count])?;
                    left -= count;
                }
            }
            Reply::Drip(head, body) => {
                stream.write_all(&head)?;
                for octet in body {
                    std::thread::sleep(DRIP_PAUSE);
                    stream.write_all(&[octet])?;
                }
            }
            Reply::Nothing => return wait_for_the_end(&mut stream),
            Reply::Echo(bytes) => {
                stream.write_all(&bytes)?;
                stream.write_all(&buffer)?;
                std::io::copy(&mut stream.try_clone()?, &mut stream)?;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn wait_for_the_end(stream: &mut TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

/// The next request of this connection; `None` when the client has closed it between two requests.
fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<Received>> {
    let end = loop {
        if let Some(position) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break position + 4;
        }
        if !read_more(stream, buffer)? {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                bail!("the connection closed inside a request's head")
            };
        }
    };
    let rest = buffer.split_off(end);
    let head = std::mem::replace(buffer, rest);
    let mut request = parse_head(&head)?;
    let chunked = request
        .header("transfer-encoding")
        .iter()
        .any(|coding| coding.eq_ignore_ascii_case("chunked"));
    if chunked {
        loop {
            if let Some((body, trailers, length)) = chunks(buffer)? {
                (request.body, request.trailers) = (body, trailers);
                buffer.drain(..length);
                return Ok(Some(request));
            }
            if !read_more(stream, buffer)? {
                bail!("the connection closed inside a chunked body");
            }
        }
    }
    let length = request
        .header("content-length")
        .first()
        .map_or(Ok(0), |length| length.parse::<usize>())?;
    while buffer.len() < length {
        if !read_more(stream, buffer)? {
            bail!("the connection closed inside a body");
        }
    }
    let rest = buffer.split_off(length);
    request.body = std::mem::replace(buffer, rest);
    Ok(Some(request))
}

type Chunks = (Vec<u8>, Vec<(String, Vec<u8>)>, usize);

/// A chunked body, its trailers, and how many bytes both took. A proxy sends one request after the other, so the
/// chunks are all there is.
fn chunks(buffer: &[u8]) -> Result<Option<Chunks>> {
    Ok(parse_chunks(buffer)?.map(|(body, trailers)| (body, trailers, buffer.len())))
}

fn parse_head(head: &[u8]) -> Result<Received> {
    let line_end = head
        .windows(2)
        .position(|window| window == b"\r\n")
        .context("a head without a line")?;
    let (line, headers) = head.split_at(line_end + 2);
    // By hand and not by a library: the target may hold bytes that no library accepts.
    let mut parts = line.trim_ascii_end().splitn(2, |byte| *byte == b' ');
    let method = parts.next().unwrap_or_default();
    let rest = parts.next().context("a request line without a target")?;
    let path = rest
        .strip_suffix(b" HTTP/1.1")
        .context("a request line without HTTP/1.1")?;
    let mut slots = [httparse::EMPTY_HEADER; 200];
    let httparse::Status::Complete((_, headers)) = httparse::parse_headers(headers, &mut slots)?
    else {
        bail!("a head that is not whole");
    };
    Ok(Received {
        method: String::from_utf8_lossy(method).into_owned(),
        path: path.to_vec(),
        headers: headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
            .collect(),
        ..Received::default()
    })
}

fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<bool> {
    let mut bytes = [0; 16 * 1024];
    match stream.read(&mut bytes) {
        Ok(count) => {
            buffer.extend_from_slice(&bytes[..count]);
            Ok(count > 0)
        }
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::http1;

    #[test]
    fn what_was_sent_is_what_was_received() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let server = Server::start(move |request| {
            record.lock().unwrap().push(request);
            Reply::Bytes(answer(200, &[], b"done"))
        })
        .unwrap();
        let request = b"PUT /a\xff//b HTTP/1.1\r\nHost: x\r\nA: 1\r\nA: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: last\r\n\r\n";
        assert_eq!(
            http1::exchange(server.address(), request).unwrap().text(),
            "done"
        );
        let seen = seen.lock().unwrap();
        assert_eq!(
            (
                seen[0].method.as_str(),
                seen[0].path.as_slice(),
                seen[0].body.as_slice()
            ),
            ("PUT", &b"/a\xff//b"[..], &b"abc"[..])
        );
        assert_eq!(seen[0].header("a"), ["1", "2"]);
        assert_eq!(seen[0].trailer("t"), ["last"]);
    }
}
