//! The server: what Spin does with a request before and after a component.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::application::Application;
use crate::instances::Maker;
use crate::outbound::component_of_host;
use crate::route::{Matched, Route};

/// Spin answers below this path itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// The address of a client that is another component of the application.
const CHAINED_CLIENT: &str = "0.0.0.0:0";

/// A running application.
pub(crate) struct Server {
    address: SocketAddr,
    application: Application,
    handlers: BTreeMap<String, ProxyHandler<Maker>>,
}

impl Server {
    pub(crate) fn new(
        address: SocketAddr,
        application: Application,
        handlers: BTreeMap<String, ProxyHandler<Maker>>,
    ) -> Self {
        Self {
            address,
            application,
            handlers,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn application(&self) -> &Application {
        &self.application
    }

    /// Each component, and what makes its instances.
    pub(crate) fn makers(&self) -> impl Iterator<Item = (&str, &Maker)> {
        self.handlers
            .iter()
            .map(|(id, handler)| (id.as_str(), handler.state()))
    }

    /// Serves for ever.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, client)) => {
                    tokio::spawn(self.clone().serve_connection(stream, client));
                }
                // Out of files, or a client that left already: neither ends the server.
                Err(error) => {
                    eprintln!("no connection: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            }
        }
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream, client: SocketAddr) {
        let client = client.to_string();
        let service = service_fn(|request: Request<Incoming>| {
            let server = self.clone();
            let client = client.clone();
            async move {
                let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
                server.answer(request, &client).await
            }
        });
        let connection = Builder::new(TokioExecutor::new());
        let served = connection.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = served.await {
            eprintln!("connection: {:#}", anyhow::anyhow!(error));
        }
    }

    /// Answers a request from outside; an error closes the connection.
    async fn answer(
        &self,
        mut request: Request<WasiBody>,
        client: &str,
    ) -> Result<Response<WasiBody>> {
        let host = request.headers().get(HOST).and_then(|h| h.to_str().ok());
        if host.and_then(component_of_host).is_some() {
            request.headers_mut().remove(HOST);
        }
        let path = request.uri().path();
        if let Some(asked) = path.strip_prefix(WELL_KNOWN) {
            return self.answer_well_known(asked);
        }
        let mut routes = self.application.routes.iter();
        let found = routes.find_map(|(route, component)| Some((route.matches(path)?, component)));
        match found {
            None => empty(StatusCode::NOT_FOUND),
            Some((matched, component)) => self.run(component, &matched, request, client).await,
        }
    }

    /// Hands a request of one component to another, in memory.
    pub(crate) async fn chain(
        &self,
        component: &str,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>> {
        let matched = Matched::chained(request.uri().path());
        // A component may call another that calls it again: the future has to be of a known size.
        Box::pin(self.run(component, &matched, request, CHAINED_CLIENT)).await
    }

    async fn run(
        &self,
        component: &str,
        matched: &Matched,
        mut request: Request<WasiBody>,
        client: &str,
    ) -> Result<Response<WasiBody>> {
        complete_uri(&mut request)?;
        let handler = self.handlers.get(component);
        let handler = handler.with_context(|| format!("no component `{component}`"))?;
        let answered = match add_headers(&mut request, matched, client) {
            Ok(()) => handler.handle((), request).await.map_err(Into::into),
            Err(error) => Err(error),
        };
        answered.or_else(|error: anyhow::Error| {
            eprintln!("request to `{component}`: {error:#}");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }

    fn answer_well_known(&self, asked: &str) -> Result<Response<WasiBody>> {
        match asked {
            "health" => Ok(Response::new(body("OK"))),
            "info" => {
                let about = serde_json::json!({
                    "name": self.application.name,
                    "version": self.application.version,
                });
                Ok(Response::builder()
                    .header("content-type", "application/json")
                    .body(body(serde_json::to_string_pretty(&about)?))?)
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }
}

fn empty(status: StatusCode) -> Result<Response<WasiBody>> {
    Ok(Response::builder().status(status).body(body(""))?)
}

fn body(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into()).map_err(Error::from).boxed_unsync()
}

/// Gives the address of a request its scheme and its authority, which is that of the address or of `Host`, where both say the same.
fn complete_uri(request: &mut Request<WasiBody>) -> Result<()> {
    let host = match request.headers().get(HOST) {
        None => None,
        Some(host) => Some(Authority::try_from(host.as_bytes()).context("an invalid Host")?),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.authority = match (host, parts.authority.take()) {
        (None, None) => bail!("no Host"),
        (Some(host), Some(authority)) if host != authority => {
            bail!("Host and the address disagree")
        }
        (Some(authority), _) | (None, Some(authority)) => Some(authority),
    };
    parts.scheme = Some(Scheme::HTTP);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}

/// Appends Spin's own headers behind the client's.
fn add_headers(request: &mut Request<WasiBody>, matched: &Matched, client: &str) -> Result<()> {
    for (name, value) in request.headers() {
        std::str::from_utf8(value.as_bytes())
            .with_context(|| format!("header `{name}` is not UTF-8"))?;
    }
    let host = match request.headers().get(HOST) {
        Some(host) => std::str::from_utf8(host.as_bytes())?,
        None => "localhost",
    };
    let path = request.uri().path_and_query();
    let full_url = format!("http://{host}{}", path.map_or("", |path| path.as_str()));
    let prefix = Route::prefix(&matched.route).to_owned();
    let own = [
        ("spin-path-info", matched.path_info.as_str()),
        ("spin-full-url", &full_url),
        ("spin-matched-route", &matched.route),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", &matched.route),
        ("spin-component-route", &prefix),
        ("spin-client-addr", client),
    ];
    let headers = request.headers_mut();
    for (name, value) in own {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value)?);
    }
    for (name, value) in &matched.parameters {
        let name = format!(
            "spin-path-match-{}",
            name.to_ascii_lowercase().replace('_', "-")
        );
        headers.append(HeaderName::try_from(name)?, HeaderValue::from_str(value)?);
    }
    Ok(())
}
