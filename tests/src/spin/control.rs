//! The test host's control interface: what no client of Spin can do. `tests/spin-host/README.md` documents it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http1;

/// Where it listens.
#[derive(Clone, Copy, Debug)]
pub struct Control(SocketAddr);

/// The instances of the component that the first route names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instances {
    /// Since the application started.
    pub started: u64,
    /// Now.
    pub alive: u64,
}

impl Control {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Shifts the wall clock that components see.
    ///
    /// # Errors
    /// It does not do what it is asked, as with all that follow.
    pub fn advance(&self, ms: i64) -> Result<()> {
        self.ask(
            "POST",
            "/clock",
            json!({ "advance_ms": ms }).to_string().as_bytes(),
        )?;
        Ok(())
    }

    /// How many instances there were, and are.
    pub fn instances(&self) -> Result<Instances> {
        let said = self.ask("GET", "/instances", b"")?;
        let number = |name: &str| {
            said[name]
                .as_u64()
                .with_context(|| format!("{name} in {said}"))
        };
        Ok(Instances {
            started: number("started")?,
            alive: number("alive")?,
        })
    }

    /// No instance that exists takes another request.
    pub fn retire(&self) -> Result<()> {
        self.ask("POST", "/instances/retire", b"")?;
        Ok(())
    }

    /// What the operations of the store suffer from now on, as in `{"get": {"error": "text"}}`.
    pub fn store_faults(&self, faults: &Value) -> Result<()> {
        self.ask("POST", "/store/faults", faults.to_string().as_bytes())?;
        Ok(())
    }

    /// What reading a variable suffers from now on.
    pub fn variable_faults(&self, faults: &Value) -> Result<()> {
        self.ask("POST", "/variables/faults", faults.to_string().as_bytes())?;
        Ok(())
    }

    /// What the store of that label holds.
    pub fn store(&self, label: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let said = self.ask("GET", "/store", b"")?;
        let entries = said[label].as_object().into_iter().flatten();
        entries
            .map(|(key, value)| {
                let text = value.as_str().context("a value that is no string")?;
                Ok((key.clone(), STANDARD.decode(text)?))
            })
            .collect()
    }

    /// Puts a value into it.
    pub fn put(&self, label: &str, key: &str, value: &[u8]) -> Result<()> {
        let key: String = key.bytes().map(|octet| format!("%{octet:02x}")).collect();
        self.ask("PUT", &format!("/store/{label}/{key}"), value)?;
        Ok(())
    }

    /// Empties all stores.
    pub fn clear(&self) -> Result<()> {
        self.ask("DELETE", "/store", b"")?;
        Ok(())
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<Value> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.0,
            body.len()
        );
        let answer = http1::exchange(self.0, &[head.as_bytes(), body].concat())?;
        if answer.status != 200 {
            bail!(
                "the control interface answered {} to {method} {path}: {}",
                answer.status,
                answer.text()
            );
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }
}
