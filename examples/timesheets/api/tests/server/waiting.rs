//! Somebody else writes into the database, and does not come to an end.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use timesheets::api::{Api, Options};

use crate::client::{ALICE, BOB, ENTRY, JSON, post, send};

/// Long enough for a request to arrive, or for the API to find that its client is gone.
const A_MOMENT: Duration = Duration::from_millis(400);

/// A request gives up after 2 s. The rest is for a slow machine.
const SOON: Duration = Duration::from_secs(5);

/// An API, and somebody who holds its database.
fn held() -> (TempDir, Api, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.db");
    let options = Options {
        database: Some(file.clone()),
        app: None,
    };
    let api = Api::start_with(0, &options).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    (folder, api, other)
}

fn let_go(other: &Connection) {
    other.execute_batch("ROLLBACK").unwrap();
}

fn count(at: SocketAddr) -> usize {
    let list = send(at, "GET /timesheets", ALICE, "").json();
    list.get("entries").unwrap().as_array().unwrap().len()
}

#[test]
fn whoever_waits_is_told_soon_and_what_was_refused_is_not_done() {
    let (_folder, api, other) = held();
    let at = api.address();
    let begin = Instant::now();
    let writers: Vec<_> = (0..20).map(|_| spawn(move || post(at, ENTRY))).collect();
    sleep(A_MOMENT);
    // Whoever writes nothing does not wait for those who do.
    assert_eq!(send(at, "GET /healthz", "", "").status, 200);
    let hours = send(at, "GET /reports/hours", BOB, "").json();
    assert_eq!(hours["hours"], json!({}));
    assert_eq!(count(at), 0);
    assert!(begin.elapsed() < Duration::from_secs(2));
    for writer in writers {
        let answer = writer.join().unwrap();
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(
            answer.json(),
            json!({ "title": "The entries are busy: try again", "status": 503 })
        );
    }
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());

    let_go(&other);
    sleep(A_MOMENT);
    assert_eq!(count(at), 0);
    assert_eq!(post(at, ENTRY).status, 201);
    assert_eq!(count(at), 1);
}

#[test]
fn whoever_waits_has_their_turn() {
    let (_folder, api, other) = held();
    let at = api.address();
    let writers: Vec<_> = (0..20).map(|_| spawn(move || post(at, ENTRY))).collect();
    sleep(A_MOMENT);
    assert_eq!(count(at), 0);
    let_go(&other);
    for writer in writers {
        assert_eq!(writer.join().unwrap().status, 201);
    }
    assert_eq!(count(at), 20);
}

#[test]
fn nothing_is_done_for_a_client_that_is_gone() {
    let (_folder, api, other) = held();
    let at = api.address();
    let length = ENTRY.len();
    let gone: Vec<_> = (0..5)
        .map(|_| {
            let mut stream = TcpStream::connect(at).unwrap();
            write!(
                stream,
                "POST /timesheets HTTP/1.1\r\nhost: api.example.com\r\n{ALICE}{JSON}content-length: {length}\r\n\r\n{ENTRY}"
            )
            .unwrap();
            stream
        })
        .collect();
    sleep(A_MOMENT);
    assert_eq!(api.served(), 5);
    drop(gone);
    sleep(A_MOMENT);
    let_go(&other);
    // Comes after whoever was waiting.
    sleep(A_MOMENT);
    assert_eq!(count(at), 0);
    assert_eq!(post(at, ENTRY).status, 201);
    assert_eq!(count(at), 1);
}
