//! The decision of Scopegate: may this request go on to the upstream?
//!
//! The core answers, the host acts. It does no I/O, has no clock, no randomness, no log and no statics:
//! [`decide`] is a function of the policy, the request, the keys held, the tokens verified before, and the
//! time. What it lacks it names ([`Decision::NeedKeys`]); the host fetches it, hands the outcome to
//! [`KeyCache::install`], and asks the same question again.

mod base64url;

mod base64url;
mod claims;
mod json;
mod jwks;
mod path;
mod policy;
mod request;
mod route;
mod time;
mod token;
mod verify;

pub use jwks::MAX_KEY_SET_BYTES;
pub use policy::{InvalidPolicy, IssuerId, Policy};
pub use request::Request;
pub use time::Timestamp;
pub use verify::{Algorithm, InvalidSignature, Portable, PublicKey, Verifier, ecdsa_signature_der};
