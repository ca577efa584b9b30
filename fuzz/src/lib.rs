//! What the core promises whatever the input, and the reader of OpenAPI documents beside it, as functions from an input to nothing or a panic.
//!
//! Each module named like a target has one `check`, which the program of that name in `fuzz_targets/` puts to libFuzzer.
//! All of them go through the core's public door, and compare what it answers with a second, much smaller reading of the
//! same input: [`issuer`] knows what it signed, [`routes`] matches by brute force, [`rsa`] asks another library.
//!
//! Inputs are text wherever they can be, so that seeds and dictionaries can be read and written by hand.

pub mod authorization;
pub mod decide;
pub mod gate;
pub mod issuer;
pub mod jwks;
pub mod metadata;
pub mod openapi;
pub mod path;
pub mod policy;
pub mod record;
pub mod routes;
pub mod rsa;
pub mod token;
