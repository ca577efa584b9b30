//! What a client gets: JSON, nothing, or a refusal (RFC 9457, as the gate's own).

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// What the API does not do, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    title: &'static str,
    /// RFC 9110 section 15.5.6: a 405 names the methods that there are.
    allow: Option<&'static str>,
}

impl Refusal {
    /// With the title of the problem document.
    pub fn new(status: StatusCode, title: &'static str) -> Self {
        Self {
            status,
            title,
            allow: None,
        }
    }

    /// Another method than these.
    pub(crate) fn of_method(allow: &'static str) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            title: "This is not done here",
            allow: Some(allow),
        }
    }
}

impl From<Refusal> for Response<String> {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            status,
            title,
            allow,
        } = refusal;
        let body = json!({ "title": title, "status": status.as_u16() });
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
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
