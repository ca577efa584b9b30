//! Leaves a trace in the request and in the response, and reads a variable for it.

use std::hint::black_box;

use spin_sdk::http::{self, HeaderValue, Request, Response};
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::{http_service, variables};

const TRACE: &str = "x-through";

/// A test may write another name of this length into the built file, to tell two apart.
static NAME: [u8; 20] = *b"the outer middleware";

#[http_service]
async fn handle(mut request: Request) -> Result<Response, ErrorCode> {
    let own = String::from_utf8_lossy(black_box(&NAME));
    let variable = variables::get("name").await.unwrap_or_default();
    let trace = HeaderValue::try_from(format!("{own}, {variable}"))
        .map_err(|_| ErrorCode::ConfigurationError)?;
    request.headers_mut().append(TRACE, trace.clone());
    let mut response = http::next(request).await?;
    response.headers_mut().append(TRACE, trace);
    Ok(response)
}
