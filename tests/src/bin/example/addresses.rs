//! Where everybody listens, known before anybody does: the app, its authorization server and the gate have to know each other.

use anyhow::{Context, Result, bail};
use e2e::ports::{check_free, free};

use crate::arguments::{Arguments, Host};

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
            None => local_issuer(policy)?.0,
        };
        let addresses = Self {
            gate: or_free(arguments.port, gate),
            two_origins: (arguments.host == Host::Envoy)
                .then(|| or_free(arguments.two_origins_port, two_origins)),
            issuer: or_free(named, issuer),
        };
        check_free("the gate", addresses.gate, "--port")?;
        check_free(
            "the authorization server",
            addresses.issuer,
            "--issuer-port",
        )?;
        if let Some(port) = addresses.two_origins {
            check_free("the second listener", port, "--two-origins-port")?;
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
        let (_, shipped) = local_issuer(policy)?;
        Ok(policy.replace(shipped, &format!("http://127.0.0.1:{}/", self.issuer)))
    }
}

/// The port and the URL of the policy's issuer on loopback.
fn local_issuer(policy: &str) -> Result<(u16, &str)> {
    const START: &str = "http://127.0.0.1:";
    let from = policy
        .find(START)
        .context("the policy names no issuer `http://127.0.0.1:PORT/`")?;
    let url = policy.get(from..).unwrap_or_default();
    let (port, _) = url
        .get(START.len()..)
        .and_then(|rest| rest.split_once('/'))
        .context("the policy's issuer on loopback has no slash at its end")?;
    let url = url.get(..START.len() + port.len() + 1).unwrap_or_default();
    match port.parse() {
        Ok(port) => Ok((port, url)),
        Err(_) => bail!("the policy's issuer on loopback names no port"),
    }
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
        let moved = addresses.in_policy(shipped).unwrap();
        assert!(moved.contains("issuer: http://127.0.0.1:3/\n"));
        assert!(moved.contains("jwks_uri: http://127.0.0.1:3/.well-known/jwks.json"));
        assert!(!moved.contains("9101"));
        assert!(local_issuer("issuers: {}").is_err());
    }
}
