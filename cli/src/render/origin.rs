//! Where a connection goes: scheme, host and port of a URL.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, bail};
use url::{Host, Url};

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Whether the connection is TLS: `https`.
    pub tls: bool,
    /// Whom it reaches.
    pub host: HostName,
    /// The port; that of the scheme if the URL names none.
    pub port: u16,
}

/// A host, by name or by address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostName {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Origin {
    /// That of any http or https URL.
    ///
    /// # Errors
    /// It is none.
    pub fn of(url: &str) -> anyhow::Result<Self> {
        let url = Url::parse(url).with_context(|| format!("`{url}` is not a URL"))?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => bail!("`{url}`: `{other}` is neither http nor https"),
        };
        let host = match url.host() {
            Some(Host::Domain(name)) => HostName::Name(name.to_owned()),
            Some(Host::Ipv4(address)) => HostName::Address(address.into()),
            Some(Host::Ipv6(address)) => HostName::Address(address.into()),
            None => bail!("`{url}` names no host"),
        };
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(Self { tls, host, port })
    }

    /// The scheme of its URLs.
    pub fn scheme(&self) -> &'static str {
        match self.tls {
            true => "https",
            false => "http",
        }
    }

    /// Whether its port is the one of its scheme, which URLs leave out.
    pub fn has_default_port(&self) -> bool {
        self.port == if self.tls { 443 } else { 80 }
    }

    /// Whether it cannot leave the machine.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            HostName::Name(name) => name == "localhost",
            HostName::Address(address) => address.is_loopback(),
        }
    }
}

impl fmt::Display for HostName {
    /// As it stands alone: an IPv6 address without brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => Ipv4Addr::fmt(address, f),
            Self::Address(IpAddr::V6(address)) => Ipv6Addr::fmt(address, f),
        }
    }
}

impl fmt::Display for Origin {
    /// As a URL without a path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme())?;
        match &self.host {
            HostName::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            host => write!(f, "{host}")?,
        }
        match self.has_default_port() {
            true => Ok(()),
            false => write!(f, ":{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_connection_needs() {
        for (url, host, port, shown, loopback) in [
            (
                "https://tenant.eu.auth0.com/",
                "tenant.eu.auth0.com",
                443,
                "https://tenant.eu.auth0.com",
                false,
            ),
            (
                "https://ID.example:443/a?b",
                "id.example",
                443,
                "https://id.example",
                false,
            ),
            (
                "https://id.example:8443/keys",
                "id.example",
                8443,
                "https://id.example:8443",
                false,
            ),
            (
                "http://localhost/keys",
                "localhost",
                80,
                "http://localhost",
                true,
            ),
            (
                "http://127.0.0.1:9101/jwks",
                "127.0.0.1",
                9101,
                "http://127.0.0.1:9101",
                true,
            ),
            (
                "https://192.0.2.7/jwks",
                "192.0.2.7",
                443,
                "https://192.0.2.7",
                false,
            ),
            (
                "https://[2001:DB8::1]:8443/jwks",
                "2001:db8::1",
                8443,
                "https://[2001:db8::1]:8443",
                false,
            ),
            ("http://[::1]/jwks", "::1", 80, "http://[::1]", true),
        ] {
            let origin = Origin::of(url).unwrap();
            assert_eq!(
                (origin.host.to_string().as_str(), origin.port),
                (host, port),
                "{url}"
            );
            assert_eq!(origin.to_string(), shown, "{url}");
            assert_eq!(origin.is_loopback(), loopback, "{url}");
        }
        for url in [
            "",
            "tenant.example",
            "ftp://a.example/",
            "https://",
            "file:///x",
        ] {
            assert!(Origin::of(url).is_err(), "{url}");
        }
    }
}
