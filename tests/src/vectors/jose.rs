//! The examples of RFC 7515, RFC 7520, RFC 7797 and RFC 8037: whole tokens and keys, which are put to the gate as they are printed.
//!
//! None of them may pass: they sign sentences, or in another serialization, or for an audience that they do not name. What the gate says to
//! each stands in `tests/vectors/jose.yaml`, and so does what its verifier says to the signature alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use vector_probe::{Question, Vector};

/// An example, and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its file, from `tests/vectors`.
    pub file: String,
    /// What the verifier says to each of its signatures.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// Whether the key import takes the key that the file is.
    pub key: Option<Key>,
    /// The reason code for each serialization, sent as a bearer token.
    #[serde(default)]
    pub tokens: BTreeMap<String, String>,
    /// Why anything of it is refused.
    pub reason: Option<String>,
}

/// What a verifier says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// It is the key's.
    Valid,
    /// The gate does not do the algorithm.
    NotDone,
}

/// What the key import says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// It is one to verify with.
    Taken,
    /// It is none.
    PassedOver,
}

/// All examples. Every file has its row.
///
/// # Errors
/// A row that lacks something, or is missing.
pub fn load() -> Result<Vec<Example>> {
    let examples: Vec<Example> =
        serde_saphyr::from_str(&fs::read_to_string(folder().join("jose.yaml"))?)?;
    for example in &examples {
        let is_whole = example.signatures == [Signature::Valid] && example.tokens.is_empty()
            || example.key == Some(Key::Taken);
        ensure!(
            is_whole || example.reason.is_some(),
            "{}: a row needs a reason",
            example.file
        );
    }
    let named: BTreeSet<PathBuf> = examples
        .iter()
        .map(|example| folder().join(&example.file))
        .collect();
    let mut there = BTreeSet::new();
    json_files(&folder(), &mut there)?;
    ensure!(
        named == there,
        "not one row for each file: {:?}",
        named.symmetric_difference(&there)
    );
    Ok(examples)
}

impl Example {
    /// The file's content.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn content(&self) -> Result<Value> {
        let text = fs::read_to_string(folder().join(&self.file))?;
        serde_json::from_str(&text).with_context(|| self.file.clone())
    }

    /// The example as a bearer token, by the name of its serialization.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn serializations(&self) -> Result<BTreeMap<String, String>> {
        let content = self.content()?;
        let output = content["output"].as_object().into_iter().flatten();
        Ok(output
            .map(|(name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), text)
            })
            .collect())
    }

    /// Its signatures, as questions of one vector each.
    ///
    /// # Errors
    /// The file has another shape.
    pub fn questions(&self) -> Result<Vec<Question>> {
        let content = self.content()?;
        let input = &content["input"];
        let (algorithms, keys) = (list(&input["alg"]), list(&input["key"]));
        let signings = match &content["signing"] {
            // RFC 7515 prints the token alone.
            Value::Null => vec![split(&content["output"]["compact"])?],
            signings => list(signings),
        };
        let mut questions = Vec::new();
        for ((algorithm, key), signing) in algorithms.iter().zip(&keys).zip(&signings) {
            let text = |member: &str| {
                signing[member]
                    .as_str()
                    .with_context(|| format!("{}: no {member}", self.file))
            };
            let signature = URL_SAFE_NO_PAD.decode(text("sig")?)?;
            questions.push(Question {
                algorithm: algorithm
                    .as_str()
                    .context("no name of an algorithm")?
                    .to_owned(),
                key: public(key),
                vectors: vec![Vector::new(text("sig-input")?.as_bytes(), &signature)],
            });
        }
        Ok(questions)
    }
}

/// An example with several signatures lists them.
fn list(value: &Value) -> Vec<Value> {
    value
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![value.clone()])
}

fn split(compact: &Value) -> Result<Value> {
    let compact = compact.as_str().context("no compact serialization")?;
    let (input, signature) = compact.rsplit_once('.').context("no signature")?;
    Ok(json!({ "sig-input": input, "sig": signature }))
}

/// The examples print private keys, which the key import refuses: a set that holds one has been read by too many.
fn public(key: &Value) -> Value {
    let mut key = key.clone();
    if let Some(members) = key.as_object_mut() {
        members.retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
    }
    key
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn json_files(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            json_files(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.insert(path);
        }
    }
    Ok(())
}
