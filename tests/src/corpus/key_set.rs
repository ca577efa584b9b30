//! What an issuer publishes, as a case says it: its keys, and the metadata that lead to them.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::tamper::put;
use crate::test_key::TestKey;

/// What the key server has under one name, each of it as one answer for good or one after the other (the last one stays).
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "Map<String, Value>")]
pub struct KeySet {
    /// The answers with keys; never empty.
    pub answers: Vec<KeyAnswer>,
    /// The answers with metadata of OpenID Connect Discovery 1.0 section 4. Right ones where the case says nothing.
    pub metadata: Vec<KeyAnswer>,
    /// The answers with metadata of RFC 8414 section 3. Where the case says nothing, there are none: 404.
    pub oauth_metadata: Vec<KeyAnswer>,
}

impl TryFrom<Map<String, Value>> for KeySet {
    type Error = anyhow::Error;

    fn try_from(mut written: Map<String, Value>) -> Result<Self> {
        let metadata = written.remove("metadata");
        let oauth_metadata = written.remove("oauth_metadata");
        let right = KeyAnswer::default();
        let nothing = KeyAnswer {
            status: Some(404),
            ..KeyAnswer::default()
        };
        if written.is_empty() {
            bail!("a key set has either `answers` or the fields of one answer");
        }
        let set = Self {
            answers: answers(written.into())?,
            metadata: metadata.map_or(Ok(vec![right]), answers)?,
            oauth_metadata: oauth_metadata.map_or(Ok(vec![nothing]), answers)?,
        };
        if set.answers.iter().any(|answer| answer.members.is_some()) {
            bail!("`members` are those of metadata");
        }
        let mut metadata = set.metadata.iter().chain(&set.oauth_metadata);
        if metadata.any(|answer| answer.keys.is_some()) {
            bail!("`keys` are those of a key set");
        }
        Ok(set)
    }
}

/// `answers`, or the fields of the one answer.
fn answers(written: Value) -> Result<Vec<KeyAnswer>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Several {
        answers: Vec<KeyAnswer>,
    }
    let answers = match written.get("answers") {
        Some(_) => serde_json::from_value::<Several>(written)?.answers,
        None => vec![serde_json::from_value(written)?],
    };
    if answers.is_empty() {
        bail!("`answers` is empty");
    }
    Ok(answers)
}

/// One answer of the key server.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct KeyAnswer {
    /// The keys of the set.
    pub keys: Option<Vec<KeyEntry>>,
    /// The metadata's members, over right ones; `null` takes one away.
    pub members: Option<Map<String, Value>>,
    /// The body as it is, instead of keys or members.
    pub body: Option<String>,
    /// The status code; 200 when absent.
    pub status: Option<u16>,
    /// The `cache-control` header.
    pub cache_control: Option<String>,
    /// The `date` header, in seconds from now.
    pub date: Option<i64>,
    /// The `age` header.
    pub age: Option<String>,
    /// The body is filled up to this many bytes with spaces, which JSON ignores.
    pub size: Option<usize>,
    /// How it fails instead of answering.
    pub fail: Option<Fail>,
}

/// How a key server can fail.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Fail {
    /// Nothing listens there.
    Refused,
    /// The connection stands, and no answer comes.
    Hung,
    /// The body comes an octet at a time, and takes longer than anybody waits.
    Slow,
    /// The connection closes in the middle of the body.
    Truncated,
    /// A body of 40 MiB.
    Oversized,
    /// A redirect to a place with the right keys.
    Redirect,
}

/// One key of a set. What is neither `key` nor known here is a member of the JSON Web Key.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct KeyEntry {
    /// The test key whose public half it is.
    pub key: Option<String>,
    /// Further members; `null` takes one away.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl KeySet {
    /// Whether every question gets the same good answer.
    pub fn is_steady(&self) -> bool {
        let is_good = |answer: &KeyAnswer| {
            let is_whole = answer.body.is_none() && answer.status.is_none();
            is_whole && answer.fail.is_none()
        };
        let has_keys = |answer: &KeyAnswer| answer.keys.is_some() && answer.fail.is_none();
        matches!(self.answers.as_slice(), [one] if has_keys(one))
            && matches!(self.metadata.as_slice(), [one] if is_good(one))
            && self.oauth_metadata.len() == 1
    }

    /// Whether nobody listens where a gate asks first, which is for metadata where it must discover the keys.
    pub fn is_refused(&self, is_discovered: bool) -> bool {
        let first = match is_discovered {
            true => self.metadata.first(),
            false => self.answers.first(),
        };
        first.is_some_and(|answer| answer.fail == Some(Fail::Refused))
    }
}

impl KeyAnswer {
    /// Its header fields, those of the content itself apart, at this time in milliseconds.
    pub fn fields(&self, now_ms: u64) -> Vec<(&'static str, String)> {
        let fields = [
            ("cache-control", self.cache_control.clone()),
            ("date", self.date(now_ms)),
            ("age", self.age.clone()),
        ];
        let said = |(name, value): (&'static str, Option<String>)| Some((name, value?));
        fields.into_iter().filter_map(said).collect()
    }

    /// RFC 9110 section 6.6.1.
    fn date(&self, now_ms: u64) -> Option<String> {
        let now = i64::try_from(now_ms / 1000).ok()?;
        let seconds = u64::try_from(now.checked_add(self.date?)?).ok()?;
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        Some(httpdate::fmt_http_date(time))
    }

    /// The body filled up to `size`.
    pub(super) fn filled_up(&self, mut body: Vec<u8>) -> Vec<u8> {
        if let Some(size) = self.size {
            body.resize(size, b' ');
        }
        body
    }
}

/// The body of an answer with keys: its own text, else a JSON Web Key Set (RFC 7517 section 5) of its keys.
///
/// # Errors
/// A key that is not among the test keys.
pub fn body(answer: &KeyAnswer, keys: &BTreeMap<String, TestKey>) -> Result<Vec<u8>> {
    if let Some(body) = &answer.body {
        return Ok(body.clone().into_bytes());
    }
    let set: Vec<Value> = answer
        .keys
        .iter()
        .flatten()
        .map(|entry| jwk(entry, keys))
        .collect::<Result<_>>()?;
    Ok(answer.filled_up(serde_json::to_vec(&json!({ "keys": set }))?))
}

fn jwk(entry: &KeyEntry, keys: &BTreeMap<String, TestKey>) -> Result<Value> {
    let mut jwk = match &entry.key {
        Some(name) => keys
            .get(name)
            .with_context(|| format!("there is no test key {name:?}"))?
            .public_jwk(),
        None => Map::new(),
    };
    put(&mut jwk, &entry.members);
    Ok(Value::Object(jwk))
}
