//! The key server of the tests: key sets by path, and every way in which an issuer's server can fail.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use crate::corpus::file::{Fail, KeyAnswer, KeySet};
use crate::corpus::key_set;
use crate::server::{Received, Reply, Server, answer};
use crate::test_key::TestKey;

/// The body of an answer that is too large by far.
pub const FLOOD_BYTES: usize = 40 * 1024 * 1024;

/// A running key server.
pub struct KeyServer {
    server: Server,
    shelves: Arc<Mutex<HashMap<String, Shelf>>>,
}

/// What lies under one path, and who asked for it.
#[derive(Default)]
struct Shelf {
    answers: Vec<(KeyAnswer, Vec<u8>)>,
    delay: Duration,
    asked: Vec<Received>,
}

impl KeyServer {
    /// Starts it on loopback, empty.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start() -> Result<Self> {
        let shelves = Arc::new(Mutex::new(HashMap::<String, Shelf>::new()));
        let stock = Arc::clone(&shelves);
        let server = Server::start(move |request| {
            let path = String::from_utf8_lossy(&request.path).into_owned();
            let (found, delay) = {
                let mut stock = stock.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(shelf) = stock.get_mut(&path) else {
                    return Reply::Bytes(answer(404, &[], b"no such key set"));
                };
                shelf.asked.push(request);
                let turn = shelf.asked.len().min(shelf.answers.len()) - 1;
                (shelf.answers[turn].clone(), shelf.delay)
            };
            std::thread::sleep(delay);
            reply(&path, &found.0, &found.1)
        })?;
        Ok(Self { server, shelves })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Puts a key set under that path; every answer comes after `delay`.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn put(
        &self,
        path: &str,
        set: &KeySet,
        keys: &BTreeMap<String, TestKey>,
        delay: Duration,
    ) -> Result<()> {
        let mut answers = Vec::new();
        for one in &set.answers {
            answers.push((one.clone(), key_set::body(one, keys)?));
        }
        // Where a redirect leads: a follower would find good keys.
        if let Some((first, body)) = answers.first()
            && first.fail == Some(Fail::Redirect)
        {
            let good = KeyAnswer {
                fail: None,
                ..first.clone()
            };
            self.shelf(
                &format!("{path}/moved"),
                Shelf {
                    answers: vec![(good, body.clone())],
                    ..Shelf::default()
                },
            );
        }
        self.shelf(
            path,
            Shelf {
                answers,
                delay,
                asked: Vec::new(),
            },
        );
        Ok(())
    }

    fn shelf(&self, path: &str, shelf: Shelf) {
        self.shelves
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned(), shelf);
    }

    /// The requests for that path so far, in the order they came.
    pub fn asked(&self, path: &str) -> Vec<Received> {
        self.shelves
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .map(|shelf| shelf.asked.clone())
            .unwrap_or_default()
    }
}

fn reply(path: &str, found: &KeyAnswer, body: &[u8]) -> Reply {
    let mut headers = vec![("content-type", "application/json")];
    if let Some(value) = &found.cache_control {
        headers.push(("cache-control", value));
    }
    let status = found.status.unwrap_or(200);
    match found.fail {
        None => Reply::Bytes(answer(status, &headers, body)),
        Some(Fail::Hung) => Reply::Nothing,
        // The port that refuses is not this server's: whoever comes here all the same, since it answered before, is cut off.
        Some(Fail::Refused) => Reply::Cut(Vec::new()),
        Some(Fail::Truncated) => {
            let mut whole = answer(status, &headers, body);
            whole.truncate(whole.len() - body.len() / 2);
            Reply::Cut(whole)
        }
        Some(Fail::Oversized) => {
            Reply::Flood(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {FLOOD_BYTES}\r\n\r\n").into_bytes(), FLOOD_BYTES)
        }
        Some(Fail::Redirect) => Reply::Bytes(answer(302, &[("location", &format!("{path}/moved"))], b"")),
    }
}
