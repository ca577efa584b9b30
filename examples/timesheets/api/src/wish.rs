//! What a request wants, read from its method, its path, the identity that the gate set, and its body.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::answer::Refusal;
use crate::entry::{Draft, Work};

/// The header that the gate sets from the token's `sub`.
pub const IDENTITY: &str = "x-auth-sub";

/// OpenID Connect Core section 2: a `sub` has at most 255 characters; four octets each in UTF-8.
const MAX_IDENTITY_BYTES: usize = 4 * 255;

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
    /// One entry less, if it is the employee's own.
    Remove {
        /// Who asks.
        employee: String,
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
            work: work(&head.headers, body)?,
        }),
        "/timesheets" => Err(Refusal::of_method("GET,HEAD,POST")),
        "/reports/hours" if reads => Ok(Wish::Report {
            reader: identity(&head.headers)?,
        }),
        "/reports/hours" => Err(Refusal::of_method("GET,HEAD")),
        path => match path.strip_prefix("/timesheets/") {
            Some(id) if id.is_empty() || id.contains('/') => Err(nothing_here()),
            Some(id) if head.method == Method::DELETE => Ok(Wish::Remove {
                employee: identity(&head.headers)?,
                id: number(id),
            }),
            Some(_) => Err(Refusal::of_method("DELETE")),
            None => Err(nothing_here()),
        },
    }
}

fn nothing_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "There is nothing here")
}

/// An entry has one name: `07` and `+7`, which parse too, are none of 7's.
fn number(segment: &str) -> Option<u64> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    let id: u64 = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

/// The one identity that the gate set. None, or two, means that the request did not come through the gate.
fn identity(headers: &HeaderMap) -> Result<String, Refusal> {
    let mut values = headers.get_all(IDENTITY).iter();
    if let (Some(value), None) = (values.next(), values.next())
        && let Ok(identity) = std::str::from_utf8(value.as_bytes())
        && (1..=MAX_IDENTITY_BYTES).contains(&identity.len())
    {
        return Ok(identity.to_owned());
    }
    Err(Refusal::new(
        StatusCode::UNAUTHORIZED,
        "The request carries no identity: it did not come through the gate",
    ))
}

fn work(headers: &HeaderMap, body: Body<'_>) -> Result<Work, Refusal> {
    if !is_json(headers) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "An entry is sent with Content-Type: application/json",
        ));
    }
    let unreadable = |status| Refusal::new(status, "The body cannot be read");
    let body = match body {
        Body::Whole(body) => body,
        Body::TooLong => return Err(unreadable(StatusCode::PAYLOAD_TOO_LARGE)),
        Body::Broken => return Err(unreadable(StatusCode::BAD_REQUEST)),
    };
    let draft: Draft = serde_json::from_slice(body).map_err(|error| {
        let title = match error.is_data() {
            true => "An entry is a JSON object with date, project and hours, and nothing else",
            false => "The body is not JSON",
        };
        Refusal::of_body(title, error.to_string())
    })?;
    Work::try_from(draft).map_err(Refusal::of_entry)
}

/// One `Content-Type`, whose essence (before its parameters) is JSON. A page of another site can send other ones without a preflight.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => {
            let essence = value.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case("application/json")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};

    use super::*;

    fn wish(line: &str, identities: &[&[u8]]) -> Result<Wish, Refusal> {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        for identity in identities {
            request = request.header(IDENTITY, *identity);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        read(&head, Body::Whole(b""))
    }

    #[test]
    fn an_identity_is_one_text_of_a_subjects_length() {
        let (long, longer) = ("x".repeat(1_020), "x".repeat(1_021));
        for known in ["alice", "auth0|alice smith", "Jürgen", &long] {
            let employee = known.to_owned();
            let found = wish("GET /timesheets", &[known.as_bytes()]);
            assert_eq!(found, Ok(Wish::List { employee }));
        }
        for identities in [
            vec![],
            vec![&b""[..]],
            vec![b"alice", b"bob"],
            vec![b"alice", b"alice"],
            vec![b"\xff"],
            vec![longer.as_bytes()],
        ] {
            let refused = Response::from(wish("GET /timesheets", &identities).unwrap_err());
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{identities:?}");
        }
    }

    #[test]
    fn an_entry_has_one_name() {
        for (segment, id) in [
            ("7", Some(7)),
            ("%37", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("07", None),
            ("+7", None),
            ("-7", None),
            ("x", None),
            ("%ff", None),
        ] {
            let employee = "alice".to_owned();
            let found = wish(&format!("DELETE /timesheets/{segment}"), &[b"alice"]);
            assert_eq!(found, Ok(Wish::Remove { employee, id }), "{segment}");
        }
    }

    #[test]
    fn an_entry_is_sent_as_json() {
        for (values, expected) in [
            (&["application/json"][..], true),
            (&["Application/JSON; charset=utf-8"], true),
            (&["application/json ;x"], true),
            (&[], false),
            (&[""], false),
            (&["text/plain"], false),
            (&["application/jsonp"], false),
            (&["text/plain, application/json"], false),
            (&["application/x-www-form-urlencoded"], false),
            (&["application/json", "text/plain"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, value.parse().unwrap());
            }
            assert_eq!(is_json(&headers), expected, "{values:?}");
        }
    }
}
