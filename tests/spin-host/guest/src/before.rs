//! Leaves a trace in the request and in the response, and reads a variable for it.

use spin_sdk::http::{self, HeaderValue, Request, Response};
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::{http_service, variables};

const TRACE: &str = "x-through";

#[http_service]
async fn handle(mut request: Request) -> Result<Response, ErrorCode> {
    let name = variables::get("name").await.unwrap_or_default();
    let trace = HeaderValue::try_from(name).map_err(|_| ErrorCode::ConfigurationError)?;
    request.headers_mut().append(TRACE, trace.clone());
    let mut response = http::next(request).await?;
    response.headers_mut().append(TRACE, trace);
    Ok(response)
}
