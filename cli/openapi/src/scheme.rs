//! Security schemes: which of them are bearer tokens, and whose.

use crate::reference;
use crate::tree::Node;

/// Where OpenID Connect Discovery 1.0 section 4 puts the metadata of an issuer.
const METADATA: &str = "/.well-known/openid-configuration";

/// What a security scheme is to a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A bearer token.
    Token {
        /// Its kind, as the document calls it.
        kind: &'static str,
        /// Its issuer, as far as the document says. What ends in a slash in tokens does not here.
        issuer: Option<String>,
        /// An address of the issuer's, for people.
        hint: Option<String>,
        /// Whether the lists in requirements are scopes. Of other schemes they are roles, which no token need hold (OpenAPI 3.1.1 section 4.30).
        has_scopes: bool,
    },
    /// Something that no gate checks, in words.
    Other(String),
}

/// The schemes of a document.
pub(crate) fn schemes(root: &Node) -> Vec<(String, Scheme)> {
    let schemes = root
        .value("components")
        .and_then(|components| components.value("securitySchemes"));
    let schemes = schemes.map_or(&[][..], Node::entries).iter();
    let schemes = schemes.map(|(name, node)| (name.text.clone(), scheme(root, node)));
    schemes.collect()
}

fn scheme(root: &Node, node: &Node) -> Scheme {
    let node = match reference::resolved(root, node) {
        Ok(node) => node,
        Err(why) => return Scheme::Other(format!("a scheme that is not known: {}", why.message())),
    };
    match node.text_of("type") {
        Some("oauth2") => Scheme::Token {
            kind: "oauth2",
            issuer: None,
            hint: oauth_address(node),
            has_scopes: true,
        },
        Some("openIdConnect") => {
            let url = node.text_of("openIdConnectUrl");
            let issuer = url.and_then(|url| url.strip_suffix(METADATA));
            let is_absolute = |issuer: &&str| issuer.contains("://");
            Scheme::Token {
                kind: "openIdConnect",
                issuer: issuer.filter(is_absolute).map(str::to_owned),
                hint: url.map(str::to_owned),
                has_scopes: true,
            }
        }
        Some("http") => http(node.text_of("scheme").unwrap_or_default()),
        Some("apiKey") => Scheme::Other(match node.text_of("in") {
            Some("header") => "an API key in a header".into(),
            Some("query") => "an API key in the query".into(),
            Some("cookie") => "a cookie".into(),
            _ => "an API key".into(),
        }),
        Some("mutualTLS") => Scheme::Other("a client certificate (mutualTLS)".into()),
        Some(kind) => Scheme::Other(format!("a scheme of type `{}`", kind.escape_debug())),
        None => Scheme::Other("a scheme without a type".into()),
    }
}

/// Schemes of HTTP are compared without regard to case (RFC 9110 section 11.1).
fn http(scheme: &str) -> Scheme {
    if scheme.eq_ignore_ascii_case("bearer") {
        return Scheme::Token {
            kind: "http bearer",
            issuer: None,
            hint: None,
            has_scopes: false,
        };
    }
    Scheme::Other(format!(
        "HTTP authentication of scheme `{}`",
        scheme.escape_debug()
    ))
}

fn oauth_address(node: &Node) -> Option<String> {
    let flows = node.value("flows")?.entries();
    flows.iter().find_map(|(_, flow)| {
        let address = flow.text_of("tokenUrl");
        address
            .or_else(|| flow.text_of("authorizationUrl"))
            .map(str::to_owned)
    })
}
