//! The API over real sockets: what a gate finds there.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

mod app;
mod client;
mod database;
mod entries;
mod identity;
mod ports;
mod program;
mod socket;
mod waiting;
