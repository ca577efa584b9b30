//! The host calls that the gate makes for an allowed request with a token that it knows, and nothing else: no gate behind these calls
//! can be cheaper.
//!
//! **The list stands in `on_request_headers` below and nowhere else.** It has to be what `filter/src/stream.rs` and
//! `filter/src/answer.rs` do for such a request under the benchmark's policy, call by call, with values of the same length.
//! `cargo xtask bench envoy` compares the two in Envoy's trace log before it measures, and says where they differ.
//!
//! It speaks the ABI (0.2.1) itself and exports nothing but what it needs. Outside of WebAssembly there is nothing of it.

#[cfg(target_family = "wasm")]
mod filter;
