//! Scopegate in Envoy: a proxy-wasm HTTP filter around the pure core.
//!
//! The core decides, this crate acts: it reads the request ([`stream`]), asks the core ([`gate`]), carries the
//! answer out ([`answer`]), and fetches keys through the root context ([`root`]) for the requests that wait for them
//! ([`waiting`]). Envoy enters by [`entry`], and every host call is in [`host`]. The one static is
//! the table of [`contexts`]: what belongs to one policy belongs to the root context that it was configured for, of which one VM
//! may hold several.

mod answer;
mod asked;
mod configuration;
mod contexts;
mod counters;
mod entry;
mod errand;
mod gate;
mod gauges;
mod header_pairs;
mod host;
mod key_call;
mod known_answers;
mod resumption;
mod root;
mod root_mark;
mod sharing;
mod stream;
mod turn;
mod upkeep;
mod verifier;
mod verify_message;
mod waiting;

entry::entry_points!(crate::root::Root);

#[cfg(test)]
mod samples;
