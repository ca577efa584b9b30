//! The shape of a case file, as it is written. `tests/README.md` says what each field means.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Deserialize;

use super::key_set::KeySet;
use super::token::TokenSpec;

/// A case file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What the cases of this file have in common; for readers.
    #[serde(rename = "about")]
    pub(super) _about: String,
    pub(super) policy: String,
    #[serde(default)]
    pub(super) policies: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) keys: BTreeMap<String, KeySet>,
    #[serde(default)]
    pub(super) token: TokenSpec,
    pub(super) cases: Vec<Case>,
}

/// A case, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// Why it matters, where the name does not say it; for readers.
    #[serde(rename = "shows")]
    pub(super) _shows: Option<String>,
    /// The documented faults of others of which it shows that they are not here.
    #[serde(default)]
    pub(super) cve: Vec<String>,
    pub(super) policy: Option<String>,
    #[serde(default)]
    pub(super) keys: BTreeMap<String, KeySet>,
    pub(super) request: Option<Request>,
    pub(super) expect: Option<Expect>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    #[serde(default)]
    pub(super) fetches: BTreeMap<String, usize>,
    #[serde(default)]
    pub(super) skip: BTreeMap<String, String>,
}

/// One of several requests of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) wait: Option<String>,
    pub(super) times: Option<usize>,
    #[serde(default)]
    pub(super) keys: BTreeMap<String, KeySet>,
    pub(super) request: Request,
    pub(super) expect: Expect,
}

/// A request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// The path with its query, byte for byte.
    pub path: Option<String>,
    /// The path with its bytes escaped as in a Rust byte string, for what is not UTF-8.
    pub path_bytes: Option<String>,
    /// The headers in this order; `${token}` in a value is the token.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Headers behind those, the bytes of their values escaped as in a Rust byte string, for what is not UTF-8.
    #[serde(default)]
    pub header_bytes: Vec<(String, String)>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// The trailers.
    #[serde(default)]
    pub trailers: Vec<(String, String)>,
    /// The token. Without a `${token}` in the headers it goes into `authorization: Bearer`.
    pub token: Option<TokenSpec>,
}

fn get() -> String {
    "GET".to_owned()
}

impl Request {
    /// What the fields' types alone do not say.
    pub(super) fn check(&self) -> Result<()> {
        if self.path.is_some() && self.path_bytes.is_some() {
            bail!("a request has `path` or `path_bytes`, not both");
        }
        Ok(())
    }

    /// The bytes of the path; nothing for a request without one (CONNECT).
    ///
    /// # Errors
    /// `path_bytes` with a bad escape.
    pub fn path(&self) -> Result<Option<Vec<u8>>> {
        match (&self.path, &self.path_bytes) {
            (Some(path), _) => Ok(Some(path.clone().into_bytes())),
            (None, Some(escaped)) => unescape(escaped).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The headers of `header_bytes`.
    ///
    /// # Errors
    /// A bad escape.
    pub fn header_bytes(&self) -> Result<Vec<(String, Vec<u8>)>> {
        self.header_bytes
            .iter()
            .map(|(name, escaped)| Ok((name.clone(), unescape(escaped)?)))
            .collect()
    }
}

/// `\xNN` and `\\`; every other character is itself.
fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(position) = rest.find('\\') {
        let (before, escape) = rest.split_at(position);
        bytes.extend_from_slice(before.as_bytes());
        if let Some(after) = escape.strip_prefix("\\\\") {
            bytes.push(b'\\');
            rest = after;
        } else if let Some((digits, after)) = escape
            .strip_prefix("\\x")
            .and_then(|digits| digits.split_at_checked(2))
        {
            bytes.push(u8::from_str_radix(digits, 16)?);
            rest = after;
        } else {
            bail!("a bad escape in {text:?}");
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// What a request must get.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status code; 200 when the upstream is reached.
    pub status: Option<u16>,
    /// The one `WWW-Authenticate`, whole. Absent: there is none.
    pub challenge: Option<String>,
    /// The title in the body.
    pub title: Option<String>,
    /// The reason code in logs. Where the upstream is reached: why shadow mode would have refused it.
    pub reason: Option<String>,
    /// The route's pattern in logs.
    pub route: Option<String>,
    /// `Retry-After` lies between these two, in seconds. Absent: there is none.
    pub retry_after: Option<(u64, u64)>,
    /// The gRPC status. `status` then is what plain HTTP would have said.
    pub grpc_status: Option<u8>,
    /// What the upstream saw. Absent: it saw nothing.
    pub upstream: Option<Upstream>,
}

/// What the upstream saw. Method, path and body are those of the request, always.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Headers that are there: the values under such a name are these, in this order, and no others.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Headers that are not there.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Trailers that are there.
    #[serde(default)]
    pub trailers: Vec<(String, String)>,
    /// Trailers that are not there.
    #[serde(default)]
    pub absent_trailers: Vec<String>,
}
