//! The one place that names Envoy's host calls (proxy-wasm ABI 0.2.1). Unsafe code is here and at the entry points alone.
//!
//! The wrappers of the proxy-wasm SDK panic on a status they did not foresee, and its imports return an enum, so that an
//! unforeseen status would be undefined behaviour. Here every status is a number and every failure a
//! [`HostError`]: what a caller does with it is written where it matters, and it is never a panic.
#![allow(unsafe_code)]

mod metric;
mod shared_data;

use std::borrow::Cow;
use std::fmt;
use std::ptr::{null, null_mut};
use std::time::Duration;

use scopegate_core::Timestamp;

use crate::header_pairs::{self, HeaderPairs};

pub(crate) use metric::{Counter, Gauge, add, define_counter, define_gauge, increment, record};
pub(crate) use shared_data::{Version, shared, swap_shared};

/// A host call that failed, with the status the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostError {
    pub(crate) call: &'static str,
    pub(crate) status: u32,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "host call {} failed with status {}",
            self.call, self.status
        )
    }
}

impl HostError {
    /// A call that the host answered with something that the ABI does not allow (its `ParseFailure`).
    pub(crate) const fn malformed(call: &'static str) -> Self {
        Self { call, status: 4 }
    }
}

/// How important a log line is, in the ABI's numbers.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Level {
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// The header maps that the filter reads and changes, in the ABI's numbers.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum HeaderMap {
    Request = 0,
    RequestTrailers = 1,
    CallResponse = 6,
}

/// The buffers that the filter reads, in the ABI's numbers.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Buffer {
    CallResponseBody = 4,
    PluginConfiguration = 7,
}

/// Writes a line into Envoy's log. There is nobody to tell when that fails.
pub(crate) fn log(level: Level, line: &str) {
    // SAFETY: pointer and length are those of one live string, which the host only reads.
    let _ = unsafe { abi::proxy_log(level as u32, line.as_ptr(), line.len()) };
}

/// Whether Envoy's log takes lines of that level now; it can be changed while Envoy runs.
pub(crate) fn logs(level: Level) -> bool {
    let mut lowest = u32::MAX;
    // SAFETY: the host writes one u32 to a live variable.
    let status = unsafe { abi::proxy_get_log_level(&raw mut lowest) };
    status == 0 && lowest <= level as u32
}

/// The wall clock.
pub(crate) fn now() -> Result<Timestamp, HostError> {
    let mut nanoseconds = 0_u64;
    // SAFETY: the host writes one u64 to a live variable.
    let status = unsafe { abi::proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    done("get_current_time", status)?;
    Ok(Timestamp::from_millis(nanoseconds / 1_000_000))
}

/// Calls the effective root context every `milliseconds`; zero stops that.
pub(crate) fn set_tick_period(milliseconds: u32) -> Result<(), HostError> {
    // SAFETY: a number is passed, no memory.
    let status = unsafe { abi::proxy_set_tick_period_milliseconds(milliseconds) };
    done("set_tick_period", status)
}

/// Makes the host calls that follow act for that context. An error means that it is gone.
pub(crate) fn set_effective_context(context: u32) -> Result<(), HostError> {
    // SAFETY: a number is passed, no memory.
    let status = unsafe { abi::proxy_set_effective_context(context) };
    done("set_effective_context", status)
}

/// All fields of a header map.
pub(crate) fn fields(map: HeaderMap) -> Result<HeaderPairs, HostError> {
    let fields = HeaderPairs::parse(serialized_fields(map)?);
    fields.ok_or(HostError::malformed("get_header_map_pairs"))
}

/// All fields of a header map, in the ABI's serialisation, which nobody has looked at yet.
pub(crate) fn serialized_fields(map: HeaderMap) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a size to live variables.
    let status =
        unsafe { abi::proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) };
    done("get_header_map_pairs", status)?;
    Ok(take(data, size))
}

/// Removes every field of that name.
pub(crate) fn remove_field(map: HeaderMap, name: &[u8]) -> Result<(), HostError> {
    // SAFETY: pointer and length are those of one live slice, which the host only reads.
    let status =
        unsafe { abi::proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) };
    done("remove_header_map_value", status)
}

/// Sets the one field of that name.
pub(crate) fn set_field(map: HeaderMap, name: &str, value: &str) -> Result<(), HostError> {
    // SAFETY: pointers and lengths are those of live strings, which the host only reads.
    let status = unsafe {
        abi::proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    done("replace_header_map_value", status)
}

/// At most `limit` octets from the start of a buffer.
pub(crate) fn buffer(buffer: Buffer, limit: usize) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a size to live variables.
    let status = unsafe {
        abi::proxy_get_buffer_bytes(buffer as u32, 0, limit, &raw mut data, &raw mut size)
    };
    done("get_buffer_bytes", status)?;
    Ok(take(data, size))
}

/// Answers the request in the upstream's place. `details` is what `%RESPONSE_CODE_DETAILS%` shows.
pub(crate) fn send_local_response(
    status: u16,
    details: &str,
    headers: &[(&str, Cow<'_, str>)],
    body: &str,
    grpc_status: Option<u8>,
) -> Result<(), HostError> {
    let headers =
        header_pairs::serialize(headers).ok_or(HostError::malformed("send_local_response"))?;
    // SAFETY: pointers and lengths are those of live strings and one live vector, which the host only reads.
    let status = unsafe {
        abi::proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status.map_or(-1, i32::from),
        )
    };
    done("send_local_response", status)
}

/// Lets a paused request go on.
pub(crate) fn resume_request() -> Result<(), HostError> {
    const HTTP_REQUEST: u32 = 0;
    // SAFETY: a number is passed, no memory.
    let status = unsafe { abi::proxy_continue_stream(HTTP_REQUEST) };
    done("continue_stream", status)
}

/// Sends a GET to a cluster; the answer comes to the calling context under the returned token.
///
/// A call of a request's context dies with its client, so only the root context may do this.
pub(crate) fn dispatch_get(
    cluster: &str,
    headers: &[(&str, &str)],
    timeout: Duration,
) -> Result<u32, HostError> {
    const CALL: &str = "http_call";
    let malformed = || HostError::malformed(CALL);
    let headers = header_pairs::serialize(headers).ok_or_else(malformed)?;
    let trailers = header_pairs::serialize::<&str>(&[]).ok_or_else(malformed)?;
    let timeout = u32::try_from(timeout.as_millis()).map_err(|_| malformed())?;
    let mut token = 0;
    // SAFETY: pointers and lengths are those of one live string and two live vectors, which the host only reads, and of no
    // content; the host writes one u32 to a live variable.
    let status = unsafe {
        abi::proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            null(),
            0,
            trailers.as_ptr(),
            trailers.len(),
            timeout,
            &raw mut token,
        )
    };
    done(CALL, status)?;
    Ok(token)
}

/// Leaves a value for access logs: `%FILTER_STATE(wasm.NAME:PLAIN)%`.
pub(crate) fn set_property(name: &str, value: &str) -> Result<(), HostError> {
    // SAFETY: pointers and lengths are those of live strings, which the host only reads.
    let status =
        unsafe { abi::proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    done("set_property", status)
}

/// Calls one of the functions that Envoy adds to the ABI.
pub(crate) fn call_foreign_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host reads a live string and a live slice, and writes a pointer and a size to live variables.
    let status = unsafe {
        abi::proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            &raw mut data,
            &raw mut size,
        )
    };
    // Taken over before the status is looked at: an answer that comes with a failure is freed as well.
    let answer = take(data, size);
    done("call_foreign_function", status)?;
    Ok(answer)
}

fn done(call: &'static str, status: u32) -> Result<(), HostError> {
    match status {
        0 => Ok(()),
        status => Err(HostError { call, status }),
    }
}

/// Takes over the memory that the host left an answer in, so that it is freed once.
fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: by the ABI the host got `data` from this module's `proxy_on_memory_allocate(size)` and filled it. That
    // function allocates exactly `size` octets, which is the layout of this vector, and the host hands each answer over to
    // one call, which takes it here and nowhere else.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

/// Declares the imports. Outside WebAssembly there is no host: there every call answers as a host that does not know
/// it, so that the crate links for its unit tests, and that tests can show what a failing host leads to.
macro_rules! imports {
    ($(fn $name:ident($($argument:ident: $kind:ty),*);)*) => {
        #[cfg(target_arch = "wasm32")]
        mod abi {
            #[link(wasm_import_module = "env")]
            unsafe extern "C" {
                $(pub(super) fn $name($($argument: $kind),*) -> u32;)*
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        mod abi {
            const UNIMPLEMENTED: u32 = 12;
            $(#[allow(clippy::too_many_arguments)] // The ABI's, as in the block above.
            pub(super) unsafe fn $name($(_: $kind),*) -> u32 {
                UNIMPLEMENTED
            })*
        }
    };
}

imports! {
    fn proxy_log(level: u32, message: *const u8, size: usize);
    fn proxy_get_log_level(level: *mut u32);
    fn proxy_get_current_time_nanoseconds(time: *mut u64);
    fn proxy_set_tick_period_milliseconds(period: u32);
    fn proxy_set_effective_context(context: u32);
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize);
    fn proxy_remove_header_map_value(map: u32, name: *const u8, size: usize);
    fn proxy_replace_header_map_value(
        map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize
    );
    fn proxy_get_buffer_bytes(
        buffer: u32, start: usize, limit: usize, data: *mut *mut u8, size: *mut usize
    );
    fn proxy_send_local_response(
        status: u32, details: *const u8, details_size: usize, body: *const u8, body_size: usize,
        headers: *const u8, headers_size: usize, grpc_status: i32
    );
    fn proxy_continue_stream(stream: u32);
    fn proxy_http_call(
        cluster: *const u8, cluster_size: usize, headers: *const u8, headers_size: usize,
        body: *const u8, body_size: usize, trailers: *const u8, trailers_size: usize,
        timeout: u32, token: *mut u32
    );
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize);
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32);
    fn proxy_increment_metric(id: u32, offset: i64);
    fn proxy_record_metric(id: u32, value: u64);
    fn proxy_get_shared_data(
        key: *const u8, key_size: usize, data: *mut *mut u8, size: *mut usize, cas: *mut u32
    );
    fn proxy_set_shared_data(
        key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32
    );
    fn proxy_call_foreign_function(
        name: *const u8, name_size: usize, arguments: *const u8, arguments_size: usize,
        data: *mut *mut u8, size: *mut usize
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_over_once_and_whole() {
        // As `proxy_on_memory_allocate` hands it out.
        let leaked = Box::leak(b"answer".to_vec().into_boxed_slice());
        assert_eq!(take(leaked.as_mut_ptr(), leaked.len()), b"answer");
        assert_eq!(take(null_mut(), 0), b"");
    }

    #[test]
    fn an_unforeseen_status_is_an_error() {
        let error = done("http_call", 4_242).map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("host call http_call failed with status 4242".to_owned())
        );
        assert_eq!(now().map_err(|error| error.status), Err(12));
    }
}
