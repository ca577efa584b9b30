//! What the paths do.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::SinkExt as _;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{self, BoxBody, FullBody, HeaderMap, Request, Response, box_body};
use spin_sdk::key_value::{self, Store};
use spin_sdk::wasip3::clocks::{monotonic_clock, system_clock};
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;
use spin_sdk::{http_service, variables};

/// How many requests this instance has taken.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

#[http_service]
async fn handle(request: Request) -> Result<Response<BoxBody>, ErrorCode> {
    let number = REQUESTS.fetch_add(1, Ordering::SeqCst) + 1;
    let path = request.uri().path().to_owned();
    let asked = request.uri().query().unwrap_or_default().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let value = match segments.as_slice() {
        ["instance"] => json!({ "requests": number }),
        ["file"] => outcome(fs::read_to_string(&asked)),
        ["write"] => outcome(fs::write(&asked, "written")),
        ["environment"] => json!(std::env::var(&asked).ok()),
        ["variable"] => outcome(variables::get(&asked).await),
        ["store", label, operation, key] => {
            let value = request.into_body().collect().await?.to_bytes();
            match use_store(label, operation, key, &value).await {
                Ok(value) => json!({ "ok": value }),
                Err(error) => json!({ "error": format!("{error:?}") }),
            }
        }
        ["clock"] => read_clocks(),
        ["log"] => {
            println!("out {asked}");
            eprintln!("err {asked}");
            json!({})
        }
        ["slow"] => {
            spin_sdk::time::sleep(Duration::from_millis(asked.parse().unwrap_or(0))).await;
            json!({ "requests": number })
        }
        ["send"] => match send(request, &asked).await {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                match body.collect().await {
                    Ok(body) => json!({
                        "status": parts.status.as_u16(),
                        "headers": list(&parts.headers),
                        "body": String::from_utf8_lossy(&body.to_bytes()),
                    }),
                    Err(error) => json!({ "body_error": format!("{error:?}") }),
                }
            }
            Err(error) => json!({ "error": format!("{error:?}") }),
        },
        ["forward"] => return Ok(send(request, &asked).await?.map(box_body)),
        ["pause"] => return Ok(Response::new(pause(asked.parse().unwrap_or(0)))),
        ["stream"] => return Ok(Response::new(box_body(request.into_body()))),
        ["fail"] => return Err(ErrorCode::InternalError(Some("asked to fail".to_owned()))),
        ["trap"] => panic!("asked to trap"),
        _ => json!({
            "method": request.method().as_str(),
            "path": request.uri().path_and_query().map(|path| path.as_str()),
            "authority": request.uri().authority().map(|authority| authority.as_str()),
            "headers": list(request.headers()),
        }),
    };
    Ok(Response::new(box_body(FullBody::new(Bytes::from(
        value.to_string(),
    )))))
}

/// A body in two parts, so many milliseconds apart.
fn pause(milliseconds: u64) -> BoxBody {
    let (mut sender, body) = http::body::stream::<String>();
    spin_sdk::wasip3::spawn(async move {
        for (part, wait) in [("one", 0), ("two", milliseconds)] {
            spin_sdk::time::sleep(Duration::from_millis(wait)).await;
            if sender.send(part.to_owned()).await.is_err() {
                break;
            }
        }
    });
    box_body(body)
}

/// Sends the request on to an address. The `x-…-ms` headers set its times.
async fn send(request: Request, address: &str) -> Result<Response, ErrorCode> {
    let (mut parts, body) = request.into_parts();
    // That of the request, where the host lets it be seen: the SDK refuses one that is not the address's.
    parts.headers.remove("host");
    let mut time = |name: &str| {
        let value = parts.headers.remove(name)?;
        let milliseconds: u64 = value.to_str().ok()?.parse().ok()?;
        Some(milliseconds.saturating_mul(1_000_000))
    };
    let options = RequestOptions::new();
    let set = [
        options.set_connect_timeout(time("x-connect-ms")),
        options.set_first_byte_timeout(time("x-first-byte-ms")),
        options.set_between_bytes_timeout(time("x-between-bytes-ms")),
    ];
    if set.iter().any(Result::is_err) {
        return Err(ErrorCode::ConfigurationError);
    }
    parts.extensions.insert(RequestOptionsExtension(options));
    parts.uri = address
        .parse()
        .map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    http::send(Request::from_parts(parts, body)).await
}

async fn use_store(
    label: &str,
    operation: &str,
    key: &str,
    value: &[u8],
) -> Result<Value, key_value::Error> {
    let store = Store::open(label).await?;
    Ok(match operation {
        "get" => {
            let value = store.get(key).await?;
            json!(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
        }
        "set" => json!(store.set(key, value).await?),
        "delete" => json!(store.delete(key).await?),
        "exists" => json!(store.exists(key).await?),
        "keys" => json!(store.get_keys().await.collect().await?),
        _ => return Err(key_value::Error::Other(format!("no {operation}"))),
    })
}

fn read_clocks() -> Value {
    let std = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    json!({
        "wall_0_2": std.as_secs(),
        "wall_0_3": system_clock::now().seconds,
        "monotonic_ms": monotonic_clock::now() / 1_000_000,
    })
}

fn outcome<T: Into<Value>, E: std::fmt::Debug>(result: Result<T, E>) -> Value {
    match result {
        Ok(value) => json!({ "ok": Into::<Value>::into(value) }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}

fn list(headers: &HeaderMap) -> Vec<(String, String)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}
