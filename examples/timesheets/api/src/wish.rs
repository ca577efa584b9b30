//! What a request wants, read from its method, its path, the identity that the gate set, and its body.

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::answer::Refusal;
use crate::ledger::Work;

/// The header that the gate sets from the token's `sub`.
pub const IDENTITY: &str = "x-auth-sub";

/// An entry is a line of text and two numbers.
pub const MAX_BODY_BYTES: usize = 4 * 1024;

/// A request that makes sense, of somebody who may be asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Is anybody there?
    Health,
    /// The entries of one employee.
    List {
        /// Who asks.
        employee: String,
    },
    /// One entry more.
    Add {
        /// Who sends it in.
        employee: String,
        /// What was done.
        work: Work,
    },
    /// One entry less.
    Remove {
        /// None where the path names what cannot be an entry.
        id: Option<u64>,
    },
    /// The hours of everybody.
    Report {
        /// Who reads it.
        reader: String,
    },
}

/// The body of a request, as far as it was read.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// It is longer than [`MAX_BODY_BYTES`].
    TooLong,
    /// It ended before its end.
    Broken,
}

/// Reads a request. What it wants is not done yet.
///
/// # Errors
/// There is nothing at that path, the request did not come through the gate, or its body is no entry.
pub fn read(head: &Parts, body: Body<'_>) -> Result<Wish, Refusal> {
    // RFC 9110 section 9.3.2: HEAD wants what GET wants, and the server leaves the body out.
    let reads = head.method == Method::GET || head.method == Method::HEAD;
    match head.uri.path() {
        "/healthz" if reads => Ok(Wish::Health),
        "/healthz" => Err(Refusal::of_method("GET,HEAD")),
        "/timesheets" if reads => Ok(Wish::List {
            employee: identity(&head.headers)?,
        }),
        "/timesheets" if head.method == Method::POST => Ok(Wish::Add {
            employee: identity(&head.headers)?,
            work: work(body)?,
        }),
        "/timesheets" => Err(Refusal::of_method("GET,HEAD,POST")),
        "/reports/hours" if reads => Ok(Wish::Report {
            reader: identity(&head.headers)?,
        }),
        "/reports/hours" => Err(Refusal::of_method("GET,HEAD")),
        path => match path.strip_prefix("/timesheets/") {
            Some(id) if id.is_empty() || id.contains('/') => Err(nothing_here()),
            Some(id) if head.method == Method::DELETE => {
                identity(&head.headers)?;
                let id = percent_decode_str(id).decode_utf8().ok();
                Ok(Wish::Remove {
                    id: id.and_then(|id| id.parse().ok()),
                })
            }
            Some(_) => Err(Refusal::of_method("DELETE")),
            None => Err(nothing_here()),
        },
    }
}

fn nothing_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "There is nothing here")
}

/// The one identity that the gate set. None, or two, means that the request did not come through the gate.
fn identity(headers: &HeaderMap) -> Result<String, Refusal> {
    let mut values = headers.get_all(IDENTITY).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value.to_owned()),
        _ => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "The request carries no identity: it did not come through the gate",
        )),
    }
}

fn work(body: Body<'_>) -> Result<Work, Refusal> {
    let unreadable = |status| Refusal::new(status, "The body cannot be read");
    let body = match body {
        Body::Whole(body) => body,
        Body::TooLong => return Err(unreadable(StatusCode::PAYLOAD_TOO_LARGE)),
        Body::Broken => return Err(unreadable(StatusCode::BAD_REQUEST)),
    };
    let work: Work = serde_json::from_slice(body).map_err(|_| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "An entry is a JSON object with date, project and hours",
        )
    })?;
    if work.project.is_empty() || !(work.hours > 0.0 && work.hours <= 24.0) {
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "An entry names a project, and more than 0 and at most 24 hours",
        ));
    }
    Ok(work)
}
