//! What the demo wants of a running gate, whatever its host.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

/// A gate with the timesheets API behind it: in Envoy, or on Spin.
pub(crate) trait Gate {
    /// What there is to know about it: a word, and what it is about.
    fn facts(&self) -> Vec<(&'static str, String)>;

    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// A folder that goes when the gate goes.
    fn folder(&self) -> &Path;

    /// How many requests reached the API behind it since it was started.
    fn served(&self) -> u64;

    /// An error when the host has ended by itself.
    fn check_alive(&self) -> Result<()>;

    /// Has it follow another policy, if that is one. What it makes of a policy that it follows already it need not say again.
    fn offer(&mut self, policy: &str) -> Result<Verdict>;
}

/// What the gate made of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// With the gate's own words.
    Refused(Vec<String>),
}
