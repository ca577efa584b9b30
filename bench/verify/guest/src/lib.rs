//! The verifications that are measured: the core's own, as it is shipped, and those of the libraries that others use.
//!
//! The same functions are called natively, and by a host of WebAssembly, so that a difference between two figures is one of
//! where they run, or of who wrote them.

mod case;
#[cfg(target_family = "wasm")]
mod exports;
mod libraries;
mod portable;
mod prepared;

// How a key gets out of the core's import and into a verifier is written there already.
#[path = "../../../../tests/probe/src/question.rs"]
#[allow(dead_code, unreachable_pub, reason = "only the key is asked for")]
mod question;

pub use case::{Case, Signed, member};
pub use prepared::{Order, Prepared, Way, prepare};
