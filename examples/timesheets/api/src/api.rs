//! The timesheets API as a server: an upstream service as the gate finds it, which checks no token.
//!
//! Who is asking stands in the header `x-auth-sub`. The gate removes that header from what clients send and sets it from a
//! verified token, so the API may believe it, as long as nothing but the gate can reach the API. [`SocketApi`] sees to that
//! by a socket that one user of this machine can open; on a port of loopback ([`Api`]) it is for whoever runs it to see to.
//!
//! What it answers is decided in [`wish`] and [`ledger`](crate::ledger), which the Spin component in `component/` shares.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::map_request_with_state;
use axum::response::Response;
use scopegate::http_server::Server;
#[cfg(unix)]
use scopegate::http_server::SocketServer;

use crate::answer::{self, Refusal};
use crate::app_files::AppFiles;
#[cfg(unix)]
use crate::private_socket::PrivateSocket;
use crate::shared_ledger::SharedLedger;
use crate::sqlite_ledger::SqliteLedger;
use crate::wish::{self, MAX_BODY_BYTES, Wish};

const NAME: &str = "the timesheets API";

/// What the API may have besides a place to listen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the entries are kept; in memory if nowhere.
    pub database: Option<PathBuf>,
    /// The folder with the app's files, where it serves them.
    pub app: Option<PathBuf>,
}

/// The API on a port of loopback, which everybody on this machine can reach. Dropping it closes the port.
#[derive(Debug)]
pub struct Api {
    server: Server,
    desk: Arc<Desk>,
}

/// The API on a Unix socket that its owner alone can open. Dropping it removes the socket.
#[cfg(unix)]
#[derive(Debug)]
pub struct SocketApi {
    // Before the server, so that nobody finds a socket that nobody listens on.
    _socket: PrivateSocket,
    _server: SocketServer,
    desk: Arc<Desk>,
}

/// What all requests share.
#[derive(Debug)]
struct Desk {
    ledger: SharedLedger,
    app: Option<AppFiles>,
    served: AtomicU64,
}

impl Api {
    /// Starts it on this port of loopback, with no entries and without an app; 0 lets the system choose.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(port: u16) -> Result<Self> {
        Self::start_with(port, &Options::default())
    }

    /// The same with entries or an app that there are already.
    ///
    /// # Errors
    /// The port is taken, the database cannot be used, or there is no app in its folder.
    pub fn start_with(port: u16, options: &Options) -> Result<Self> {
        let desk = Arc::new(Desk::open(options)?);
        let server = Server::start(NAME, port, router(Arc::clone(&desk)))?;
        Ok(Self { server, desk })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many requests reached it, whatever the answer: what the gate refuses must not count here.
    pub fn served(&self) -> u64 {
        self.desk.served.load(Ordering::Relaxed)
    }
}

#[cfg(unix)]
impl SocketApi {
    /// Starts it on a socket of this path, which only the user that started it can open.
    ///
    /// # Errors
    /// Others could put their own socket there, somebody listens there already, the database cannot be used, or there is no
    /// app in its folder.
    pub fn start(path: &std::path::Path, options: &Options) -> Result<Self> {
        let desk = Arc::new(Desk::open(options)?);
        let (socket, listener) = PrivateSocket::bind(path)?;
        let server = SocketServer::on(NAME, listener, router(Arc::clone(&desk)))?;
        Ok(Self {
            _socket: socket,
            _server: server,
            desk,
        })
    }

    /// How many requests reached it, whatever the answer.
    pub fn served(&self) -> u64 {
        self.desk.served.load(Ordering::Relaxed)
    }
}

impl Desk {
    fn open(options: &Options) -> Result<Self> {
        let ledger = match &options.database {
            Some(path) => SqliteLedger::in_file(path)?,
            None => SqliteLedger::in_memory()?,
        };
        Ok(Self {
            ledger: SharedLedger::new(ledger),
            app: options.app.as_deref().map(AppFiles::open).transpose()?,
            served: AtomicU64::new(0),
        })
    }

    async fn answer(
        &self,
        head: &Parts,
        body: &Result<Bytes, BytesRejection>,
    ) -> Result<http::Response<String>, Refusal> {
        let body = match body {
            Ok(body) => wish::Body::Whole(body),
            Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => wish::Body::TooLong,
            Err(_) => wish::Body::Broken,
        };
        match wish::read(head, body)? {
            // The program is there, whatever the ledger does: it would not help to start another one.
            Wish::Health => Ok(answer::healthy()),
            wish => self.ledger.fulfil(wish).await,
        }
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .fallback(serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_request_with_state(Arc::clone(&desk), count))
        .with_state(desk)
}

/// Counts what arrives, before anything looks at it.
async fn count(State(desk): State<Arc<Desk>>, request: Request) -> Request {
    desk.served.fetch_add(1, Ordering::Relaxed);
    request
}

async fn serve(
    State(desk): State<Arc<Desk>>,
    head: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if let Some(app) = &desk.app
        && let Some(file) = AppFiles::named(head.uri.path())
    {
        return app.answer(&head, file).await;
    }
    let answer = desk.answer(&head, &body).await;
    answer.unwrap_or_else(Into::into).map(Body::from)
}
