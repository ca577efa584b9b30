//! The clients: kept connections, each sending its next request when the last one is answered, all served by one thread.
//!
//! A thread for each connection would share its processor with fifteen others, and most of the time would go into changing between
//! them. So many requests as one worker of Envoy answers take this thread about half of a processor.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::envoy::workload::Requests;
use crate::load::whole;
use crate::upstream::CONTENT;

/// How many connections there are. Enough that the worker always finds the next request waiting.
pub(crate) const CONNECTIONS: usize = 16;

/// How long an answer may take. What takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// No answer here is half as long.
const LONGEST_ANSWER: usize = 4096;

/// What was seen in the time that counts.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) answers: usize,
    pub(crate) time: Duration,
    /// How far the clock that was given went meanwhile.
    pub(crate) spent: Duration,
    /// In nanoseconds, sorted.
    pub(crate) latencies: Vec<u64>,
}

/// Sends requests for that time, after a quarter of it that is not counted. Every answer must have that status, and with status 200
/// the content of the upstream.
///
/// `position` is the number of the next request, and is moved on. `spent` is a clock that is read when the time begins and when it ends.
pub(crate) fn put(
    address: SocketAddr,
    requests: &Requests,
    position: &mut usize,
    status: u16,
    time: Duration,
    spent: impl Fn() -> Result<Duration>,
) -> Result<Sample> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(CONNECTIONS);
    let mut next = || {
        let request = requests.at(*position);
        *position += 1;
        request
    };
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let mut connection = Connection::open(address)?;
        let interest = Interest::READABLE;
        poll.registry()
            .register(&mut connection.stream, Token(number), interest)?;
        connection.send(next(), Instant::now())?;
        connections.push(connection);
    }
    let mut begin = Instant::now() + time / 4;
    let mut spent_before = None;
    let mut latencies = Vec::with_capacity(1 << 17);
    loop {
        match poll.poll(&mut events, Some(PATIENCE)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        ensure!(!events.is_empty(), "no answer within {PATIENCE:?}");
        let now = Instant::now();
        if spent_before.is_none() && now >= begin {
            (begin, spent_before) = (now, Some(spent()?));
        } else if let Some(before) = spent_before
            && now >= begin + time
        {
            let spent = spent()?.saturating_sub(before);
            latencies.sort_unstable();
            return Ok(Sample {
                answers: latencies.len(),
                time: now - begin,
                spent,
                latencies,
            });
        }
        for event in &events {
            let connection = connections.get_mut(event.token().0);
            let connection = connection.context("an event of no connection")?;
            if connection.is_answered(status)? {
                let now = Instant::now();
                if spent_before.is_some() {
                    latencies.push(u64::try_from((now - connection.sent).as_nanos())?);
                }
                connection.send(next(), now)?;
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    sent: Instant,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream =
            std::net::TcpStream::connect(address).with_context(|| format!("asking {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            buffer: vec![0; LONGEST_ANSWER],
            filled: 0,
            sent: Instant::now(),
        })
    }

    fn send(&mut self, request: &[u8], now: Instant) -> Result<()> {
        let count = self.stream.write(request).context("sending a request")?;
        ensure!(count == request.len(), "a socket has no room for a request");
        self.sent = now;
        Ok(())
    }

    /// Reads what has come, and says whether the answer is whole.
    fn is_answered(&mut self, status: u16) -> Result<bool> {
        // What does not fill the buffer is all that has come; more is another event.
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => bail!("the connection ended, or the answer is too long"),
            Ok(count) => self.filled += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error).context("reading an answer"),
        }
        let Some(content) = whole(&self.buffer[..self.filled], status)? else {
            return Ok(false);
        };
        if status == 200 && content != CONTENT.as_bytes() {
            bail!(
                "an answer with other content: {}",
                String::from_utf8_lossy(content)
            );
        }
        self.filled = 0;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::envoy::workload::head;
    use crate::upstream;

    const TIME: Duration = Duration::from_millis(100);

    #[test]
    fn what_is_sent_is_answered_and_counted() {
        let address = upstream::start().unwrap();
        let requests = Requests::in_turn(vec![head(None)]);
        let (mut position, asked) = (7, Cell::new(0));
        let clock = || {
            asked.set(asked.get() + 1);
            Ok(Duration::from_secs(asked.get()))
        };
        let sample = put(address, &requests, &mut position, 200, TIME, clock).unwrap();
        assert!(sample.answers > 0 && sample.time >= TIME);
        assert_eq!(sample.spent, Duration::from_secs(1));
        assert_eq!(sample.latencies.len(), sample.answers);
        assert!(sample.latencies.is_sorted());
        // Those before the time began were sent too.
        assert!(position > 7 + sample.answers);
    }

    #[test]
    fn a_wrong_answer_ends_the_measurement() {
        let address = upstream::start().unwrap();
        let requests = Requests::in_turn(vec![head(None)]);
        let refused = put(address, &requests, &mut 0, 401, TIME, || Ok(Duration::ZERO));
        let refused = refused.unwrap_err().to_string();
        assert_eq!(refused, "an answer with status 200 instead of 401");
    }
}
