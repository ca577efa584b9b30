//! The bodies of key sets, as the key servers of all runners serve them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::file::{KeyAnswer, KeyEntry};
use crate::test_key::TestKey;

/// The body of that answer: its own text, else a JSON Web Key Set (RFC 7517 section 5) of its keys.
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
    let mut body = serde_json::to_vec(&json!({ "keys": set }))?;
    if let Some(size) = answer.size {
        body.resize(size, b' ');
    }
    Ok(body)
}

fn jwk(entry: &KeyEntry, keys: &BTreeMap<String, TestKey>) -> Result<Value> {
    let mut jwk = match &entry.key {
        Some(name) => keys
            .get(name)
            .with_context(|| format!("there is no test key {name:?}"))?
            .public_jwk(),
        None => serde_json::Map::new(),
    };
    for (name, value) in &entry.members {
        match value {
            Value::Null => drop(jwk.remove(name)),
            value => drop(jwk.insert(name.clone(), value.clone())),
        }
    }
    Ok(Value::Object(jwk))
}
