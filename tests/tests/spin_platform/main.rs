//! What the gate does on Spin with messages as a whole, which no case of the corpus can say: header fields of the connection and of
//! Spin, lengths, bodies that are long, slow or broken, upstreams that fail, and applications that are not set up as they should be.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

mod bodies;
mod ends;
mod failures;
mod headers;
mod middleware;
mod raw;
mod setup;

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use e2e::http1::{self, Answer};
use e2e::sample;
use e2e::spin::application::{Application, Running};
use e2e::spin::gate::Surroundings;
use e2e::test_key::{self, TestKey};
use e2e::tools;

/// What an application of these tests stands in.
struct Platform {
    surroundings: Arc<Surroundings>,
    keys: Arc<BTreeMap<String, TestKey>>,
}

impl Platform {
    /// `None` where there is no Spin.
    fn find() -> Option<Self> {
        Self::of(tools::find_spin().unwrap()?)
    }

    /// `None` where there is no Spin, or nobody steers it.
    fn find_steered() -> Option<Self> {
        Self::of(tools::find_steered_spin().unwrap()?)
    }

    fn of(tools: tools::SpinTools) -> Option<Self> {
        let keys = Arc::new(test_key::load().unwrap());
        let surroundings = Surroundings::start(tools, &keys).unwrap();
        Some(Self { surroundings, keys })
    }

    /// A gateway with the sample's policy before that upstream.
    fn application(&self, upstream: SocketAddr) -> Application {
        let sets = sample::key_sets(sample::GOOD_KEYS).unwrap();
        let gateway = self
            .surroundings
            .gateway(sample::POLICY, &sets, Duration::ZERO);
        let (application, _) = gateway.unwrap();
        application.with("upstream", &format!("http://{upstream}"))
    }

    fn start(&self, application: &Application) -> Running {
        application.start(&self.surroundings.tools.program).unwrap()
    }

    fn token(&self) -> String {
        sample::token(&self.keys, "alice").unwrap()
    }

    /// The head of a request with a good token, these fields, and the line that ends it.
    fn head(&self, method: &str, fields: &str) -> String {
        let token = self.token();
        format!(
            "{method} /timesheets HTTP/1.1\r\nhost: api.example.com\r\nauthorization: Bearer {token}\r\n{fields}\r\n"
        )
    }
}

fn exchange(running: &Running, request: &str) -> Answer {
    let answer = http1::exchange(running.spin.address(), request.as_bytes());
    answer
        .map_err(|error| running.spin.explain(&format!("{error:#}")))
        .unwrap()
}

/// A connection of a client.
fn connect(running: &Running) -> TcpStream {
    http1::connect(running.spin.address()).unwrap()
}

/// Reads until these octets have come.
fn read_until(client: &mut TcpStream, wanted: &[u8]) {
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.windows(wanted.len()).any(|some| some == wanted) {
        let count = client.read(&mut buffer).unwrap();
        assert!(
            count > 0,
            "it ended before {:?}: {:?}",
            wanted.escape_ascii().to_string(),
            seen.escape_ascii().to_string()
        );
        seen.extend_from_slice(&buffer[..count]);
    }
}

/// A refusal, or another answer of the gate's own: a problem document of known length that nobody keeps.
#[track_caller]
fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), ["application/problem+json"]);
    assert_eq!(answer.header("cache-control"), ["no-store"]);
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), [length]);
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["status"], status);
    assert!(body["title"].is_string(), "{body}");
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
}
