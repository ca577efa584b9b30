//! Runs a Spin application from its own manifest, without the Spin CLI, for tests. `README.md` says what is as in Spin and what is not.

pub mod arguments;
pub mod host;

mod allowed_hosts;
mod application;
mod bindings;
mod clock;
mod connection;
mod control;
mod fault;
mod files;
mod instances;
mod key_value;
mod log;
mod manifest;
mod middleware;
mod outbound;
mod pace;
mod route;
mod server;
mod state;
mod template;
mod variables;

pub use instances::Reuse;
