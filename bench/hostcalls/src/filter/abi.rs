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

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
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

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Where the host puts an answer of that size.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::leak(vec![0; size].into_boxed_slice()).as_mut_ptr()
}

pub(super) fn header_map_pairs(map: HeaderMap) -> Vec<u8> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a size to live variables.
    let status = unsafe { proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) };
    if status != 0 || data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: the host got `data` from `proxy_on_memory_allocate(size)`, which leaked a boxed slice of just that size.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

pub(super) fn current_time() {
    let mut nanoseconds = 0_u64;
    // SAFETY: the host writes one u64 to a live variable.
    let _ = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
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
