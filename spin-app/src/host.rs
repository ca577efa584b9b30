//! The one place that names what Spin offers: files, variables, clocks, the store, outbound HTTP, and the log.

use std::future::Future;
use std::io::Write;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::{Either, select};
use scopegate_core::{KeyAnswer, Timestamp};
use spin_sdk::http::{IntoRequest, Response};
use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

/// Writes a text into the component's log, each line with the name of the gate. There is nobody to tell when that fails.
pub(crate) fn log(text: &str) {
    for line in text.lines() {
        let _ = writeln!(std::io::stderr(), "scopegate: {line}");
    }
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "read here and nowhere else")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.unwrap_or_default().as_millis();
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// The time since some moment, which nobody sets back.
pub(crate) fn elapsed() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}

/// The text of the policy.
pub(crate) fn policy_text() -> Result<String, String> {
    std::fs::read_to_string("/policy.yaml").map_err(|error| {
        format!("policy: /policy.yaml cannot be read: {error}: mount it by `files` of the manifest")
    })
}

/// What a file says that the application mounts.
pub(crate) fn file(path: &str) -> Option<KeyAnswer> {
    std::fs::read(path).ok().map(KeyAnswer::of_file)
}

/// A variable of the component; `None` when it is not defined, or empty as by a default of the manifest.
pub(crate) async fn variable(name: &str) -> Result<Option<String>, String> {
    use spin_sdk::variables::{Error, get};
    match get(name).await {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(Error::Undefined(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// What comes of it within that time.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(sleep(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Lets that time pass.
pub(crate) async fn sleep(time: Duration) {
    spin_sdk::time::sleep(time).await;
}

/// Goes on with that after the answer has been given.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(work);
}

/// The key-value store.
#[cfg(not(feature = "middleware"))]
pub(crate) async fn store() -> Result<spin_sdk::key_value::Store, spin_sdk::key_value::Error> {
    spin_sdk::key_value::Store::open_default().await
}

/// Sends a request out. Redirects are not followed.
pub(crate) async fn send(request: impl IntoRequest) -> Result<Response, ErrorCode> {
    let answer = spin_sdk::http::send(request).await;
    match &answer {
        Ok(_) => {}
        Err(ErrorCode::HttpRequestDenied) => {
            log("the address is not among the `allowed_outbound_hosts` of the manifest");
        }
        Err(code) => log(&format!("no answer: {code:?}")),
    }
    answer
}

/// Hands a request to the next component of the chain.
#[cfg(feature = "middleware")]
pub(crate) async fn next(request: impl IntoRequest) -> Result<Response, ErrorCode> {
    spin_sdk::http::next(request).await
}

/// The time that a connection may take: ten minutes where nothing is said.
pub(crate) fn connect_timeout(time: Duration) -> RequestOptionsExtension {
    let options = RequestOptions::new();
    // A host without timeouts waits as long as it likes; the component has its own.
    let _ = options.set_connect_timeout(u64::try_from(time.as_nanos()).ok());
    RequestOptionsExtension(options)
}

/// Whether nobody answered in time.
pub(crate) fn is_timeout(code: &ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DnsTimeout
            | ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionReadTimeout
            | ErrorCode::ConnectionWriteTimeout
            | ErrorCode::HttpResponseTimeout
    )
}
