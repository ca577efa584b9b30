//! The host calls that the gate makes for a request, and nothing else: no gate behind these calls can be cheaper. By its configuration
//! they are those for a token that it knows, for a new one whose signature Envoy verifies, or for a refusal.
//!
//! **The lists stand in `on_request_headers` below and nowhere else.** They have to be what `filter/src/stream.rs` and
//! `filter/src/answer.rs` do for such a request under the benchmark's policy, call by call, with values of the same length.
//! `cargo xtask bench envoy` compares them in Envoy's trace log before it measures, and says where they differ.
//!
//! With the feature `done` (package `bench-floor`) Envoy enters it as often as it enters the gate.
//!
//! It speaks the ABI (0.2.1) itself and exports nothing but what it needs. Outside of WebAssembly there is nothing of it.

#[cfg(target_family = "wasm")]
mod filter;
