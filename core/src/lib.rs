//! The decision of Scopegate: may this request go on to the upstream?
//!
//! The core answers, the host acts. It does no I/O, has no clock, no randomness, no log and no statics:
//! [`decide`] is a function of the policy, the request, the keys held, the tokens verified before, and the
//! time. What it lacks it names ([`Decision::NeedKeys`]); the host fetches it, hands the outcome to
//! [`KeyCache::install`], and asks the same question again.

mod base64url;
mod claims;
mod clock;
mod credential;
mod decide;
mod decision;
mod deny;
mod discovery;
pub mod explain;
mod fetch;
mod identity;
mod intermediary;
mod json;
mod jwks;
mod key_record;
mod key_url;
mod keys;
mod octets;
pub mod outline;
mod path;
mod policy;
mod reason;
mod request;
mod requirements;
mod route;
pub mod spin;
mod time;
mod token;
mod token_cache;
mod verify;

pub use clock::ClockDrift;
pub use decide::decide;
pub use decision::{Allow, Decision, Deny, Facts, NeedKeys};
pub use deny::{ForwardingFailure, Response};
pub use fetch::{FetchFailure, FetchReport, KeyAnswer};
pub use identity::forbidden_trailers;
pub use intermediary::{Fields, Origin, outgoing_fields, outgoing_trailers, strip_hop_by_hop};
pub use jwks::MAX_KEY_SET_BYTES;
pub use keys::{KeyCache, KeyLocation, KeyRequest, KeyState, KeyStatus};
pub use policy::{InvalidPolicy, IssuerId, PROBLEM_CODES, Policy, Problem, policy_schema};
pub use reason::Reason;
pub use request::Request;
pub use time::Timestamp;
pub use token_cache::{CacheUse, TokenCache};
pub use verify::{Algorithm, InvalidSignature, Portable, PublicKey, Verifier, ecdsa_signature_der};
