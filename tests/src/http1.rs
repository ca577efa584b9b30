//! A client for HTTP/1.1 that sends bytes exactly as given, one request a connection.
//!
//! A usual client library normalises what it sends; the cases are about what a client must not send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long one answer may take: longer than any deadline a case sets for a key fetch.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(20);

/// What came back. Header names are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, with its transfer coding taken off.
    pub body: Vec<u8>,
    /// The trailers (only the HTTP/2 client reads them).
    pub trailers: Vec<(String, String)>,
}

impl Answer {
    /// The values of that header, in the order they came.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The body as text, for messages and JSON.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A plain GET, for an admin interface or a check that a server is alive.
pub fn fetch(address: SocketAddr, path: &str) -> Result<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    exchange(address, request.as_bytes())
}

/// A plain POST without a body.
pub fn post(address: SocketAddr, path: &str) -> Result<Answer> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    exchange(address, request.as_bytes())
}

/// Sends these bytes and reads one answer.
pub fn exchange(address: SocketAddr, request: &[u8]) -> Result<Answer> {
    let mut stream = connect(address)?;
    // A server may answer and close before it has read everything: the answer is what counts.
    let sent = stream.write_all(request);
    match read_answer(&mut stream, request.starts_with(b"HEAD ")) {
        Ok(answer) => Ok(answer),
        Err(error) => {
            sent.with_context(|| format!("sending to {address}"))?;
            Err(error)
        }
    }
}

/// A connection with the deadlines of this module.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
    stream.set_write_timeout(Some(ANSWER_DEADLINE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads one answer; `head_only` says that no body follows whatever the headers say (the answer to HEAD).
pub fn read_answer(stream: &mut impl Read, head_only: bool) -> Result<Answer> {
    let mut received = Vec::new();
    loop {
        if let Some((mut answer, start)) = parse_head(&received)? {
            // RFC 9110 section 15.2: an interim answer is followed by the real one; 101 is final.
            if (100..200).contains(&answer.status) && answer.status != 101 {
                received.drain(..start);
                continue;
            }
            let rest = received.split_off(start);
            let bodiless =
                head_only || answer.status == 204 || answer.status == 304 || answer.status == 101;
            if !bodiless {
                answer.body = read_body(stream, &answer, rest)?;
            }
            return Ok(answer);
        }
        if !read_more(stream, &mut received)? {
            bail!(
                "the connection closed after {} bytes, before an answer was whole",
                received.len()
            );
        }
    }
}

fn parse_head(received: &[u8]) -> Result<Option<(Answer, usize)>> {
    let mut slots = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Response::new(&mut slots);
    match parsed.parse(received).context("the answer is not HTTP/1")? {
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(start) => {
            let headers = parsed
                .headers
                .iter()
                .map(|header| {
                    (
                        header.name.to_ascii_lowercase(),
                        String::from_utf8_lossy(header.value).into_owned(),
                    )
                })
                .collect();
            let answer = Answer {
                status: parsed.code.unwrap_or(0),
                headers,
                ..Answer::default()
            };
            Ok(Some((answer, start)))
        }
    }
}

fn read_body(stream: &mut impl Read, answer: &Answer, mut received: Vec<u8>) -> Result<Vec<u8>> {
    if answer
        .header("transfer-encoding")
        .iter()
        .any(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        loop {
            if let Some((body, _)) = parse_chunks(&received)? {
                return Ok(body);
            }
            if !read_more(stream, &mut received)? {
                bail!("the connection closed inside a chunked body");
            }
        }
    }
    let length = answer
        .header("content-length")
        .first()
        .map(|value| value.parse::<usize>())
        .transpose()
        .context("content-length of the answer")?;
    match length {
        Some(length) => {
            while received.len() < length {
                if !read_more(stream, &mut received)? {
                    bail!(
                        "the connection closed after {} of {length} bytes of the body",
                        received.len()
                    );
                }
            }
            received.truncate(length);
        }
        None => while read_more(stream, &mut received)? {},
    }
    Ok(received)
}

/// Trailers, name and value as sent.
pub type Trailers = Vec<(String, Vec<u8>)>;

/// A chunked body (RFC 9112 section 7.1) and its trailers, or `None` while it is not whole.
pub fn parse_chunks(mut rest: &[u8]) -> Result<Option<(Vec<u8>, Trailers)>> {
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => bail!("a chunk without a size"),
        };
        rest = &rest[start..];
        if size == 0 {
            let mut slots = [httparse::EMPTY_HEADER; 32];
            return match httparse::parse_headers(rest, &mut slots).context("trailers")? {
                httparse::Status::Partial => Ok(None),
                httparse::Status::Complete((_, trailers)) => {
                    let trailers = trailers
                        .iter()
                        .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
                        .collect();
                    Ok(Some((body, trailers)))
                }
            };
        }
        let size = usize::try_from(size)?;
        // Each chunk ends with CR LF.
        if rest.len() < size + 2 {
            return Ok(None);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

fn read_more(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<bool> {
    let mut buffer = [0; 16 * 1024];
    let count = stream.read(&mut buffer).context("waiting for an answer")?;
    received.extend_from_slice(&buffer[..count]);
    Ok(count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interim_answer_is_passed_over_and_chunks_are_joined() {
        let mut wire = &b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n"[..];
        let answer = read_answer(&mut wire, false).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "abcde"));
    }

    #[test]
    fn a_closed_connection_is_an_error_and_never_an_empty_answer() {
        assert!(read_answer(&mut &b""[..], false).is_err());
        assert!(
            read_answer(
                &mut &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc"[..],
                false
            )
            .is_err()
        );
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let mut wire = &b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 50\r\n\r\n"[..];
        assert_eq!(read_answer(&mut wire, true).unwrap().status, 401);
    }
}
