//! The host calls themselves. Their statuses are looked at by nobody: a call that failed would be missing in the trace log that is compared.

use std::ptr::null_mut;

/// A header map, in the ABI's number.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum HeaderMap {
    Request = 0,
}

/// A counter's number.
#[derive(Clone, Copy)]
pub(super) struct Metric(u32);

unsafe extern "C" {
    /// The linker's own: what has to run before anything else.
    fn __wasm_call_ctors();
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        limit: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
}

/// Envoy calls it once for each VM. Without it the linker takes the module for a program, of which each entry begins and ends it.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: it is called before anything else is, and once.
    unsafe { __wasm_call_ctors() };
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Where the host puts an answer of that size.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::leak(Box::<[u8]>::new_uninit_slice(size))
        .as_mut_ptr()
        .cast()
}

pub(super) fn header_map_pairs(map: HeaderMap) -> Vec<u8> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a size to live variables.
    let status = unsafe { proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) };
    taken(status, data, size)
}

/// The configuration of that many octets.
pub(super) fn configuration(size: usize) -> Vec<u8> {
    const PLUGIN_CONFIGURATION: u32 = 7;
    let (mut data, mut read) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a size to live variables.
    let status = unsafe {
        proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, &raw mut data, &raw mut read)
    };
    taken(status, data, read)
}

pub(super) fn call_foreign_function(name: &str, arguments: &[u8]) -> Vec<u8> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host reads a live string and a live slice, and writes a pointer and a size to live variables.
    let status = unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            &raw mut data,
            &raw mut size,
        )
    };
    taken(status, data, size)
}

/// What the host has written.
fn taken(status: u32, data: *mut u8, size: usize) -> Vec<u8> {
    if status != 0 || data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: the host got `data` from `proxy_on_memory_allocate(size)`, which leaked a boxed slice of just that size, and has filled it.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

pub(super) fn log_level() {
    let mut level = 0;
    // SAFETY: the host writes one u32 to a live variable.
    let _ = unsafe { proxy_get_log_level(&raw mut level) };
}

/// Answers as the gate answers a request without a token.
pub(super) fn refuse(details: &str) {
    const BODY: &str = "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,\"detail\":\"Missing or invalid token\"}";
    const HEADERS: [(&str, &str); 3] = [
        ("www-authenticate", "Bearer realm=\"timesheets\""),
        ("content-type", "application/problem+json"),
        ("cache-control", "no-store"),
    ];
    answer(401, details, &HEADERS, BODY);
}

/// Answers the request in the upstream's place.
pub(super) fn answer(status: u32, details: &str, fields: &[(&str, &str)], body: &str) {
    let count = u32::try_from(fields.len()).unwrap_or_default();
    let mut headers = count.to_le_bytes().to_vec();
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        headers.extend(u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
    }
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        headers.extend(text.as_bytes());
        headers.push(0);
    }
    // SAFETY: pointers and lengths are those of live strings and one live vector, which the host only reads.
    let _ = unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    };
}

/// In nanoseconds since 1970.
pub(super) fn current_time() -> u64 {
    let mut nanoseconds = 0_u64;
    // SAFETY: the host writes one u64 to a live variable.
    let _ = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    nanoseconds
}

/// The value of a header of the request.
pub(super) fn header(name: &str) -> Vec<u8> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host reads a live string, and writes a pointer and a size to live variables.
    let status = unsafe {
        proxy_get_header_map_value(
            HeaderMap::Request as u32,
            name.as_ptr(),
            name.len(),
            &raw mut data,
            &raw mut size,
        )
    };
    taken(status, data, size)
}

pub(super) fn remove_header(name: &str) {
    // SAFETY: pointer and length are those of a live string, which the host only reads.
    let _ = unsafe {
        proxy_remove_header_map_value(HeaderMap::Request as u32, name.as_ptr(), name.len())
    };
}

pub(super) fn replace_header(name: &str, value: &str) {
    // SAFETY: pointers and lengths are those of live strings, which the host only reads.
    let _ = unsafe {
        proxy_replace_header_map_value(
            HeaderMap::Request as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

pub(super) fn define_counter(name: &str) -> Metric {
    const COUNTER: u32 = 0;
    let mut id = 0;
    // SAFETY: the host reads one live string, and writes one u32 to a live variable.
    let _ = unsafe { proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &raw mut id) };
    Metric(id)
}

pub(super) fn increment(counter: Metric) {
    // SAFETY: numbers are passed, no memory.
    let _ = unsafe { proxy_increment_metric(counter.0, 1) };
}

pub(super) fn set_property(name: &str, value: &str) {
    // SAFETY: pointers and lengths are those of live strings, which the host only reads.
    let _ = unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
}
