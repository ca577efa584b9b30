//! The timesheets API: an upstream service as the gate finds it, which checks no token.
//!
//! Who is asking stands in the header `x-auth-sub`. The gate removes that header from what clients send and sets it from a
//! verified token, so the API may believe it, as long as nothing but the gate can reach the API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::map_request_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::server::Server;

/// The header that the gate sets from the token's `sub`.
pub const IDENTITY: &str = "x-auth-sub";

/// An entry is a line of text and two numbers; all of it lives in memory.
const MAX_BODY_BYTES: usize = 4 * 1024;
const MAX_ENTRIES: usize = 1_000;

/// One line of a timesheet.
#[derive(Clone, Debug, Serialize)]
struct Entry {
    id: u64,
    employee: String,
    #[serde(flatten)]
    work: Work,
}

/// What an employee sends.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Work {
    date: String,
    project: String,
    hours: f64,
}

/// All entries, and how many requests were answered.
#[derive(Debug, Default)]
struct Ledger {
    entries: BTreeMap<u64, Entry>,
    last_id: u64,
    served: u64,
}

/// The running API. Dropping it closes its port.
#[derive(Debug)]
pub struct Api {
    server: Server,
    ledger: Shared,
}

type Shared = Arc<Mutex<Ledger>>;

impl Api {
    /// Starts it with an empty ledger on this port of loopback; 0 lets the system choose.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(port: u16) -> Result<Self> {
        let ledger = Shared::default();
        let server = Server::start("the timesheets API", port, router(Arc::clone(&ledger)))?;
        Ok(Self { server, ledger })
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// How many requests reached it, whatever the answer: what the gate refuses must not count here.
    pub fn served(&self) -> u64 {
        open(&self.ledger).served
    }
}

fn router(ledger: Shared) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .route("/timesheets", get(list).post(add))
        .route("/timesheets/{id}", delete(remove))
        .route("/reports/hours", get(report))
        .fallback(async || problem(StatusCode::NOT_FOUND, "There is nothing here"))
        .method_not_allowed_fallback(async || {
            problem(StatusCode::METHOD_NOT_ALLOWED, "This is not done here")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_request_with_state(Arc::clone(&ledger), count))
        .with_state(ledger)
}

/// Counts what arrives, before anything looks at it.
async fn count(State(ledger): State<Shared>, request: Request) -> Request {
    let mut ledger = open(&ledger);
    ledger.served = ledger.served.saturating_add(1);
    request
}

async fn list(State(ledger): State<Shared>, headers: HeaderMap) -> Result<Response, Refusal> {
    let employee = identity(&headers)?;
    let ledger = open(&ledger);
    let entries: Vec<&Entry> = ledger
        .entries
        .values()
        .filter(|entry| entry.employee == employee)
        .collect();
    Ok(Json(json!({ "employee": employee, "entries": entries })).into_response())
}

async fn add(
    State(ledger): State<Shared>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let employee = identity(&headers)?;
    let body = body.map_err(|rejection| Refusal(rejection.status(), "The body cannot be read"))?;
    let work: Work = serde_json::from_slice(&body).map_err(|_| {
        Refusal(
            StatusCode::BAD_REQUEST,
            "An entry is a JSON object with date, project and hours",
        )
    })?;
    if work.project.is_empty() || !(work.hours > 0.0 && work.hours <= 24.0) {
        return Err(Refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "An entry names a project, and more than 0 and at most 24 hours",
        ));
    }
    let mut ledger = open(&ledger);
    if ledger.entries.len() >= MAX_ENTRIES {
        return Err(Refusal(
            StatusCode::INSUFFICIENT_STORAGE,
            "The ledger is full",
        ));
    }
    ledger.last_id = ledger.last_id.saturating_add(1);
    let entry = Entry {
        id: ledger.last_id,
        employee,
        work,
    };
    ledger.entries.insert(entry.id, entry.clone());
    let location = [(header::LOCATION, format!("/timesheets/{}", entry.id))];
    Ok((StatusCode::CREATED, location, Json(entry)).into_response())
}

/// Whoever the policy lets through may delete any entry: who may is a question of scopes, and the gate's to answer.
async fn remove(
    State(ledger): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    identity(&headers)?;
    let id: Option<u64> = id.parse().ok();
    match id.and_then(|id| open(&ledger).entries.remove(&id)) {
        Some(_) => Ok(StatusCode::NO_CONTENT),
        None => Err(Refusal(StatusCode::NOT_FOUND, "There is no such entry")),
    }
}

/// Hours per project, of everybody.
async fn report(State(ledger): State<Shared>, headers: HeaderMap) -> Result<Response, Refusal> {
    let reader = identity(&headers)?;
    let mut hours: BTreeMap<String, f64> = BTreeMap::new();
    for entry in open(&ledger).entries.values() {
        *hours.entry(entry.work.project.clone()).or_default() += entry.work.hours;
    }
    Ok(Json(json!({ "employee": reader, "hours": hours })).into_response())
}

/// The one identity that the gate set. None, or two, means that the request did not come through the gate.
fn identity(headers: &HeaderMap) -> Result<String, Refusal> {
    let mut values = headers.get_all(IDENTITY).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value.to_owned()),
        _ => Err(Refusal(
            StatusCode::UNAUTHORIZED,
            "The request carries no identity: it did not come through the gate",
        )),
    }
}

/// What the API does not do, with its reason.
#[derive(Debug)]
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        problem(self.0, self.1)
    }
}

/// RFC 9457, as the gate's own refusals.
fn problem(status: StatusCode, title: &str) -> Response {
    let body = json!({ "title": title, "status": status.as_u16() }).to_string();
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, body).into_response()
}

fn open(ledger: &Shared) -> MutexGuard<'_, Ledger> {
    // Every change is a single insert or remove: a thread that panicked left nothing half done.
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
