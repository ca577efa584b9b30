//! The worked example of Scopegate: a small timesheets API, and an issuer whose tokens it is guarded with.
//!
//! Both are real servers on loopback ([`server::Server`]), small enough to read: the [`issuer`] signs with keys that it
//! makes at its start, the [`api`] believes the identity header that the gate sets. [`ecds`] writes the file through
//! which Envoy gets the policy.

pub mod api;
pub mod ecds;
pub mod issuer;
pub mod server;
