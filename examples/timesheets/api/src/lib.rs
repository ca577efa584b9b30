//! The worked example of Scopegate: a small timesheets API, and the issuer whose tokens it is guarded with.
//!
//! [`wish`], [`entry`], [`ledger`] and [`answer`] are the API without a server: from a request to an answer. [`api`] puts them behind a socket
//! of this machine, with the entries in SQLite and the app's files beside; the Spin component in `component/` puts them behind Spin, with
//! the entries in its key-value store. The issuer is that of the command (`scopegate::issuer`), which signs with keys that it
//! makes at its start.

pub mod answer;
pub mod entry;
pub mod ledger;
pub mod wish;

// WebAssembly has no threads to serve from.
#[cfg(not(target_family = "wasm"))]
pub mod api;
#[cfg(not(target_family = "wasm"))]
mod app_files;
#[cfg(not(target_family = "wasm"))]
mod content_security_policy;
#[cfg(unix)]
mod private_file;
#[cfg(unix)]
mod private_socket;
#[cfg(not(target_family = "wasm"))]
mod shared_ledger;
#[cfg(not(target_family = "wasm"))]
mod sqlite_ledger;
