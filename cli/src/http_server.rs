//! An HTTP server on a thread of its own, for as long as its value lives: on a port, or on a Unix socket.

use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, oneshot};

/// The head of a request, and what is read ahead of it: twice the 8 KiB of a token and of a path together.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// As many fields as hyper reads of its own accord.
const MAX_FIELDS: usize = 100;

/// Far more than a gate's workers and a few clients keep open; others wait until one ends.
const MAX_CONNECTIONS: usize = 512;

/// How long a connection may say nothing, or be in the middle of a head. Longer than the 60 s for which `envoy/envoy.yaml` has Envoy keep an
/// idle connection to the example's API: the server that closes later closes on no request that is on its way. Envoy's own default is an hour.
const HEAD_TIME: Duration = Duration::from_secs(75);

/// How long a request may take, its body and the making of keys included.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// A running HTTP/1 server. Dropping it closes its port.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    _thread: Thread,
}

/// The same on a Unix socket. Dropping it closes the socket; its file is whoever's who made it.
#[cfg(unix)]
#[derive(Debug)]
pub struct SocketServer {
    _thread: Thread,
}

/// Where a server runs, and ends when this is dropped.
#[derive(Debug)]
struct Thread {
    // Dropped to tell the thread to stop.
    leash: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Takes a port; 0 lets the system choose. `name` stands in the error.
///
/// # Errors
/// The port is taken.
pub fn listen(name: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        let (port, ip) = (address.port(), address.ip());
        format!("{name} cannot listen on port {port} of {ip}")
    })
}

impl Server {
    /// Serves `router` on this port of loopback; 0 lets the system choose. `name` stands in the error.
    ///
    /// # Errors
    /// The port is taken, or the system gives no thread.
    pub fn start(name: &str, port: u16, router: Router) -> Result<Self> {
        let listener = listen(name, ([127, 0, 0, 1], port).into())?;
        Self::on(name, listener, router)
    }

    /// Serves `router` on a port that is taken already.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn on(name: &str, listener: TcpListener, router: Router) -> Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            address: listener.local_addr()?,
            _thread: Thread::start(name, router, move || {
                tokio::net::TcpListener::from_std(listener)
            })?,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(unix)]
impl SocketServer {
    /// Serves `router` on a socket that is bound already. `name` stands in the error.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn on(name: &str, listener: UnixListener, router: Router) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let _thread = Thread::start(name, router, move || {
            tokio::net::UnixListener::from_std(listener)
        })?;
        Ok(Self { _thread })
    }
}

impl Thread {
    /// `listen` is asked on the thread itself: a listener belongs to the runtime in which it was made.
    fn start<L: Listener>(
        name: &str,
        router: Router,
        listen: impl FnOnce() -> std::io::Result<L> + Send + 'static,
    ) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .with_context(|| format!("starting the runtime of {name}"))?;
        let (leash, released) = oneshot::channel();
        let router = router.layer(from_fn(in_time));
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(serve(listen, router, released)))
            .with_context(|| format!("starting the thread of {name}"))?;
        Ok(Self {
            leash: Some(leash),
            thread: Some(thread),
        })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.leash.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked has printed why; there is nothing more to do about it here.
            let _ = thread.join();
        }
    }
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Ends when the leash is dropped. Open connections go with the runtime: nobody waits for an idle one.
async fn serve<L: Listener>(
    listen: impl FnOnce() -> std::io::Result<L>,
    router: Router,
    released: oneshot::Receiver<()>,
) {
    match listen() {
        Ok(listener) => tokio::select! {
            () = accept(listener, router) => {}
            _ = released => {}
        },
        Err(error) => eprintln!("a local server stopped: {error}"),
    }
}

/// A listener waits by itself when the system has no more connections to give, which passes.
async fn accept(mut listener: impl Listener, router: Router) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let (stream, _) = listener.accept().await;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut connection = http1::Builder::new();
            connection
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(MAX_HEAD_BYTES)
                .max_headers(MAX_FIELDS);
            // A client that broke off knows.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(place);
        });
    }
}
