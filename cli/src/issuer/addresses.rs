//! Where the issuer's documents and services are, as a gate and a client reach them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use scopegate_core::Algorithm;
use serde_json::{Value, json};
use url::{Host, Url};

/// The path of the key set.
pub(super) const KEYS: &str = "/.well-known/jwks.json";

/// The path of tokens.
pub(super) const TOKEN: &str = "/token";

/// The path of new keys.
pub(super) const ROTATE: &str = "/rotate";

/// The name of an issuer, and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    /// Its name, the `iss` of its tokens.
    pub(super) issuer: String,
    /// Scheme, host and port, without a slash at the end.
    origin: String,
    /// The host of the origin.
    host: String,
    /// The path of its name, without a slash at the end.
    path: String,
}

impl Addresses {
    /// Those of the issuer of that name, behind that address.
    ///
    /// A name with `http` is an address of its own, and clients may need it (`localhost`, or the name of a container). Any other is a mere
    /// name: `https` is not spoken here.
    pub(super) fn of(issuer: &str, listening: SocketAddr) -> Self {
        let url = Url::parse(issuer).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let own = url.as_ref().filter(|url| {
            url.scheme() == "http" && (is_loopback(url.host()) || !listening.ip().is_loopback())
        });
        let (origin, host) = match own {
            Some(url) => {
                let host = url.host_str().unwrap_or_default().to_owned();
                (url.origin().ascii_serialization(), host)
            }
            None => {
                let reached = reachable(listening);
                (format!("http://{reached}"), reached.ip().to_string())
            }
        };
        let path = url.as_ref().map_or("", |url| url.path());
        Self {
            issuer: issuer.to_owned(),
            origin,
            host,
            path: path.trim_end_matches('/').to_owned(),
        }
    }

    /// The name of an issuer that has none of its own.
    pub(super) fn usual_name(listening: SocketAddr) -> String {
        format!("http://{}/", reachable(listening))
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn keys(&self) -> String {
        format!("{}{KEYS}", self.origin)
    }

    pub(super) fn token(&self) -> String {
        format!("{}{TOKEN}", self.origin)
    }

    /// Whether a policy has to permit plain http for the keys.
    pub(super) fn needs_permission(&self) -> bool {
        let url = Url::parse(&self.origin);
        !url.is_ok_and(|url| is_loopback(url.host()))
    }

    /// Where gates look for the metadata: OpenID Connect Discovery 1.0 section 4.1, and RFC 8414 section 3.1.
    pub(super) fn metadata_paths(&self) -> [String; 2] {
        [
            format!("{}/.well-known/openid-configuration", self.path),
            format!("/.well-known/oauth-authorization-server{}", self.path),
        ]
    }

    /// The members that a resource server and a client of the token endpoint read, and those that RFC 8414 section 2 requires.
    pub(super) fn metadata(&self, algorithms: &[Algorithm], mints: bool) -> Value {
        let algorithms: Vec<&str> = algorithms.iter().map(|one| one.name()).collect();
        let mut metadata = json!({
            "issuer": self.issuer,
            "jwks_uri": self.keys(),
            "id_token_signing_alg_values_supported": algorithms,
            "response_types_supported": [],
            "subject_types_supported": ["public"],
        });
        if let (true, Some(members)) = (mints, metadata.as_object_mut()) {
            members.insert("token_endpoint".into(), json!(self.token()));
            members.insert(
                "grant_types_supported".into(),
                json!(["client_credentials"]),
            );
            members.insert(
                "token_endpoint_auth_methods_supported".into(),
                json!(["none"]),
            );
        }
        metadata
    }
}

/// Whether only this machine reaches it.
pub(super) fn is_loopback(host: Option<Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Who listens everywhere listens here too.
fn reachable(listening: SocketAddr) -> SocketAddr {
    match listening.ip().is_unspecified() {
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listening.port()),
        false => listening,
    }
}

#[cfg(test)]
mod tests {
    use scopegate_core::Policy;
    use scopegate_core::outline::KeySource;

    use super::*;

    fn keys(issuer: &str, listening: &str) -> String {
        Addresses::of(issuer, listening.parse().unwrap()).keys()
    }

    #[test]
    fn the_keys_are_where_they_can_be_fetched() {
        for (issuer, listening, expected) in [
            (
                "http://127.0.0.1:9101/",
                "127.0.0.1:9101",
                "http://127.0.0.1:9101",
            ),
            (
                "http://localhost:9101/a",
                "127.0.0.1:9101",
                "http://localhost:9101",
            ),
            ("http://[::1]:9101", "[::1]:9101", "http://[::1]:9101"),
            // A mere name.
            (
                "https://tenant.example.com/",
                "127.0.0.1:9101",
                "http://127.0.0.1:9101",
            ),
            (
                "http://tenant.example.com/",
                "127.0.0.1:9101",
                "http://127.0.0.1:9101",
            ),
            ("urn:local", "[::1]:9101", "http://[::1]:9101"),
            ("urn:local", "0.0.0.0:9101", "http://127.0.0.1:9101"),
            // A container, as others call it.
            ("http://issuer:9101/", "0.0.0.0:9101", "http://issuer:9101"),
        ] {
            assert_eq!(
                keys(issuer, listening),
                format!("{expected}{KEYS}"),
                "{issuer}"
            );
        }
    }

    #[test]
    fn the_metadata_is_where_the_gate_looks_for_it() {
        for issuer in [
            "http://127.0.0.1:9101",
            "http://127.0.0.1:9101/",
            "http://127.0.0.1:9101/realms/a",
            "http://127.0.0.1:9101/realms/a/",
        ] {
            let text = format!(
                "version: 1\nrealm: r\nissuers: {{ i: {{ issuer: '{issuer}', audiences: [a] }} }}\nroutes: [{{ path: /, authenticated: true }}]\n"
            );
            let policy = Policy::parse(&text).unwrap();
            let KeySource::Metadata { openid, oauth } = policy.issuers()[0].key_source() else {
                panic!("keys without metadata");
            };
            let addresses = Addresses::of(issuer, "127.0.0.1:9101".parse().unwrap());
            let served = addresses.metadata_paths();
            let served = served.map(|path| format!("http://127.0.0.1:9101{path}"));
            assert_eq!(served, [openid, oauth], "{issuer}");
        }
    }
}
