//! Where an issuer's keys are: at an address, in its metadata, in a file, or in the policy itself.

use super::yaml::Spanned;
use serde_json::Value;

use super::KeyOrigin;
use super::address;
use super::error::{Explanation, Problems};
use super::file::KeysFile;
use super::setting::non_empty;
use crate::discovery::{Discovery, Undiscoverable};
use crate::jwks::{self, InvalidKeySet, KeySet, OnEmpty, UnusableKey};
use crate::key_url::{InvalidKeyUrl, PlainHttp};

/// What the policy says about it, at most one of the first three.
pub(super) struct WrittenOrigin<'f> {
    pub(super) jwks_uri: Option<Spanned<String>>,
    pub(super) jwks: Option<Spanned<Value>>,
    pub(super) jwks_file: Option<Spanned<String>>,
    pub(super) settings: &'f KeysFile,
}

/// Why keys cannot be found that way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidKeyOrigin {
    /// A second place for the same keys.
    Second,
    /// `jwks` is no key set.
    KeySet(InvalidKeySet),
    /// A key of `jwks` that was meant to serve, and cannot.
    Key(UnusableKey),
    /// A setting about fetches for keys that are never fetched.
    NeverFetched,
    /// The issuer's metadata has no address.
    Undiscoverable(Undiscoverable),
}

/// Where the keys of that issuer are. Its metadata says so where the policy does not.
pub(super) fn key_origin(
    written: WrittenOrigin<'_>,
    issuer: Option<&Spanned<String>>,
    http: PlainHttp,
    problems: &mut Problems<'_>,
) -> Option<KeyOrigin> {
    let WrittenOrigin {
        jwks_uri,
        jwks,
        jwks_file,
        settings,
    } = written;
    let places = [
        jwks_uri.as_ref().map(|text| text.place),
        jwks.as_ref().map(|set| set.place),
        jwks_file.as_ref().map(|text| text.place),
    ];
    let mut second = places.into_iter().flatten().skip(1);
    if let Some(place) = second.next() {
        problems.report(place, InvalidKeyOrigin::Second);
        return None;
    }
    if let Some(address) = jwks_uri {
        return address::jwks_uri(&address, http, problems).map(KeyOrigin::Address);
    }
    if let Some(set) = jwks {
        return inline(&set, settings, problems).map(KeyOrigin::Inline);
    }
    if let Some(path) = jwks_file {
        return non_empty(path, "jwks_file", problems).map(KeyOrigin::File);
    }
    discovered(issuer?, http, problems).map(KeyOrigin::Metadata)
}

/// The keys that stand in the policy. Whoever writes them there means all of them, so that a broken one is an error.
fn inline(
    written: &Spanned<Value>,
    settings: &KeysFile,
    problems: &mut Problems<'_>,
) -> Option<KeySet> {
    let KeysFile {
        ttl,
        max_stale,
        cooldown,
        timeout,
        on_empty,
    } = settings;
    let numbers = [ttl, max_stale, cooldown, timeout].map(|field| field.as_ref());
    let numbers = numbers.into_iter().flatten().map(|field| field.place);
    let mut said = numbers.chain(on_empty.as_ref().map(|field| field.place));
    if let Some(place) = said.next() {
        problems.report(place, InvalidKeyOrigin::NeverFetched);
        return None;
    }
    // Not the text itself, whose quotes and escapes are YAML's.
    let json = written.value.to_string();
    let read = KeySet::parse(json.as_bytes(), OnEmpty::Keep);
    let kind = match read {
        // Whatever that key is for, and whether it could serve.
        _ if jwks::holds_secret(json.as_bytes()) => InvalidKeyOrigin::Key(UnusableKey::Published),
        Err(invalid) => InvalidKeyOrigin::KeySet(invalid),
        Ok(set) => match set.broken_key() {
            None => return Some(set),
            Some(broken) => InvalidKeyOrigin::Key(broken),
        },
    };
    // A private key stays out of the log even now.
    problems.report_unseen(written.place, kind);
    None
}

fn discovered(
    issuer: &Spanned<String>,
    http: PlainHttp,
    problems: &mut Problems<'_>,
) -> Option<Discovery> {
    let refused = match Discovery::of(&issuer.value, http) {
        Ok(discovery) => return Some(discovery),
        Err(refused) => refused,
    };
    let has_password = refused == Undiscoverable::Url(InvalidKeyUrl::UserInfo);
    let kind = InvalidKeyOrigin::Undiscoverable(refused);
    match has_password {
        // A password stays out of the log even now.
        true => problems.report_unseen(issuer.place, kind),
        false => problems.report(issuer.place, kind),
    }
    None
}

impl InvalidKeyOrigin {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::Second => Explanation::new(
                "this issuer's keys are in two places, and it is open which ones count",
                "keep one of `jwks_uri`, `jwks` and `jwks_file`",
            ),
            Self::KeySet(invalid) => Explanation::new(
                format!("no keys can be read here: {invalid}"),
                "write the issuer's JWK set, as in `jwks: { keys: [ { kty: …, kid: …, … } ] }`",
            ),
            Self::Key(UnusableKey::Published) => Explanation::new(
                format!("a key in this set cannot serve: {}", UnusableKey::Published),
                "write its public half alone, and replace the key: a policy is no place for a secret",
            ),
            Self::Key(broken) => Explanation::new(
                format!("a key in this set cannot serve: {broken}"),
                "copy it whole, with its values in quotes, or remove it",
            ),
            Self::NeverFetched => Explanation::new(
                "keys that stand in the policy are never fetched, so that this says nothing",
                "remove it",
            ),
            Self::Undiscoverable(Undiscoverable::Query) => Explanation::new(
                "an issuer with a query has no metadata that could name its keys (RFC 8414 section 2)",
                "write `jwks_uri:` with the address of its keys",
            ),
            Self::Undiscoverable(Undiscoverable::Url(_)) => Explanation::new(
                "this issuer does not say where its keys are, and they cannot be discovered, as its name is no https URL",
                "write `jwks_uri:` with the address of its keys",
            ),
        }
    }
}
