//! Between Spin's HTTP messages and the core's.

use scopegate_core::Request as Asked;
use spin_sdk::wasip3::http::types::{Method, Request};

/// The request as the decision reads it: nothing decoded, nothing joined.
pub(crate) fn read(request: &Request) -> Asked {
    let fields = request.get_headers().copy_all();
    let headers = fields
        .into_iter()
        .map(|(name, value)| (name.into_bytes(), value))
        .collect();
    let path = request.get_path_with_query();
    Asked::new(
        method(&request.get_method()).as_bytes(),
        path.as_deref().map(str::as_bytes),
        headers,
    )
}

fn method(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
}
