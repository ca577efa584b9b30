//! What a client gets: JSON, nothing, or a refusal (RFC 9457, as the gate's own).

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::entry::Fault;

/// What the API does not do, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    title: &'static str,
    /// What is special about this time, about the client's own text.
    detail: Option<String>,
    /// Which fields of an entry are wrong.
    faults: Vec<Fault>,
    /// The one field that its status asks for: RFC 9110 section 15.5.6, a 405 names the methods that there are; section 15.6.4, a 503
    /// says when to come again.
    field: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    /// With the title of the problem document.
    pub fn new(status: StatusCode, title: &'static str) -> Self {
        Self {
            status,
            title,
            detail: None,
            faults: Vec::new(),
            field: None,
        }
    }

    /// What is kept cannot be had: the fault is not the client's, and why is for the log alone.
    pub fn of_the_ledger() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The entries cannot be had",
        )
    }

    /// Others are at it. Nothing was done, so whoever comes again does nothing twice.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn busy() -> Self {
        Self {
            field: Some((http::header::RETRY_AFTER, "1")),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The entries are busy: try again",
            )
        }
    }

    /// Another method than these.
    pub(crate) fn of_method(allow: &'static str) -> Self {
        Self {
            field: Some((ALLOW, allow)),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "This is not done here")
        }
    }

    /// What was sent is no entry at all.
    pub(crate) fn of_body(title: &'static str, detail: String) -> Self {
        Self {
            detail: Some(detail),
            ..Self::new(StatusCode::BAD_REQUEST, title)
        }
    }

    /// An entry, but a wrong one.
    pub(crate) fn of_entry(faults: Vec<Fault>) -> Self {
        Self {
            faults,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The entry cannot be taken as it is",
            )
        }
    }
}

impl From<Refusal> for Response<String> {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            status,
            title,
            detail,
            faults,
            field,
        } = refusal;
        let mut body = json!({ "title": title, "status": status.as_u16() });
        if let Some(members) = body.as_object_mut() {
            members.extend(detail.map(|detail| ("detail".to_owned(), json!(detail))));
            if !faults.is_empty() {
                members.insert("errors".to_owned(), json!(faults));
            }
        }
        let mut answer = typed(status, "application/problem+json", &body);
        if let Some((name, value)) = field {
            answer
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

/// The answer to who asks whether anybody is there.
pub(crate) fn healthy() -> Response<String> {
    json(StatusCode::OK, &json!({ "status": "ok" }))
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response<String> {
    typed(status, "application/json", body)
}

pub(crate) fn empty(status: StatusCode) -> Response<String> {
    let mut answer = Response::new(String::new());
    *answer.status_mut() = status;
    answer
}

fn typed(status: StatusCode, kind: &'static str, body: &Value) -> Response<String> {
    let mut answer = Response::new(body.to_string());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // What one employee may see is kept for nobody.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
