//! The file of a user's own tests: a policy, tokens by name, and requests with what is expected of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest file. Ten thousand tests of a line each fit.
pub(super) const MAX_TESTS_BYTES: usize = 2 * 1024 * 1024;

/// All of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// The policy, seen from the file's folder.
    pub policy: String,
    /// When the requests come: RFC 3339, or seconds since 1970. 15 January 2027, 08:00 UTC, where nothing is said.
    pub at: Option<String>,
    /// Key sets of issuers by their names in the policy, in files seen from this one's folder. An issuer that is not named has a key made for the
    /// run, with which its tokens are signed.
    #[serde(default)]
    pub jwks: BTreeMap<String, String>,
    /// Tokens by name.
    #[serde(default)]
    pub tokens: BTreeMap<String, TokenFile>,
    /// What is asked, and what is expected.
    pub tests: Vec<TestCase>,
}

/// A token: what it says, or a file that holds one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// Its issuer, by its name in the policy; the only one where nothing is said.
    pub issuer: Option<String>,
    /// Its claims, beside `iss`, an audience of the issuer's, `iat` and `exp`, each of which can be named too; null leaves one out.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// Seconds from `at` to `exp`: 3600 where nothing is said, negative for a token that has expired.
    pub expires_in: Option<i64>,
    /// Whether somebody else has signed it.
    #[serde(default)]
    pub forged: bool,
    /// A file with a token as it is, in place of all that.
    pub file: Option<String>,
}

/// One request and what is expected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCase {
    /// What it shows; the request where nothing is said.
    pub name: Option<String>,
    /// `METHOD /path`.
    pub request: String,
    /// Its header fields, but for the credential.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The token, by its name in `tokens`; none where nothing is said.
    pub token: Option<String>,
    /// What is expected.
    pub expect: Expectation,
}

/// What is expected of a request: one word or number, or more of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Expectation {
    /// `allowed`, `refused`, or a reason code.
    Word(String),
    /// The status of a refusal.
    Status(u16),
    /// All that is named.
    All(Expected),
}

/// What is expected, as far as it is named.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Whether it goes on to the upstream.
    pub allowed: Option<bool>,
    /// The status of the refusal.
    pub status: Option<u16>,
    /// The reason code.
    pub reason: Option<String>,
    /// The pattern of the route, as the policy writes it.
    pub route: Option<String>,
    /// Header fields that the upstream gets from the gate.
    #[serde(default)]
    pub upstream: BTreeMap<String, String>,
}

/// A file of tests that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTests(pub String);

impl fmt::Display for InvalidTests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidTests {}

impl TestFile {
    /// Reads the file.
    ///
    /// # Errors
    /// It is none, or it has no tests.
    pub fn parse(text: &str) -> Result<Self, InvalidTests> {
        let file: Self =
            serde_saphyr::from_str(text).map_err(|error| InvalidTests(error.to_string()))?;
        if file.tests.is_empty() {
            return Err(InvalidTests(
                "there are no tests in it: write at least one under `tests:`".into(),
            ));
        }
        Ok(file)
    }
}

impl Expectation {
    /// All that is expected.
    ///
    /// # Errors
    /// A word that is no reason code.
    pub fn expected(&self) -> Result<Expected, InvalidTests> {
        let expected = match self {
            Self::All(expected) => expected.clone(),
            Self::Status(status) => Expected {
                allowed: Some(false),
                status: Some(*status),
                ..Expected::default()
            },
            Self::Word(word) if word == "allowed" || word == "refused" => Expected {
                allowed: Some(word == "allowed"),
                ..Expected::default()
            },
            Self::Word(word) => Expected {
                reason: Some(word.clone()),
                ..Expected::default()
            },
        };
        let known = scopegate_core::Reason::ALL.map(scopegate_core::Reason::code);
        match &expected.reason {
            Some(reason) if !known.contains(&reason.as_str()) => Err(InvalidTests(format!(
                "`{reason}` is neither `allowed` nor `refused`, nor a reason code ({})",
                known.join(", ")
            ))),
            _ => Ok(expected),
        }
    }
}
