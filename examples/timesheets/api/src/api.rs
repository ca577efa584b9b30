//! The timesheets API as a server: an upstream service as the gate finds it, which checks no token.
//!
//! Who is asking stands in the header `x-auth-sub`. The gate removes that header from what clients send and sets it from a
//! verified token, so the API may believe it, as long as nothing but the gate can reach the API.
//!
//! What it answers is decided in [`wish`](crate::wish) and [`ledger`](crate::ledger), which the Spin component
//! in `component/` shares.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use axum::middleware::map_request_with_state;
use scopegate::http_server::Server;

use crate::answer::Refusal;
use crate::ledger::Ledger;
use crate::wish::{self, Body, MAX_BODY_BYTES};

/// All entries, and how many requests were answered.
#[derive(Debug, Default)]
struct Desk {
    ledger: Ledger,
    served: u64,
}

/// The running API. Dropping it closes its port.
#[derive(Debug)]
pub struct Api {
    server: Server,
    desk: Shared,
}

type Shared = Arc<Mutex<Desk>>;

impl Api {
    /// Starts it with an empty ledger on this port of loopback; 0 lets the system choose.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(port: u16) -> Result<Self> {
        let desk = Shared::default();
        let server = Server::start("the timesheets API", port, router(Arc::clone(&desk)))?;
        Ok(Self { server, desk })
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// How many requests reached it, whatever the answer: what the gate refuses must not count here.
    pub fn served(&self) -> u64 {
        open(&self.desk).served
    }
}

fn router(desk: Shared) -> Router {
    Router::new()
        .fallback(serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_request_with_state(Arc::clone(&desk), count))
        .with_state(desk)
}

/// Counts what arrives, before anything looks at it.
async fn count(State(desk): State<Shared>, request: Request) -> Request {
    let mut desk = open(&desk);
    desk.served = desk.served.saturating_add(1);
    request
}

async fn serve(
    State(desk): State<Shared>,
    head: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Response<String> {
    answer(&desk, &head, &body).unwrap_or_else(Response::from)
}

fn answer(
    desk: &Shared,
    head: &Parts,
    body: &Result<Bytes, BytesRejection>,
) -> Result<Response<String>, Refusal> {
    let body = match body {
        Ok(body) => Body::Whole(body),
        Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => Body::TooLong,
        Err(_) => Body::Broken,
    };
    let wish = wish::read(head, body)?;
    let ledger = &mut open(desk).ledger;
    let id = ledger.next_id();
    Ok(ledger.fulfil(wish, id)?.answer)
}

fn open(desk: &Shared) -> MutexGuard<'_, Desk> {
    // Every change is a single insert or remove: a thread that panicked left nothing half done.
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
