//! Connections to other servers, kept and used again as Spin does.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::{Error, WasiBody};

tokio::task_local! {
    // The client offers no way to hand it to the connector. A connection that is made behind the scenes has none.
    static CONNECT_TIMEOUT: Duration;
}

/// Plain HTTP/1 connections, pooled.
#[derive(Clone)]
pub(crate) struct Connections(Client<Connector, WasiBody>);

#[derive(Debug, Clone)]
struct Connector;

#[derive(Debug)]
enum NoConnection {
    NoAddress,
    Refused,
    Late,
}

impl Connections {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(Connector))
    }

    /// Sends a request to where its address says.
    pub(crate) async fn send(
        &self,
        request: Request<WasiBody>,
        connect_timeout: Duration,
    ) -> Result<Response<WasiBody>, Error> {
        let sent = CONNECT_TIMEOUT.scope(connect_timeout, self.0.request(request));
        let response = sent.await.map_err(explain)?;
        Ok(response.map(|body| body.map_err(Error::from).boxed_unsync()))
    }
}

fn explain(error: legacy::Error) -> Error {
    let cause = error.source();
    match cause.and_then(|cause| cause.downcast_ref::<NoConnection>()) {
        Some(NoConnection::NoAddress) => Error::DnsError {
            rcode: Some("address not available".to_owned()),
            info_code: Some(0),
        },
        Some(NoConnection::Refused) => Error::ConnectionRefused,
        Some(NoConnection::Late) => Error::ConnectionTimeout,
        None => Error::HttpProtocolError,
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = NoConnection;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NoConnection>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoConnection>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(connect(uri))
    }
}

async fn connect(uri: Uri) -> Result<TokioIo<TcpStream>, NoConnection> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let place = (host, uri.port_u16().unwrap_or(80));
    let addresses: Vec<_> = tokio::net::lookup_host(place)
        .await
        .map_err(|_| NoConnection::NoAddress)?
        .collect();
    let connected = TcpStream::connect(addresses.as_slice());
    let connected = match CONNECT_TIMEOUT.try_with(|timeout| *timeout) {
        Ok(timeout) => tokio::time::timeout(timeout, connected)
            .await
            .map_err(|_| NoConnection::Late)?,
        Err(_) => connected.await,
    };
    match connected {
        Ok(stream) => Ok(TokioIo::new(stream)),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            Err(NoConnection::NoAddress)
        }
        Err(_) => Err(NoConnection::Refused),
    }
}

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "no address",
            Self::Refused => "refused",
            Self::Late => "too late",
        })
    }
}

impl std::error::Error for NoConnection {}
