//! The load: connections that are kept, each sending its next request when the last one is answered.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long an answer may take. What takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests that are sent in turn, by all connections together, from one measurement to the next.
pub(crate) struct Requests {
    heads: Vec<Vec<u8>>,
    next: AtomicUsize,
}

impl Requests {
    pub(crate) fn new(heads: Vec<Vec<u8>>) -> Self {
        Self {
            heads,
            next: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> &[u8] {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        &self.heads[turn % self.heads.len()]
    }
}

/// What every answer has to be: figures of wrong answers are worth nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    pub(crate) content: &'static str,
}

/// What one measurement saw.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    /// In nanoseconds, sorted.
    pub(crate) latencies: Vec<u64>,
}

/// Sends requests for that time, after a part of it that is not counted.
pub(crate) fn put(
    address: SocketAddr,
    requests: &Requests,
    expected: Expected,
    connections: usize,
    time: Duration,
) -> Result<Sample> {
    let ready = Barrier::new(connections);
    let latencies = thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| work(address, requests, expected, &ready, time)))
            .collect();
        let mut latencies = Vec::new();
        for worker in workers {
            let of_one = worker.join().ok().context("a connection panicked")?;
            latencies.extend(of_one?);
        }
        anyhow::Ok(latencies)
    });
    let mut latencies = latencies?;
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    let requests_per_second = latencies.len() as f64 / time.as_secs_f64();
    Ok(Sample {
        requests_per_second,
        latencies,
    })
}

/// The latencies on one connection, of the answers that came in time.
fn work(
    address: SocketAddr,
    requests: &Requests,
    expected: Expected,
    ready: &Barrier,
    time: Duration,
) -> Result<Vec<u64>> {
    let connected = Connection::open(address);
    // Also without a connection: the others wait for this one.
    ready.wait();
    let mut connection = connected?;
    let begin = Instant::now() + time / 4;
    let end = begin + time;
    let mut latencies = Vec::with_capacity(1 << 16);
    loop {
        let sent = Instant::now();
        connection.exchange(requests.next(), expected)?;
        let answered = Instant::now();
        if answered > end {
            return Ok(latencies);
        }
        if answered >= begin {
            latencies.push(u64::try_from((answered - sent).as_nanos())?);
        }
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("asking {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let buffer = vec![0; 16 * 1024];
        Ok(Self { stream, buffer })
    }

    /// Sends a request, and reads the whole answer.
    fn exchange(&mut self, request: &[u8], expected: Expected) -> Result<()> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[filled..])?;
            ensure!(count > 0, "the connection ended, or the answer is too long");
            filled += count;
            if let Some(content) = whole(&self.buffer[..filled], expected.status)? {
                ensure!(
                    content == expected.content.as_bytes(),
                    "an answer with other content: {}",
                    String::from_utf8_lossy(content)
                );
                return Ok(());
            }
        }
    }
}

/// The content of an answer that has arrived whole, and has the right status.
pub(crate) fn whole(answer: &[u8], expected: u16) -> Result<Option<&[u8]>> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut slots);
    let httparse::Status::Complete(start) = head.parse(answer)? else {
        return Ok(None);
    };
    let status = head.code.unwrap_or_default();
    if status != expected {
        bail!("an answer with status {status} instead of {expected}");
    }
    let length = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"));
    // Chunks would come with a delay on a kept connection, which is not what is measured here.
    let length = length.context("an answer without content-length")?;
    let length: usize = std::str::from_utf8(length.value)?.parse()?;
    Ok(answer.get(start..start + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream;

    const GOOD: Expected = Expected {
        status: 200,
        content: upstream::CONTENT,
    };

    fn requests() -> Requests {
        Requests::new(vec![b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()])
    }

    #[test]
    fn what_is_sent_is_answered_and_counted() {
        let address = upstream::start().unwrap();
        let time = Duration::from_millis(100);
        let sample = put(address, &requests(), GOOD, 2, time).unwrap();
        assert!(sample.latencies.is_sorted());
        let most = u64::try_from((time * 2).as_nanos()).unwrap();
        assert!(sample.latencies.iter().all(|latency| *latency < most));
        let per_second = sample.latencies.len() as f64 / 0.1;
        assert!((sample.requests_per_second - per_second).abs() < 1e-6);
        assert!(!sample.latencies.is_empty());
    }

    #[test]
    fn a_wrong_answer_ends_the_measurement() {
        let address = upstream::start().unwrap();
        let refused = Expected {
            status: 401,
            content: "",
        };
        for (expected, complaint) in [
            (refused, "an answer with status 200 instead of 401"),
            (
                Expected {
                    status: 200,
                    content: "other",
                },
                "an answer with other content",
            ),
        ] {
            let error = put(address, &requests(), expected, 2, Duration::from_millis(50));
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with(complaint), "{error}");
        }
    }

    #[test]
    fn an_answer_is_read_when_all_of_it_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        for end in 0..answer.len() {
            assert_eq!(whole(&answer[..end], 200).unwrap(), None, "{end}");
        }
        assert_eq!(whole(answer, 200).unwrap(), Some(&b"abc"[..]));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(whole(chunked, 200).is_err());
    }
}
