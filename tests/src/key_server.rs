//! The key server of the tests: key sets by path, and every way in which an issuer's server can fail.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::corpus::key_set::{self, Fail, KeyAnswer, KeySet};
use crate::corpus::site::{Published, Site};
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
    /// How often these answers were asked for.
    given: usize,
    delay: Duration,
    /// Everybody who asked, whatever the answers were at that time.
    asked: Vec<(Instant, Received)>,
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
                    return Reply::Bytes(answer(404, &[], b"no such document"));
                };
                shelf.asked.push((Instant::now(), request));
                shelf.given += 1;
                let turn = shelf.given.min(shelf.answers.len()) - 1;
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
        let path = path.to_owned();
        self.store(Published { path, answers }, delay);
        Ok(())
    }

    /// Puts everything that an issuer publishes on its site; every answer comes after `delay`. What was asked for there so far
    /// is forgotten.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn publish(
        &self,
        site: &Site,
        name: &str,
        set: &KeySet,
        keys: &BTreeMap<String, TestKey>,
        delay: Duration,
    ) -> Result<()> {
        for (_, document) in site.documents(name, set, keys)? {
            self.store(document, delay);
        }
        Ok(())
    }

    /// Puts everything that an issuer publishes in the place of what it published before. What was asked for is still known.
    ///
    /// # Errors
    /// A key set that names no test key.
    pub fn replace(
        &self,
        site: &Site,
        name: &str,
        set: &KeySet,
        keys: &BTreeMap<String, TestKey>,
    ) -> Result<()> {
        let documents = site.documents(name, set, keys)?.into_iter();
        let mut shelves = self.shelves();
        for Published { path, answers } in documents.flat_map(|(_, one)| with_moved(one)) {
            let shelf = shelves.entry(path).or_default();
            (shelf.answers, shelf.given) = (answers, 0);
        }
        Ok(())
    }

    fn store(&self, document: Published, delay: Duration) {
        let mut shelves = self.shelves();
        for Published { path, answers } in with_moved(document) {
            let shelf = Shelf {
                answers,
                delay,
                ..Shelf::default()
            };
            shelves.insert(path, shelf);
        }
    }

    /// The requests for that path so far, in the order they came.
    pub fn asked(&self, path: &str) -> Vec<Received> {
        self.asked_at(path)
            .into_iter()
            .map(|(_, request)| request)
            .collect()
    }

    /// The same, with the time of each.
    pub fn asked_at(&self, path: &str) -> Vec<(Instant, Received)> {
        let shelves = self.shelves();
        let shelf = shelves.get(path);
        shelf.map(|shelf| shelf.asked.clone()).unwrap_or_default()
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<String, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A document, and where a redirect leads: a follower would find there what is right.
fn with_moved(document: Published) -> impl Iterator<Item = Published> {
    let is_redirect = |answer: &&(KeyAnswer, Vec<u8>)| answer.0.fail == Some(Fail::Redirect);
    let moved = document.answers.iter().find(is_redirect).map(|found| {
        let (mut answer, body) = found.clone();
        answer.fail = None;
        Published {
            path: format!("{}/moved", document.path),
            answers: vec![(answer, body)],
        }
    });
    std::iter::once(document).chain(moved)
}

fn reply(path: &str, found: &KeyAnswer, body: &[u8]) -> Reply {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let fields = found.fields(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
    let status = found.status.unwrap_or(200);
    match found.fail {
        None => Reply::Bytes(answer(status, &headers, body)),
        Some(Fail::Hung) => Reply::Nothing,
        Some(Fail::Slow) => {
            let mut head = answer(status, &headers, body);
            head.truncate(head.len() - body.len());
            Reply::Drip(head, body.to_vec())
        }
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
