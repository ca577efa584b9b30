//! What the app's page may load, and where it may send requests (Content Security Policy, level 3).

use std::collections::{BTreeMap, BTreeSet};

use axum::http::HeaderValue;
use serde::Deserialize;
use url::Url;

/// The page is this app alone: no script, style or picture of others, in no frame, with no form that is sent anywhere, and without text that
/// becomes markup.
const RULES: &str = "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
                     require-trusted-types-for 'script'; connect-src 'self'";

/// What config.json says that matters here; the rest is the app's.
#[derive(Deserialize)]
struct Config {
    issuer: String,
    /// An empty address is the page's own origin.
    #[serde(default)]
    apis: BTreeMap<String, String>,
    /// Where the issuer's endpoints are that are not where it is itself.
    #[serde(default)]
    endpoint_origins: Vec<String>,
}

/// Why there is no policy.
#[derive(Debug)]
pub(crate) enum InvalidConfig {
    /// config.json has another shape.
    Shape(serde_json::Error),
    /// It names something that no request can be sent to.
    Address(String),
}

/// The policy for an app with this config.json. Without one it reaches its own origin.
pub(crate) fn of(config: Option<&str>) -> Result<HeaderValue, InvalidConfig> {
    let mut policy = RULES.to_owned();
    if let Some(config) = config {
        for origin in origins(config)? {
            policy.push(' ');
            policy.push_str(&origin);
        }
    }
    HeaderValue::try_from(&policy).map_err(|_| InvalidConfig::Address(policy))
}

fn origins(config: &str) -> Result<BTreeSet<String>, InvalidConfig> {
    let Config {
        issuer,
        apis,
        endpoint_origins,
    } = serde_json::from_str(config).map_err(InvalidConfig::Shape)?;
    let apis = apis.into_values().filter(|address| !address.is_empty());
    std::iter::once(issuer)
        .chain(apis)
        .chain(endpoint_origins)
        .map(|address| origin(&address).ok_or(InvalidConfig::Address(address)))
        .collect()
}

fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let origin = url.origin().ascii_serialization();
    // URLs let a host hold `*`, `;` and `,`, which would permit more here, or begin another rule.
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b":/.-_[]".contains(&octet);
    (matches!(url.scheme(), "http" | "https") && origin.bytes().all(is_plain)).then_some(origin)
}

impl std::fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape(error) => write!(f, "config.json: {error}"),
            Self::Address(address) => {
                write!(
                    f,
                    "config.json: {address:?} is no address with http or https"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows `connect-src 'self'`.
    fn connect(config: &str) -> Result<String, InvalidConfig> {
        let policy = of(Some(config))?;
        let (_, sources) = policy.to_str().unwrap().split_once("'self'; ").unwrap();
        let (_, sources) = sources.split_once("connect-src 'self'").unwrap();
        Ok(sources.trim().to_owned())
    }

    #[test]
    fn the_app_reaches_the_issuer_and_its_apis_alone() {
        for (config, expected) in [
            (
                r#"{"issuer":"http://127.0.0.1:9101/","client_id":"x","apis":{"same-origin":"","two-origins":"http://127.0.0.1:8081"}}"#,
                "http://127.0.0.1:8081 http://127.0.0.1:9101",
            ),
            (
                r#"{"issuer":"https://tenant.eu.auth0.com/","apis":{"same-origin":""}}"#,
                "https://tenant.eu.auth0.com",
            ),
            (
                r#"{"issuer":"https://login.example.com:443/a/b?c"}"#,
                "https://login.example.com",
            ),
            (r#"{"issuer":"http://[::1]:9101/"}"#, "http://[::1]:9101"),
            (
                r#"{"issuer":"https://id.example.com/pool","endpoint_origins":["https://login.example.com"]}"#,
                "https://id.example.com https://login.example.com",
            ),
        ] {
            let found = connect(config);
            assert!(
                matches!(&found, Ok(sources) if sources == expected),
                "{config} {found:?}"
            );
        }
    }

    #[test]
    fn a_config_that_would_open_the_policy_is_refused() {
        for config in [
            "",
            "{}",
            r#"{"issuer":""}"#,
            r#"{"issuer":"*"}"#,
            r#"{"issuer":"data:text/plain,x"}"#,
            r#"{"issuer":"javascript:x"}"#,
            r#"{"issuer":"https://*/"}"#,
            r#"{"issuer":"https://a;script-src"}"#,
            r#"{"issuer":"https://a,b/"}"#,
            r#"{"issuer":"https://a b/"}"#,
            r#"{"issuer":"https://a/","apis":{"x":"/timesheets"}}"#,
            r#"{"issuer":"https://a/","endpoint_origins":["*"]}"#,
            r#"{"issuer":"https://a/","endpoint_origins":[""]}"#,
        ] {
            assert!(of(Some(config)).is_err(), "{config}");
        }
    }

    #[test]
    fn without_a_config_the_app_reaches_its_own_origin() {
        let policy = of(None).unwrap();
        assert!(policy.to_str().unwrap().ends_with("; connect-src 'self'"));
    }
}
