//! A client for HTTP/2 with prior knowledge (RFC 9113 section 3.3), one request a connection.
//!
//! The usual libraries refuse what some cases must send: raw bytes in a path, methods in lower case, a request
//! without `:path`. The frames are written by hand, every header as a literal without Huffman coding; what comes back is
//! decoded by a library.

use std::io::{Read, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use loona_hpack::Decoder;

use crate::http1::{Answer, connect};

/// What is sent: pseudo headers first, in order.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The headers.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The stream stays open behind the request, and an answer of 200 is whole with its headers (RFC 8441).
    pub is_tunnel: bool,
}

/// The largest frame that needs no agreement (RFC 9113 section 4.2).
const FRAME_BYTES: usize = 16_384;
/// What may be sent before the other side opens the window (RFC 9113 section 6.9.2).
const WINDOW_BYTES: usize = 65_535;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Sends the request and reads its answer.
///
/// # Errors
/// No answer; a stream that was reset before its answer was whole is told with its code.
pub fn exchange(address: SocketAddr, sent: &Sent) -> Result<Answer> {
    if sent.body.len() > WINDOW_BYTES {
        bail!(
            "a body of more than {WINDOW_BYTES} bytes needs flow control, which this client does not do"
        );
    }
    let mut stream = connect(address)?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    stream.write_all(&request_frames(sent))?;
    let reading = Reading {
        is_tunnel: sent.is_tunnel,
        ..Reading::default()
    };
    let answer = reading.answer(&mut stream)?;
    // The server may be gone already.
    let _ = stream.write_all(&frame(GOAWAY, 0, 0, &[0; 8]));
    Ok(answer)
}

fn request_frames(sent: &Sent) -> Vec<u8> {
    let mut bytes = Vec::new();
    let last = sent.body.is_empty() && sent.trailers.is_empty() && !sent.is_tunnel;
    header_frames(&mut bytes, &sent.headers, last);
    let mut chunks = sent.body.chunks(FRAME_BYTES).peekable();
    while let Some(chunk) = chunks.next() {
        let last = chunks.peek().is_none() && sent.trailers.is_empty();
        bytes.extend(frame(DATA, if last { END_STREAM } else { 0 }, 1, chunk));
    }
    if !sent.trailers.is_empty() {
        header_frames(&mut bytes, &sent.trailers, true);
    }
    bytes
}

fn header_frames(bytes: &mut Vec<u8>, headers: &[(Vec<u8>, Vec<u8>)], last: bool) {
    let mut block = Vec::new();
    for (name, value) in headers {
        // Literal header field without indexing, new name (RFC 7541 section 6.2.2).
        block.push(0);
        literal(&mut block, name);
        literal(&mut block, value);
    }
    let mut chunks = block.chunks(FRAME_BYTES).peekable();
    let mut kind = HEADERS;
    while let Some(chunk) = chunks.next() {
        let mut flags = if chunks.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        if kind == HEADERS && last {
            flags |= END_STREAM;
        }
        bytes.extend(frame(kind, flags, 1, chunk));
        kind = CONTINUATION;
    }
}

/// A string literal (RFC 7541 section 5.2): its length in a 7-bit prefix, then its bytes.
fn literal(block: &mut Vec<u8>, text: &[u8]) {
    const PREFIX_MAX: usize = 127;
    if text.len() < PREFIX_MAX {
        block.push(text.len() as u8);
    } else {
        block.push(PREFIX_MAX as u8);
        let mut rest = text.len() - PREFIX_MAX;
        while rest >= 128 {
            block.push((rest % 128) as u8 | 0x80);
            rest /= 128;
        }
        block.push(rest as u8);
    }
    block.extend_from_slice(text);
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// An answer that is being read.
#[derive(Default)]
struct Reading {
    decoder: Decoder<'static>,
    block: Vec<u8>,
    ends: bool,
    is_tunnel: bool,
    answer: Answer,
}

impl Reading {
    fn answer(mut self, stream: &mut (impl Read + Write)) -> Result<Answer> {
        loop {
            let (kind, flags, id, payload) = read_frame(stream)?;
            match (kind, id) {
                (SETTINGS, _) if flags & ACK == 0 => {
                    stream.write_all(&frame(SETTINGS, ACK, 0, &[]))?
                }
                (PING, _) if flags & ACK == 0 => {
                    stream.write_all(&frame(PING, ACK, 0, &payload))?
                }
                (GOAWAY, _) => bail!("the connection was given up: {}", code(&payload, 4)),
                (RST_STREAM, 1) => bail!("the stream was reset: {}", code(&payload, 0)),
                (DATA, 1) => {
                    self.answer.body.extend(content(flags, &payload)?);
                    if !payload.is_empty() {
                        let window = (payload.len() as u32).to_be_bytes();
                        stream.write_all(&frame(WINDOW_UPDATE, 0, 1, &window))?;
                        stream.write_all(&frame(WINDOW_UPDATE, 0, 0, &window))?;
                    }
                    if flags & END_STREAM != 0 {
                        return Ok(self.answer);
                    }
                }
                (HEADERS | CONTINUATION, 1) => {
                    self.ends |= kind == HEADERS && flags & END_STREAM != 0;
                    self.block.extend(if kind == HEADERS {
                        content(flags, &payload)?
                    } else {
                        &payload
                    });
                    if flags & END_HEADERS != 0 && self.take_headers()? {
                        return Ok(self.answer);
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes a whole header block in; whether the stream ends with it.
    fn take_headers(&mut self) -> Result<bool> {
        let block = std::mem::take(&mut self.block);
        let fields = self
            .decoder
            .decode(&block)
            .map_err(|error| anyhow::anyhow!("HPACK: {error:?}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let status = fields
            .iter()
            .find(|(name, _)| &name[..] == b":status")
            .map(|(_, value)| text(value));
        match status {
            // An interim answer: the real one follows.
            Some(status) if status.starts_with('1') && status != "101" => return Ok(false),
            Some(status) => self.answer.status = status.parse().context(":status")?,
            None => {}
        }
        let into = if self.answer.headers.is_empty() {
            &mut self.answer.headers
        } else {
            &mut self.answer.trailers
        };
        into.extend(
            fields
                .iter()
                .filter(|(name, _)| !name.starts_with(b":"))
                .map(|(name, value)| (text(name), text(value))),
        );
        Ok(self.ends || (self.is_tunnel && self.answer.status == 200))
    }
}

fn read_frame(stream: &mut impl Read) -> Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream
        .read_exact(&mut head)
        .context("the connection closed before an answer was whole")?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let id = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    let mut payload = vec![0; length];
    stream
        .read_exact(&mut payload)
        .context("the connection closed inside a frame")?;
    Ok((head[3], head[4], id, payload))
}

/// A frame's payload without its padding and priority.
fn content(flags: u8, payload: &[u8]) -> Result<&[u8]> {
    let mut rest = payload;
    let mut padding = 0;
    if flags & PADDED != 0 {
        let (first, behind) = rest
            .split_first()
            .context("a padded frame without its length")?;
        (padding, rest) = (usize::from(*first), behind);
    }
    if flags & PRIORITY != 0 {
        rest = rest.get(5..).context("a frame without its priority")?;
    }
    let end = rest
        .len()
        .checked_sub(padding)
        .context("more padding than payload")?;
    Ok(&rest[..end])
}

fn code(payload: &[u8], start: usize) -> String {
    match payload.get(start..start + 4) {
        Some(&[a, b, c, d]) => format!("error code {}", u32::from_be_bytes([a, b, c, d])),
        _ => "no error code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_literals_have_a_continued_length() {
        for length in [0, 126, 127, 254, 255, 9_000] {
            let mut block = vec![0];
            literal(&mut block, b"x-long");
            literal(&mut block, &vec![b'a'; length]);
            let fields = Decoder::new().decode(&block).unwrap();
            assert_eq!(
                (&fields[0].0[..], fields[0].1.len()),
                (&b"x-long"[..], length)
            );
        }
    }

    #[test]
    fn a_long_header_block_is_continued() {
        let sent = Sent {
            headers: vec![(b"x".to_vec(), vec![b'a'; 20_000])],
            ..Sent::default()
        };
        let bytes = request_frames(&sent);
        assert_eq!((bytes[3], bytes[4]), (HEADERS, END_STREAM));
        let second = 9 + FRAME_BYTES;
        assert_eq!(
            (bytes[second + 3], bytes[second + 4]),
            (CONTINUATION, END_HEADERS)
        );
    }
}
