//! The worked example of Scopegate: a small timesheets API, and an issuer whose tokens it is guarded with.
//!
//! [`wish`], [`ledger`] and [`answer`] are the API without a server: from a request to an answer. [`api`] puts them behind
//! a socket; the Spin component in `component/` puts them behind Spin. The [`issuer`] signs with keys that it makes at its start.
//! Both servers are real ones on loopback ([`server::Server`]), small enough to read. [`ecds`] writes the file through
//! which Envoy gets the policy.

pub mod answer;
pub mod ledger;
pub mod wish;

// WebAssembly has no threads to serve from.
#[cfg(not(target_family = "wasm"))]
pub mod api;
#[cfg(not(target_family = "wasm"))]
pub mod ecds;
#[cfg(not(target_family = "wasm"))]
pub mod issuer;
#[cfg(not(target_family = "wasm"))]
pub mod server;
