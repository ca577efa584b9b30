//! The worked example of Scopegate: a small timesheets API, and the issuer whose tokens it is guarded with.
//!
//! [`wish`], [`ledger`] and [`answer`] are the API without a server: from a request to an answer. [`api`] puts them behind
//! a socket of loopback; the Spin component in `component/` puts them behind Spin. The issuer is that of the command
//! (`scopegate::issuer`), which signs with keys that it makes at its start.

pub mod answer;
pub mod ledger;
pub mod wish;

// WebAssembly has no threads to serve from.
#[cfg(not(target_family = "wasm"))]
pub mod api;
