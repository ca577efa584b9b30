//! Requests that components send: whether they may, to which component of the application, or by which connection.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderName, Request, Response, Uri};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

use crate::allowed_hosts::AllowedHost;
use crate::connection::Connections;
use crate::pace::PacedBody;
use crate::server::Server;

/// How long Spin waits where the component says nothing.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The names below this one are those of components.
const CHAINED_DOMAIN: &str = "spin.internal";

/// What one component needs to send requests.
#[derive(Clone)]
pub(crate) struct Outbound {
    pub(crate) allowed: Arc<Vec<AllowedHost>>,
    pub(crate) connections: Connections,
    pub(crate) server: Arc<OnceLock<Weak<Server>>>,
    /// Whether the headers that Spin keeps from components are kept from them here too.
    pub(crate) forbids_headers: bool,
}

type Answer = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl WasiHttpHooks for Outbound {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        let forbids = self.forbids_headers;
        Arc::new(move |name: &HeaderName| forbids && DEFAULT_FORBIDDEN_HEADERS.contains(name))
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let outbound = self.clone();
        Box::new(async move {
            let response = outbound.send(request, options.unwrap_or_default()).await?;
            let done: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

impl Outbound {
    async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        self.check(request.uri())?;
        let server = self.server.get().and_then(Weak::upgrade);
        let server = server.ok_or(Error::ConfigurationError)?;
        if is_to_itself(request.uri()) {
            *request.uri_mut() = address_itself(request.uri(), server.address())?;
        }
        // What is connected to writes it from the address.
        request.headers_mut().remove(HOST);
        let between_bytes = options.between_bytes_timeout.unwrap_or(TIMEOUT);
        let paced = |body: WasiBody| PacedBody::new(body, between_bytes).boxed_unsync();
        if let Some(component) = chained_component(request.uri()) {
            // As in Spin, neither the connect nor the first-byte timeout counts here.
            let component = component.to_owned();
            let response = server.chain(&component, request).await;
            let response = response.map_err(|e| Error::InternalError(Some(e.to_string())))?;
            return Ok(response.map(paced));
        }
        if request.uri().scheme() == Some(&Scheme::HTTPS) {
            let (response, connection) =
                wasmtime_wasi_http::default_send_request(request, Some(options)).await?;
            tokio::spawn(connection);
            return Ok(response.map(http_body_util::BodyExt::boxed_unsync));
        }
        let connect = options.connect_timeout.unwrap_or(TIMEOUT);
        let first_byte = options.first_byte_timeout.unwrap_or(TIMEOUT);
        let sent = self.connections.send(request, connect);
        let response = tokio::time::timeout(first_byte, sent)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)??;
        Ok(response.map(paced))
    }

    fn check(&self, uri: &Uri) -> Result<(), Error> {
        let allowed = if is_to_itself(uri) {
            self.allowed.iter().any(AllowedHost::allows_itself)
        } else {
            self.allowed.iter().any(|entry| entry.allows(uri))
        };
        if allowed {
            Ok(())
        } else {
            Err(Error::HttpRequestDenied)
        }
    }
}

/// The component that a host name below `spin.internal` names.
pub(crate) fn component_of_host(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let (component, domain) = host.split_once('.')?;
    (domain == CHAINED_DOMAIN).then_some(component)
}

fn chained_component(uri: &Uri) -> Option<&str> {
    component_of_host(uri.host()?)
}

fn is_to_itself(uri: &Uri) -> bool {
    uri.host()
        .is_none_or(|host| host.is_empty() || host == "self.alt")
}

fn address_itself(uri: &Uri, address: SocketAddr) -> Result<Uri, Error> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority =
        Some(Authority::try_from(address.to_string()).map_err(|_| Error::HttpRequestUriInvalid)?);
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_components() {
        for (host, component) in [
            ("a.spin.internal", Some("a")),
            ("a.spin.internal:80", Some("a")),
            ("a.b.spin.internal", None),
            ("spin.internal", None),
            ("a.spin.internal.example.com", None),
        ] {
            assert_eq!(component_of_host(host), component, "{host}");
        }
    }
}
