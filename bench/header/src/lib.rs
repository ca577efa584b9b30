//! The least that a proxy-wasm filter can do with a request: read one header, and let it go on.
//!
//! It speaks the ABI (0.2.1) itself and exports nothing but what it needs, so that Envoy enters the VM once for each request. What a
//! filter costs beyond this line it does itself. Outside of WebAssembly there is nothing of it.

#[cfg(target_family = "wasm")]
mod filter {
    #![allow(unsafe_code)]

    use std::ptr::null_mut;

    /// The name of the header that is read.
    const HEADER: &str = "authorization";

    const REQUEST_HEADERS: u32 = 0;
    const CONTINUE: u32 = 0;

    unsafe extern "C" {
        /// The linker's own: what has to run before anything else.
        fn __wasm_call_ctors();
    }

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn proxy_get_header_map_value(
            map: u32,
            name: *const u8,
            name_size: usize,
            data: *mut *mut u8,
            size: *mut usize,
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

    #[unsafe(no_mangle)]
    extern "C" fn proxy_on_request_headers(_: u32, _: u32, _: u32) -> u32 {
        let (mut data, mut size) = (null_mut(), 0);
        // SAFETY: the host reads a live string, and writes a pointer and a size to live variables.
        let status = unsafe {
            proxy_get_header_map_value(
                REQUEST_HEADERS,
                HEADER.as_ptr(),
                HEADER.len(),
                &raw mut data,
                &raw mut size,
            )
        };
        if status == 0 && !data.is_null() && size > 0 {
            // SAFETY: the host got `data` from `proxy_on_memory_allocate(size)`, which leaked a boxed slice of just that size, and has filled it.
            drop(unsafe { Vec::from_raw_parts(data, size, size) });
        }
        CONTINUE
    }
}
