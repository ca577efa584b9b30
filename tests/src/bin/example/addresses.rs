//! Where everybody listens, known before anybody does: the app, its authorization server and the gate have to know each other.

use anyhow::{Context, Result, bail};
use e2e::ports::{check_free, free};
use scopegate_core::Policy;

use crate::arguments::Arguments;

/// The ports of loopback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) gate: u16,
    /// The second listener; there is none on Spin.
    pub(crate) two_origins: Option<u16>,
    pub(crate) issuer: u16,
}

impl Addresses {
    /// Those that are asked for, as long as nobody has them.
    pub(crate) fn of(arguments: &Arguments, policy: &str) -> Result<Self> {
        let [gate, two_origins, issuer] = free()?;
        let or_free = |wanted: u16, free: u16| if wanted == 0 { free } else { wanted };
        let named = match arguments.issuer_port {
            Some(port) => port,
            None => local_issuer(policy)?.1,
        };
        let addresses = Self {
            gate: or_free(arguments.port, gate),
            two_origins: arguments
                .two_origins_port
                .map(|port| or_free(port, two_origins)),
            issuer: or_free(named, issuer),
        };
        let mut whose = vec![
            ("the gate", addresses.gate, "--port"),
            (
                "the authorization server",
                addresses.issuer,
                "--issuer-port",
            ),
        ];
        if let Some(port) = addresses.two_origins {
            whose.push(("the second listener", port, "--two-origins-port"));
        }
        while let Some((name, port, flag)) = whose.pop() {
            if let Some((_, _, other)) = whose.iter().find(|(_, known, _)| *known == port) {
                bail!(
                    "port {port} would be both `{other}` and `{flag}`: choose another for one of them"
                );
            }
            check_free(name, port, flag)?;
        }
        Ok(addresses)
    }

    /// The origin of the gate, and of the app.
    pub(crate) fn origin(self) -> String {
        format!("http://127.0.0.1:{}", self.gate)
    }

    /// The origin of the second listener.
    pub(crate) fn second_origin(self) -> Option<String> {
        let port = self.two_origins?;
        Some(format!("http://127.0.0.1:{port}"))
    }

    /// The policy with the authorization server where it is in this run.
    pub(crate) fn in_policy(self, policy: &str) -> Result<String> {
        let (shipped, _) = local_issuer(policy)?;
        Ok(policy.replace(&shipped, &format!("http://127.0.0.1:{}/", self.issuer)))
    }
}

/// The policy's first issuer on loopback, and its port.
fn local_issuer(policy: &str) -> Result<(String, u16)> {
    let read = Policy::parse(policy)?;
    let found = read.issuers().iter().find_map(|issuer| {
        let port = issuer.issuer.strip_prefix("http://127.0.0.1:")?;
        let port = port.strip_suffix('/')?.parse().ok()?;
        Some((issuer.issuer.clone(), port))
    });
    found.context("the policy names no issuer `http://127.0.0.1:PORT/`, which is what the example's authorization server is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_of_the_shipped_policy_moves() {
        let shipped = include_str!("../../../../examples/timesheets/policy.yaml");
        let addresses = Addresses {
            gate: 1,
            two_origins: Some(2),
            issuer: 3,
        };
        // What a comment says counts for nothing.
        let shipped = format!("# not http://127.0.0.1:7/ but\n{shipped}");
        let moved = addresses.in_policy(&shipped).unwrap();
        assert!(moved.contains("issuer: http://127.0.0.1:3/\n"));
        assert!(moved.contains("jwks_uri: http://127.0.0.1:3/.well-known/jwks.json"));
        assert!(!moved.contains("9101"));
        assert!(local_issuer("version: 1\nrealm: t\nroutes: []\n").is_err());
    }
}
