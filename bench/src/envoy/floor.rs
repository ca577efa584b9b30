//! What a load asks of the host, and nothing else: the least that any filter with the same host calls and entries can cost.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_core::{Algorithm as CoreAlgorithm, ecdsa_signature_der};
use serde_json::Value;

use crate::envoy::setup::{self, Files};
use crate::envoy::workload::Load;
use crate::issuer::{Algorithm, Issuer};

/// A filter that makes the calls of one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// A token that is known.
    Known,
    /// A new token, whose RS256 signature Envoy verifies.
    Rs256,
    /// A new token, whose ES256 signature Envoy verifies.
    Es256,
    /// A refusal.
    Refused,
}

impl Floor {
    pub(crate) const ALL: [Self; 4] = [Self::Known, Self::Rs256, Self::Es256, Self::Refused];

    /// That of a load.
    pub(crate) fn of(load: Load) -> Option<Self> {
        match load {
            Load::Rs256One => Some(Self::Known),
            Load::Rs256Distinct => Some(Self::Rs256),
            Load::Es256Distinct => Some(Self::Es256),
            Load::Refused => Some(Self::Refused),
            Load::Routes1000 | Load::Rs256Zipf | Load::EdDsaDistinct | Load::Ps256Distinct => None,
        }
    }

    /// The name of its listener.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Known => "wasm-floor, known",
            Self::Rs256 => "wasm-floor, RS256",
            Self::Es256 => "wasm-floor, ES256",
            Self::Refused => "wasm-floor, refused",
        }
    }

    /// What it answers everything with.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Known | Self::Rs256 | Self::Es256 => 200,
            Self::Refused => 401,
        }
    }

    pub(crate) fn listener(self, files: &Files, issuer: &Issuer) -> Result<Value> {
        let configuration = match self {
            Self::Known => String::new(),
            Self::Rs256 => format!("verify\n{}", argument(issuer, Algorithm::Rs256)?),
            Self::Es256 => format!("verify\n{}", argument(issuer, Algorithm::Es256)?),
            Self::Refused => "refuse".to_owned(),
        };
        let filter = setup::configured(&files.floor, self.name(), &configuration);
        Ok(setup::open(self.name(), &[filter]))
    }
}

/// The name of the listener that says how long each host call takes.
pub(crate) const CALL_TIMES: &str = "wasm-hostcalls, measured";

/// That listener. The signature that it has verified is one by RS256.
pub(crate) fn call_times(files: &Files, issuer: &Issuer) -> Result<Value> {
    let configuration = format!("measure\n{}", argument(issuer, Algorithm::Rs256)?);
    let filter = setup::configured(&files.hostcalls, CALL_TIMES, &configuration);
    Ok(setup::open(CALL_TIMES, &[filter]))
}

/// The argument of Envoy's `verify_signature` for a good signature of that algorithm, in hexadecimal digits
/// (envoy/source/extensions/common/wasm/ext/verify_signature.proto).
fn argument(issuer: &Issuer, algorithm: Algorithm) -> Result<String> {
    let token = issuer.token(algorithm)?;
    let (text, signature) = token.rsplit_once('.').context("a token has no dot")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    let signature = match algorithm {
        Algorithm::Es256 => ecdsa_signature_der(CoreAlgorithm::Es256, &signature)
            .context("a signature that no key makes")?,
        _ => signature,
    };
    let fields: [&[u8]; 4] = [
        b"sha256",
        &issuer.spki_der(algorithm)?,
        &signature,
        text.as_bytes(),
    ];
    let mut message = Vec::new();
    for (number, field) in (1_u8..).zip(fields) {
        // A field of octets: its number and wire type 2, its length in groups of seven bits, its content.
        message.push(number << 3 | 2);
        let mut length = field.len();
        while length >= 0x80 {
            message.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend(field);
    }
    Ok(message.iter().map(|octet| format!("{octet:02x}")).collect())
}
