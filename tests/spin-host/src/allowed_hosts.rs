//! `allowed_outbound_hosts`: where a component may send requests.

use std::net::IpAddr;
use std::ops::Range;

use anyhow::{Context as _, Result, bail};
use http::Uri;

/// One entry of `allowed_outbound_hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedHost {
    scheme: Option<String>,
    host: Host,
    ports: Option<Range<u32>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// The application itself: `self`, `self.alt`.
    Itself,
    /// With the dot before it.
    Below(String),
    Network(IpAddr, u8),
    Exactly(String),
}

impl AllowedHost {
    /// Reads `scheme://host[:port]`, with `*` for any scheme, host, port or subdomain, and `80..90` for the ports from 80 to 89.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .with_context(|| format!("`{text}` has no scheme, such as `https://`"))?;
        // A colon inside brackets belongs to an IPv6 address.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.trim_end_matches('/')),
            _ => (rest, ""),
        };
        let scheme = match scheme {
            "*" => None,
            name if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()) => {
                Some(name.to_owned())
            }
            _ => bail!("`{text}`: `{scheme}` is not a scheme"),
        };
        Ok(Self {
            ports: read_ports(port, scheme.as_deref()).with_context(|| format!("`{text}`"))?,
            host: read_host(host).with_context(|| format!("`{text}`"))?,
            scheme,
        })
    }

    /// Whether a request to this absolute address may leave.
    pub(crate) fn allows(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return false;
        };
        let Some(port) = uri.port_u16().or_else(|| default_port(scheme)) else {
            return false;
        };
        self.allows_scheme(scheme)
            && self.host.allows(host)
            && self
                .ports
                .as_ref()
                .is_none_or(|ports| ports.contains(&u32::from(port)))
    }

    /// Whether the application may send a request to itself, whatever its address is.
    pub(crate) fn allows_itself(&self) -> bool {
        (self.allows_scheme("http") || self.allows_scheme("https"))
            && matches!(self.host, Host::Any | Host::Itself)
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme
            .as_deref()
            .is_none_or(|allowed| allowed == scheme)
    }
}

impl Host {
    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Itself => false,
            Self::Below(suffix) => host.ends_with(suffix),
            Self::Network(network, bits) => host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|address| first_bits(address, *bits) == first_bits(*network, *bits)),
            Self::Exactly(name) => name == host,
        }
    }
}

fn read_host(text: &str) -> Result<Host> {
    let text = text.trim();
    if let Some(network) = read_network(text) {
        return Ok(network);
    }
    let name = text.trim_end_matches('/');
    if name.is_empty() || name.contains(['/', '{', '}']) {
        bail!("`{text}` is not a host");
    }
    Ok(match name {
        "*" => Host::Any,
        "self" | "self.alt" => Host::Itself,
        _ => match name.strip_prefix("*.") {
            Some(domain) if !domain.contains('*') => Host::Below(format!(".{domain}")),
            None if !name.contains('*') => Host::Exactly(name.to_owned()),
            _ => bail!("`{text}`: a `*` stands for a whole host or for the subdomains of one"),
        },
    })
}

/// An address, or a network such as `10.0.0.0/8`.
fn read_network(text: &str) -> Option<Host> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) if !bits.is_empty() => (address, Some(bits)),
        Some((address, _)) => (address, None),
        None => (text, None),
    };
    let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= longest)?,
        None => longest,
    };
    Some(Host::Network(address, bits))
}

/// The leading bits of an address, with the length of the whole, so that the two families never compare equal.
fn first_bits(address: IpAddr, bits: u8) -> (bool, u128) {
    let (whole, length) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let dropped = u32::from(length - bits.min(length));
    (
        address.is_ipv4(),
        whole.checked_shr(dropped).unwrap_or_default(),
    )
}

fn read_ports(text: &str, scheme: Option<&str>) -> Result<Option<Range<u32>>> {
    let number = |text: &str| text.parse::<u16>().context("the port is not a number");
    Ok(match text {
        "*" => None,
        "" => {
            let port = scheme
                .and_then(default_port)
                .context("a port is needed, or a scheme that has one by default")?;
            Some(u32::from(port)..u32::from(port) + 1)
        }
        _ => match text.split_once("..") {
            Some((first, end)) => Some(u32::from(number(first)?)..u32::from(number(end)?)),
            None => Some(u32::from(number(text)?)..u32::from(number(text)?) + 1),
        },
    })
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_an_entry_allows() {
        let check = |entry: &str, address: &str, expected: bool| {
            let entry_read = AllowedHost::parse(entry).unwrap();
            let allowed = entry_read.allows(&address.parse().unwrap());
            assert_eq!(allowed, expected, "{entry} for {address}");
        };
        check("https://example.com", "https://example.com/a", true);
        check("https://example.com", "https://example.com:443/a", true);
        check("https://example.com", "https://example.com:444/a", false);
        check("https://example.com", "http://example.com/a", false);
        check("https://example.com/", "https://example.com/", true);
        check("https://example.com", "https://a.example.com/", false);
        check("https://*.example.com", "https://a.b.example.com/", true);
        check("https://*.example.com", "https://example.com/", false);
        check("https://*.example.com", "https://badexample.com/", false);
        check("http://127.0.0.1:*", "http://127.0.0.1:1234/", true);
        check("http://127.0.0.1:80..82", "http://127.0.0.1:81/", true);
        check("http://127.0.0.1:80..82", "http://127.0.0.1:82/", false);
        check("http://10.0.0.0/8:*", "http://10.9.8.7:1/", true);
        check("http://10.0.0.0/8:*", "http://11.9.8.7:1/", false);
        check("http://[::1]:*", "http://[::1]:8080/", true);
        check("http://[::1]", "http://[::1]:8080/", false);
        check("*://*:*", "http://anything:1/", true);
        check("http://*.spin.internal", "http://a.spin.internal/", true);
        check("http://a.spin.internal", "http://b.spin.internal/", false);
        check("http://self", "http://self/", false);
    }

    #[test]
    fn entries_that_are_refused() {
        for bad in [
            "example.com",
            "*",
            "https://example.com/path",
            "https://a.*.com",
            "https://example.com:port",
            "*://example.com",
            "h{t}p://a",
            "http://",
        ] {
            assert!(AllowedHost::parse(bad).is_err(), "{bad}");
        }
    }
}
