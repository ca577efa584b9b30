//! What is Spin's alone: the variables of the component beside the policy, and the fields that Spin adds to a request.
//!
//! It stands here, as what Envoy's filter alone reads does in the policy, so that a command can check what the component will read.

mod fields;
mod settings;

pub use fields::{SpinFields, client_address, strip_spin_fields};
pub use settings::{Forwarded, InvalidSetting, Logged, Upstream};
