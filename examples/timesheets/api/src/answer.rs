//! What a client gets: JSON, nothing, or a refusal (RFC 9457, as the gate's own).

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
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
    /// RFC 9110 section 15.5.6: a 405 names the methods that there are.
    allow: Option<&'static str>,
}

impl Refusal {
    /// With the title of the problem document.
    pub fn new(status: StatusCode, title: &'static str) -> Self {
        Self {
            status,
            title,
            detail: None,
            faults: Vec::new(),
            allow: None,
        }
    }

    /// What is kept cannot be had: the fault is not the client's, and why is for the log alone.
    pub fn of_the_ledger() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The entries cannot be had",
        )
    }

    /// Another method than these.
    pub(crate) fn of_method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
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
            allow,
        } = refusal;
        let mut body = json!({ "title": title, "status": status.as_u16() });
        if let Some(members) = body.as_object_mut() {
            members.extend(detail.map(|detail| ("detail".to_owned(), json!(detail))));
            if !faults.is_empty() {
                members.insert("errors".to_owned(), json!(faults));
            }
        }
        let mut answer = typed(status, "application/problem+json", &body);
        if let Some(allow) = allow {
            answer
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allow));
        }
        answer
    }
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
