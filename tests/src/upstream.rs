//! The upstream service of the tests: it remembers what it saw of each request, and answers 200.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use crate::server::{Received, Reply, Server, answer};

/// The header by which a request is found again.
pub const ID_HEADER: &str = "x-case-id";

/// A running upstream service.
pub struct UpstreamServer {
    server: Server,
    seen: Arc<Mutex<HashMap<String, Vec<Received>>>>,
}

impl UpstreamServer {
    /// Starts it on loopback.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start() -> Result<Self> {
        let seen = Arc::new(Mutex::new(HashMap::<String, Vec<Received>>::new()));
        let record = Arc::clone(&seen);
        let server = Server::start(move |request| {
            let id = request.header(ID_HEADER).join(",");
            let upgrade = request.header("upgrade").join(",");
            record
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(id)
                .or_default()
                .push(request);
            if upgrade.eq_ignore_ascii_case("websocket") {
                return Reply::Echo(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".to_vec());
            }
            Reply::Bytes(answer(200, &[("x-upstream", "reached")], b"reached"))
        })?;
        Ok(Self { server, seen })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// All requests with that id, in the order they came.
    pub fn seen(&self, id: &str) -> Vec<Received> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
            .unwrap_or_default()
    }
}
