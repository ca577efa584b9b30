//! The timesheets API as a private component of a Spin application: it has no route, so only components of the same application
//! reach it, and of those only the ones whose `allowed_outbound_hosts` name it.
//!
//! What it answers is decided in package `timesheets`, as for the server of that package; here requests come from Spin, and
//! the entries are kept in a key-value store.

mod entries;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use spin_sdk::http::{HeaderValue, Request, Response, StatusCode};
use spin_sdk::http_service;
use timesheets::answer::Refusal;
use timesheets::ledger::{Unfulfilled, fulfil};
use timesheets::wish::{self, Body, MAX_BODY_BYTES};

#[http_service]
async fn serve(request: Request) -> Response<String> {
    let line = format!("{} {}", request.method(), request.uri().path());
    let mut answer = answer(request).await.unwrap_or_else(Response::from);
    let status = answer.status();
    // Spin would send what has no length in chunks, and keep the connection waiting.
    if status != StatusCode::NO_CONTENT {
        let length = HeaderValue::from(answer.body().len());
        answer.headers_mut().insert("content-length", length);
    }
    // The demo counts these lines: what the gate refused must not stand among them.
    println!("timesheets: {line} {}", status.as_u16());
    answer
}

async fn answer(request: Request) -> Result<Response<String>, Refusal> {
    let (head, body) = request.into_parts();
    let wish = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => wish::read(&head, Body::Whole(&body.to_bytes())),
        Err(why) if why.is::<LengthLimitError>() => wish::read(&head, Body::TooLong),
        Err(_) => wish::read(&head, Body::Broken),
    }?;
    let answer = fulfil(&mut entries::Entries, wish).await;
    answer.map_err(|why| match why {
        Unfulfilled::Refused(refusal) => refusal,
        Unfulfilled::Failed(entries::Failure::Store(error)) => unavailable(&error.to_string()),
        Unfulfilled::Failed(entries::Failure::Unreadable(key)) => {
            unavailable(&format!("{key} is no entry"))
        }
    })
}

/// The client is told that it is not its fault, the log what is.
fn unavailable(why: &str) -> Refusal {
    eprintln!("the store `{}`: {why}", entries::LABEL);
    Refusal::of_the_ledger()
}
