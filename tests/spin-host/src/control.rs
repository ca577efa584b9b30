//! The way in for tests: clock, instances, stores, faults.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clock::WallClock;
use crate::fault::{Fault, Faults};
use crate::key_value::Stores;
use crate::server::Server;

/// What a test reaches.
pub(crate) struct Control {
    pub(crate) server: Arc<Server>,
    pub(crate) clock: WallClock,
    pub(crate) stores: Arc<Stores>,
    pub(crate) variables: Arc<Faults>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

impl Control {
    /// Serves for ever.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let control = self.clone();
            let service = service_fn(move |request| control.clone().answer(request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    eprintln!("control: {error}");
                }
            });
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (status, body) = match self.act(request).await {
            Ok(Some(value)) => (StatusCode::OK, value),
            Ok(None) => (StatusCode::NOT_FOUND, json!({"error": "no such thing"})),
            Err(error) => (
                StatusCode::BAD_REQUEST,
                json!({"error": format!("{error:#}")}),
            ),
        };
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = status;
        Ok(response)
    }

    /// Does what a request asks for; `None` where there is no such thing.
    async fn act(&self, request: Request<Incoming>) -> Result<Option<Value>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let path: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
        Ok(Some(match (&parts.method, path.as_slice()) {
            (&Method::POST, ["clock"]) => {
                let by: Advance = serde_json::from_slice(&body)?;
                self.clock.advance(by.advance_ms);
                json!({})
            }
            (&Method::GET, ["instances"]) => self.count_instances()?,
            (&Method::POST, ["instances", "retire"]) => {
                for (_, maker) in self.server.makers() {
                    maker.register.retire();
                }
                json!({})
            }
            (&Method::POST, ["store", "faults"]) => {
                self.stores.faults.change(read_faults(&body)?)?;
                json!({})
            }
            (&Method::POST, ["variables", "faults"]) => {
                self.variables.change(read_faults(&body)?)?;
                json!({})
            }
            (&Method::GET, ["store"]) => self.show_stores(),
            (&Method::PUT, ["store", label, key @ ..]) if !key.is_empty() => {
                let mut stores = self.stores.all();
                let entries = stores.entry(unescape(label)?).or_default();
                entries.insert(unescape(&key.join("/"))?, body.to_vec());
                json!({})
            }
            (&Method::DELETE, ["store"]) => {
                self.stores.all().clear();
                json!({})
            }
            _ => return Ok(None),
        }))
    }

    fn count_instances(&self) -> Result<Value> {
        let mut counts = serde_json::Map::new();
        for (id, maker) in self.server.makers() {
            let (started, alive) = maker.register.count();
            counts.insert(id.to_owned(), json!({"started": started, "alive": alive}));
        }
        let first = counts.get(&self.server.application().first);
        let mut shown = first
            .context("no instances of the first component")?
            .clone();
        if let Value::Object(members) = &mut shown {
            members.insert("components".to_owned(), Value::Object(counts));
        }
        Ok(shown)
    }

    fn show_stores(&self) -> Value {
        let stores = self.stores.all();
        let shown = stores.iter().map(|(label, entries)| {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), Value::String(STANDARD.encode(value))));
            (label.clone(), Value::Object(entries.collect()))
        });
        Value::Object(shown.collect())
    }
}

fn read_faults(body: &[u8]) -> Result<BTreeMap<String, Option<Fault>>> {
    serde_json::from_slice(body).context("faults")
}

/// Takes the percent escapes out of a part of a path, so that a key may hold any character.
fn unescape(text: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits: Vec<u8> = rest.by_ref().take(2).collect();
        let digits = std::str::from_utf8(&digits)?;
        if digits.len() != 2 || digits.starts_with('+') {
            bail!("`{text}`: a bad escape");
        }
        bytes.push(u8::from_str_radix(digits, 16).with_context(|| format!("`{text}`"))?);
    }
    Ok(String::from_utf8(bytes)?)
}
