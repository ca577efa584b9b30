//! One request on a connection of its own, as text.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

pub(crate) const ENTRY: &str = r#"{"date":"2026-03-02","project":"apollo","hours":7.5}"#;
pub(crate) const ALICE: &str = "x-auth-sub: alice\r\n";
pub(crate) const BOB: &str = "x-auth-sub: bob\r\n";
pub(crate) const JSON: &str = "content-type: application/json\r\n";

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
}

impl Answer {
    /// Its body; null where that is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The value of the one field of that name; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let fields = self.head.lines().skip(1);
        let mut found = fields
            .filter_map(|line| line.split_once(": "))
            .filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value).unwrap_or_default();
        assert!(found.next().is_none(), "{name} twice: {}", self.head);
        value
    }
}

pub(crate) fn send(address: SocketAddr, line: &str, headers: &str, body: &str) -> Answer {
    exchange(TcpStream::connect(address).unwrap(), line, headers, body)
}

pub(crate) fn send_to_socket(path: &Path, line: &str, headers: &str, body: &str) -> Answer {
    exchange(UnixStream::connect(path).unwrap(), line, headers, body)
}

/// A POST of alice's.
pub(crate) fn post(address: SocketAddr, body: &str) -> Answer {
    send(address, "POST /timesheets", &format!("{ALICE}{JSON}"), body)
}

fn exchange(mut stream: impl Read + Write, line: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: api.example.com\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        text: text.to_owned(),
    }
}
