//! Finding an issuer's keys by its metadata: OpenID Connect Discovery 1.0, and RFC 8414 where that is not served.

use std::fmt;

use url::Url;

use crate::json::{InvalidJson, Object, Value};
use crate::key_url::{self, InvalidKeyUrl, PlainHttp};

/// The largest metadata that is read, in bytes. Real issuers' are 2 to 6 KiB.
pub(crate) const MAX_METADATA_BYTES: usize = 64 * 1024;

/// Where the metadata of one issuer is, and what it must say to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discovery {
    /// The `issuer` of the policy, byte for byte.
    issuer: String,
    http: PlainHttp,
    /// Its address, of which scheme, host and port count.
    home: Url,
    /// Where OpenID Connect Discovery 1.0 section 4.1 puts the metadata.
    pub(crate) openid: String,
    /// Where RFC 8414 section 3.1 puts it.
    pub(crate) oauth: String,
}

/// Why an issuer has no metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undiscoverable {
    Url(InvalidKeyUrl),
    /// RFC 8414 section 2: an issuer has no query. With one, nobody could say where its metadata is.
    Query,
}

/// Why a document does not say where an issuer's keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidMetadata {
    /// Larger than 64 KiB.
    TooLarge,
    /// Not one JSON object that everybody reads alike.
    Json(InvalidJson),
    /// Its `issuer` is not the one that was asked, byte for byte (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3):
    /// it could be anybody's.
    Issuer,
    /// No `jwks_uri`, or none that keys would be fetched from.
    KeyUrl,
    /// `jwks_uri` is not at the issuer's own scheme, host and port. A policy may send us elsewhere; metadata may not.
    KeyUrlElsewhere,
}

impl Discovery {
    /// The metadata of that issuer.
    ///
    /// # Errors
    /// Its name is no address, or one whose answers could come from anybody.
    pub(crate) fn of(issuer: &str, http: PlainHttp) -> Result<Self, Undiscoverable> {
        let home = key_url::parse(issuer, http).map_err(Undiscoverable::Url)?;
        if home.query().is_some() {
            return Err(Undiscoverable::Query);
        }
        // Both standards take the last slash away before anything is put behind the path, or before it.
        let path = home.path();
        let path = path.strip_suffix('/').unwrap_or(path).to_owned();
        let at = |path: &str| {
            let mut url = home.clone();
            url.set_path(path);
            String::from(url)
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            http,
            openid: at(&format!("{path}/.well-known/openid-configuration")),
            oauth: at(&format!("/.well-known/oauth-authorization-server{path}")),
            home,
        })
    }

    /// The address of the keys that this document names.
    ///
    /// # Errors
    /// It is not the metadata of this issuer, or names no keys at its own address.
    pub(crate) fn read(&self, body: &[u8]) -> Result<String, InvalidMetadata> {
        if body.len() > MAX_METADATA_BYTES {
            return Err(InvalidMetadata::TooLarge);
        }
        let document = Object::parse(body).map_err(InvalidMetadata::Json)?;
        if document.get("issuer").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(InvalidMetadata::Issuer);
        }
        let named = document.get("jwks_uri").and_then(Value::as_str);
        self.key_url(named.ok_or(InvalidMetadata::KeyUrl)?)
    }

    /// The address as it is fetched, if metadata of this issuer may name it.
    ///
    /// # Errors
    /// It may not.
    pub(crate) fn key_url(&self, named: &str) -> Result<String, InvalidMetadata> {
        let url = key_url::parse(named, self.http).map_err(|_| InvalidMetadata::KeyUrl)?;
        let origin = |url: &Url| {
            (
                url.host_str().map(str::to_owned),
                url.port_or_known_default(),
            )
        };
        if url.scheme() != self.home.scheme() || origin(&url) != origin(&self.home) {
            return Err(InvalidMetadata::KeyUrlElsewhere);
        }
        let url = String::from(url);
        // No metadata is a key set, and no URL is asked for twice in one round.
        match url == self.openid || url == self.oauth {
            true => Err(InvalidMetadata::KeyUrl),
            false => Ok(url),
        }
    }
}

impl fmt::Display for InvalidMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the metadata is larger than {MAX_METADATA_BYTES} bytes"),
            Self::Json(cause) => write!(f, "the metadata cannot be read: {cause}"),
            Self::Issuer => f.write_str("the `issuer` of the metadata is not the policy's"),
            Self::KeyUrl => f.write_str("the metadata has no usable `jwks_uri`"),
            Self::KeyUrlElsewhere => f.write_str(
                "the `jwks_uri` of the metadata is not at the issuer's own address: if that is right, write it into the policy",
            ),
        }
    }
}

impl std::error::Error for InvalidMetadata {}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "https://tenant.example/";

    #[test]
    fn where_metadata_is() {
        for (issuer, openid, oauth) in [
            (
                TENANT,
                "https://tenant.example/.well-known/openid-configuration",
                "https://tenant.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://id.example:8443",
                "https://id.example:8443/.well-known/openid-configuration",
                "https://id.example:8443/.well-known/oauth-authorization-server",
            ),
            (
                "https://id.example/realms/one/",
                "https://id.example/realms/one/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server/realms/one",
            ),
            (
                "http://127.0.0.1:9101/a",
                "http://127.0.0.1:9101/a/.well-known/openid-configuration",
                "http://127.0.0.1:9101/.well-known/oauth-authorization-server/a",
            ),
        ] {
            let discovery = Discovery::of(issuer, PlainHttp::Refused).unwrap();
            assert_eq!(discovery.openid, openid);
            assert_eq!(discovery.oauth, oauth);
        }
    }

    #[test]
    fn an_issuer_that_is_no_address_has_no_metadata() {
        for issuer in [
            "accounts.google.com",
            "http://tenant.example/",
            "https://tenant.example/?tenant=1",
            "https://user@tenant.example/",
            "https://tenant.example/#x",
            "urn:example:issuer",
        ] {
            assert!(
                Discovery::of(issuer, PlainHttp::Refused).is_err(),
                "{issuer}"
            );
        }
        assert!(Discovery::of("http://tenant.example/", PlainHttp::Permitted).is_ok());
    }

    fn check(document: &str, expected: Result<&str, InvalidMetadata>) {
        let read = Discovery::of(TENANT, PlainHttp::Refused)
            .unwrap()
            .read(document.as_bytes());
        assert_eq!(read, expected.map(str::to_owned), "{document}");
    }

    fn naming(key_url: &str) -> String {
        format!(r#"{{"issuer":"{TENANT}","jwks_uri":"{key_url}","x":[1]}}"#)
    }

    #[test]
    fn what_metadata_names() {
        for url in [
            "https://tenant.example/keys?v=1",
            "https://tenant.example/.well-known/jwks.json",
        ] {
            check(&naming(url), Ok(url));
        }
        check(
            &naming("https://TENANT.example:443/keys"),
            Ok("https://tenant.example/keys"),
        );
    }

    #[test]
    fn metadata_that_is_not_this_issuer_s() {
        let good = naming("https://tenant.example/keys");
        for issuer in [
            "https://tenant.example",
            "https://TENANT.example/",
            "https://other.example/",
            "",
        ] {
            check(&good.replace(TENANT, issuer), Err(InvalidMetadata::Issuer));
        }
        check(
            r#"{"jwks_uri":"https://tenant.example/keys"}"#,
            Err(InvalidMetadata::Issuer),
        );
        check(
            r#"{"issuer":["https://tenant.example/"],"jwks_uri":"https://tenant.example/keys"}"#,
            Err(InvalidMetadata::Issuer),
        );
        check(
            &good.replace("\"x\"", "\"issuer\""),
            Err(InvalidMetadata::Json(InvalidJson::DuplicateName)),
        );
        check("<html>", Err(InvalidMetadata::Json(InvalidJson::Syntax)));
        check(
            &good.replace("[1]", &"1".repeat(MAX_METADATA_BYTES)),
            Err(InvalidMetadata::TooLarge),
        );
    }

    #[test]
    fn an_address_has_a_budget() {
        let longest = format!("https://tenant.example/{}", "k".repeat(2_048 - 23));
        check(&naming(&longest), Ok(&longest));
        check(
            &naming(&format!("{longest}k")),
            Err(InvalidMetadata::KeyUrl),
        );
    }

    #[test]
    fn keys_at_another_address_are_not_fetched() {
        for url in [
            "https://other.example/keys",
            "https://tenant.example.evil.example/keys",
            "https://tenant.example:8443/keys",
            "https://sub.tenant.example/keys",
        ] {
            check(&naming(url), Err(InvalidMetadata::KeyUrlElsewhere));
        }
        for url in [
            "",
            "/keys",
            "keys",
            "//tenant.example/keys",
            "http://tenant.example/keys",
            "https://tenant.example@evil.example/keys",
            "https://tenant.example/keys#x",
            "https://tenant.example/.well-known/openid-configuration",
            "https://tenant.example/.well-known/oauth-authorization-server",
            "file:///etc/keys",
        ] {
            check(&naming(url), Err(InvalidMetadata::KeyUrl));
        }
        check(
            &format!(r#"{{"issuer":"{TENANT}"}}"#),
            Err(InvalidMetadata::KeyUrl),
        );
        check(
            &format!(r#"{{"issuer":"{TENANT}","jwks_uri":["https://tenant.example/keys"]}}"#),
            Err(InvalidMetadata::KeyUrl),
        );
    }
}
