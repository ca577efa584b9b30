//! The end-to-end side of Scopegate: one corpus of cases, and what its runners need.

pub mod config;
pub mod core_gate;
pub mod corpus;
pub mod cves;
pub mod door;
pub mod envoy;
mod folder;
pub mod gate;
pub mod http1;
pub mod http2;
pub mod judge;
mod keeper;
pub mod key_server;
pub mod native;
pub mod processes;
pub mod runner;
pub mod sample;
pub mod server;
pub mod spin;
pub mod test_key;
pub mod tools;
pub mod upstream;
pub mod upstreams;
pub mod vectors;
mod wire;
