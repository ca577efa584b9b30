//! Where Envoy enters the VM (proxy-wasm ABI 0.2.1).
//!
//! The entry points are our own, and not those of the SDK: Envoy enters the VM for every callback that a module exports, and the
//! SDK exports all there are and panics on what it does not expect. Here are those that the filter needs, and whatever
//! Envoy should say of a context that does not exist refuses the request.

/// Exports the entry points of a filter with that type of root context.
macro_rules! entry_points {
    ($root:ty) => {
        mod entry_points {
            #![allow(unsafe_code)]

            use std::alloc::{Layout, alloc};
            use std::cell::RefCell;

            use $crate::contexts::{Action, Contexts, RootContext as _, StreamContext as _};
            use $crate::host::{self, Level};
            use $crate::root_mark::RootMarks;

            thread_local! {
                /// The ABI hands a number to each callback, and nothing else, so that this is where a VM keeps what they mean.
                static CONTEXTS: RefCell<Contexts<$root>> = const { RefCell::new(Contexts::new()) };
            }

            /// Hands the contexts to a callback, or does what `otherwise` says where one is at work already. Envoy does not
            /// call back while it carries out a host call, other than for memory.
            fn with<T>(otherwise: T, work: impl FnOnce(&mut Contexts<$root>) -> T) -> T {
                CONTEXTS.with(|contexts| match contexts.try_borrow_mut() {
                    Ok(mut contexts) => work(&mut contexts),
                    Err(_) => {
                        host::log(Level::Error, "scopegate: called back within a callback");
                        otherwise
                    }
                })
            }

            #[cfg(target_arch = "wasm32")]
            unsafe extern "C" {
                /// The linker's own: what has to run before anything else.
                fn __wasm_call_ctors();
            }

            /// Envoy calls it once for each VM. A module that names its constructors nowhere is a program to the linker, and each entry begins and
            /// ends it: four calls more for each time that Envoy enters.
            #[cfg(target_arch = "wasm32")]
            #[unsafe(no_mangle)]
            extern "C" fn _initialize() {
                // SAFETY: it is called before anything else is, and once.
                unsafe { __wasm_call_ctors() };
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_abi_version_0_2_1() {}

            /// Where the host puts an answer of that size. `host::take` takes it over.
            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
                match Layout::array::<u8>(size) {
                    // SAFETY: the layout has a size other than zero.
                    Ok(layout) if size > 0 => unsafe { alloc(layout) },
                    _ => std::ptr::null_mut(),
                }
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_configure(context: u32, size: usize) -> u32 {
                let taken = with(Ok(false), |contexts| {
                    contexts.configure(context, size, &RootMarks)
                });
                let taken = taken.map_err(|error| {
                    let line = format!(
                        "scopegate: the filter needs Envoy's functions `expr_create` and `expr_evaluate`: {error}"
                    );
                    host::log(Level::Error, &line);
                });
                u32::from(taken.unwrap_or(false))
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_tick(context: u32) {
                with((), |contexts| {
                    if let Some(root) = contexts.root(context) {
                        root.on_tick();
                    }
                });
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_http_call_response(
                context: u32,
                token: u32,
                headers: usize,
                body_size: usize,
                _trailers: usize,
            ) {
                with((), |contexts| {
                    if let Some(root) = contexts.root(context) {
                        root.on_http_call_response(token, headers, body_size);
                    }
                });
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_headers(context: u32, _: usize, ends: u32) -> u32 {
                let action = with(Ok(None), |contexts| {
                    contexts.request(context, ends != 0, &RootMarks)
                });
                let action = action.unwrap_or_else(|error| {
                    let line = format!("scopegate: a request of an unknown policy: {error}");
                    host::log(Level::Error, &line);
                    None
                });
                // Without a root there is no policy, and nobody who could let it go on.
                action.unwrap_or_else(|| {
                    $crate::answer::deny_unconfigured();
                    Action::Pause
                }) as u32
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_body(context: u32, _: usize, _: u32) -> u32 {
                with(Action::Pause, |contexts| {
                    contexts
                        .stream(context)
                        .map_or(Action::Pause, |stream| stream.on_request_body())
                }) as u32
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_trailers(context: u32, _: usize) -> u32 {
                with(Action::Pause, |contexts| {
                    contexts
                        .stream(context)
                        .map_or(Action::Pause, |stream| stream.on_request_trailers())
                }) as u32
            }

            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_done(context: u32) -> u32 {
                with((), |contexts| contexts.end(context));
                // Nothing is left to do: Envoy may delete it.
                1
            }
        }
    };
}

pub(crate) use entry_points;
