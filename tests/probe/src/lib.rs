//! Signature vectors, put to the verifiers that the gate uses.
//!
//! A vector signs any octets, and a gate takes nothing but tokens. So a verifier is asked directly, with a key that the
//! gate's own key import has made: [`ask`] gets that key through the core's public door, and no rule is repeated here.
//! In Envoy this is a filter of its own, which no gate loads: it compiles the filter's sources as they are.

mod question;

pub use question::{Question, Vector, Verdicts, ask};

#[cfg(target_family = "wasm")]
mod envoy;

// What the filter's verifier is made of, under the names by which these sources know each other.
#[cfg(target_family = "wasm")]
#[path = "../../../filter/src/counters.rs"]
#[allow(dead_code, reason = "the probe counts signatures alone")]
mod counters;
#[cfg(target_family = "wasm")]
#[path = "../../../filter/src/header_pairs.rs"]
#[allow(dead_code, reason = "the probe reads no header")]
mod header_pairs;
#[cfg(target_family = "wasm")]
#[path = "../../../filter/src/host/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the probe makes few host calls")]
mod host;
#[cfg(target_family = "wasm")]
#[path = "../../../filter/src/known_answers.rs"]
mod known_answers;
#[cfg(target_family = "wasm")]
#[path = "../../../filter/src/verifier.rs"]
mod verifier;
#[cfg(target_family = "wasm")]
#[path = "../../../filter/src/verify_message.rs"]
mod verify_message;
