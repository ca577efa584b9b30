//! Histories of keys: an issuer that rotates, fails and recovers, hosts that fetch as the real ones do, clients that send what they like,
//! and a clock that is a number. Small histories are tried exhaustively, long ones at random. What must come out is said twice: by
//! an oracle written from `docs/policy.md` ([`knowledge`]), and by promises that look at nothing but what the issuer did and what
//! the clients got ([`promises`]).

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing
)]

mod essence;
mod host;
mod issuer;
mod knowledge;
mod long;
mod promises;
mod setting;
mod small;
mod step;
#[path = "../support/mod.rs"]
mod support;
mod token;
mod world;
