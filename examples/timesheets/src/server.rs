//! A server on a thread of its own, for as long as its value lives.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use axum::Router;
use tokio::sync::oneshot;

/// A running HTTP/1 server on 127.0.0.1. Dropping it closes its port.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    // Dropped to tell the thread to stop.
    leash: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `router` on this port of loopback; 0 lets the system choose. `name` stands in the error.
    ///
    /// # Errors
    /// The port is taken, or the system gives no thread.
    pub fn start(name: &str, port: u16, router: Router) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("{name} cannot listen on port {port} of 127.0.0.1"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .with_context(|| format!("starting the runtime of {name}"))?;
        let (leash, released) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(serve(listener, router, released)))
            .with_context(|| format!("starting the thread of {name}"))?;
        Ok(Self {
            address,
            leash: Some(leash),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.leash.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked has printed why; there is nothing more to do about it here.
            let _ = thread.join();
        }
    }
}

/// Ends when the leash is dropped. Open connections go with the runtime: nobody waits for an idle one.
async fn serve(listener: TcpListener, router: Router, released: oneshot::Receiver<()>) {
    let serving = async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router).await
    };
    tokio::select! {
        ended = serving => if let Err(error) = ended {
            eprintln!("a server of the example stopped: {error}");
        },
        _ = released => {}
    }
}
