//! Makes tokens as the cases describe them, wrong ones above all.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::tamper::{Written, encoded, put, unhex};
use super::template;
use super::token::{Shape, TokenSpec};
use crate::test_key::TestKey;

/// The token of that specification at this time, in milliseconds; `last` is the one before it in the same case.
///
/// # Errors
/// A specification that cannot be met: a case with a mistake, never a token that is merely wrong.
pub fn token(
    spec: &TokenSpec,
    keys: &BTreeMap<String, TestKey>,
    last: Option<&str>,
    now_ms: u64,
) -> Result<String> {
    if spec.again {
        return Ok(last
            .context("`again` in the first token of a case")?
            .to_owned());
    }
    if let Some(raw) = &spec.raw {
        return Ok(raw.clone());
    }
    let name = spec.key.as_deref().context("a token without `key`")?;
    let key = keys
        .get(name)
        .with_context(|| format!("there is no test key {name:?}"))?;
    let mut spec = spec.clone();
    if let Some(name) = &spec.embedded_key {
        let mut jwk = keys
            .get(name)
            .with_context(|| format!("there is no test key {name:?}"))?
            .public_jwk();
        if let Some(kid) = spec.header.get("kid") {
            jwk.insert("kid".to_owned(), kid.clone());
        }
        spec.header.insert("jwk".to_owned(), jwk.into());
    }
    // Signatures of a wanted shape are rare (one in 256): a counter in the claims makes the next one.
    const TRIES: u32 = 100_000;
    for counter in 0..TRIES {
        let parts = Parts::sign(&spec, key, now_ms, spec.signature_shape.map(|_| counter))?;
        let has_shape = match spec.signature_shape {
            None => true,
            Some(shape) => has_shape(key, &parts.signature, shape)?,
        };
        if has_shape {
            let mut written = Written::of(parts.header, parts.claims, &parts.signature);
            for tamper in &spec.tamper {
                written = written.tampered(tamper, key)?;
            }
            return Ok(written.text());
        }
    }
    bail!("no signature of that shape in {TRIES} tokens")
}

fn has_shape(key: &TestKey, signature: &[u8], shape: Shape) -> Result<bool> {
    let first = signature.first().copied().unwrap_or(0);
    Ok(match shape {
        Shape::FirstByteZero => first == 0,
        Shape::FirstBitSet => first >= 0x80,
        Shape::SecondHalfFirstByteZero => signature.get(signature.len() / 2) == Some(&0),
        Shape::SignInBase64 => URL_SAFE_NO_PAD.encode(signature).contains(['-', '_']),
        Shape::RoomForModulus => key.unreduced(signature)?.is_some(),
    })
}

/// A signed token: header and claims encoded, the signature in bytes.
struct Parts {
    header: String,
    claims: String,
    signature: Vec<u8>,
}

impl Parts {
    fn sign(spec: &TokenSpec, key: &TestKey, now_ms: u64, counter: Option<u32>) -> Result<Self> {
        let algorithm = spec.alg.as_deref().unwrap_or(key.usual_algorithm());
        let mut header = header_text(spec, algorithm)?.into_bytes();
        let mut claims = claims_bytes(spec, now_ms, counter)?;
        if let Some(size) = spec.size {
            let signature = URL_SAFE_NO_PAD
                .encode(sign(spec, key, algorithm, b"")?)
                .len();
            fill_up(
                &mut header,
                &mut claims,
                size.checked_sub(signature + 2)
                    .context("`size` is too small")?,
            )?;
        }
        let (header, encoded) = encoded(header, claims, &spec.tamper)?;
        let signature = sign(
            spec,
            key,
            algorithm,
            format!("{header}.{encoded}").as_bytes(),
        )?;
        Ok(Self {
            header,
            claims: encoded,
            signature,
        })
    }
}

fn sign(spec: &TokenSpec, key: &TestKey, algorithm: &str, message: &[u8]) -> Result<Vec<u8>> {
    match spec.mac_with_public {
        Some(form) => key.mac_with_public(form, algorithm, message),
        None if algorithm == "none" => Ok(Vec::new()),
        None => key.sign(algorithm, message),
    }
}

fn header_text(spec: &TokenSpec, algorithm: &str) -> Result<String> {
    if let Some(text) = &spec.header_json {
        return template::fill(text, template::repeated);
    }
    // `PS256 without salt` signs otherwise than it says.
    let named = algorithm.split(' ').next().unwrap_or(algorithm);
    let mut header = Map::new();
    header.insert("alg".to_owned(), named.into());
    header.insert("typ".to_owned(), "JWT".into());
    put(&mut header, &spec.header);
    Ok(serde_json::to_string(&header)?)
}

fn claims_bytes(spec: &TokenSpec, now_ms: u64, counter: Option<u32>) -> Result<Vec<u8>> {
    if let Some(text) = &spec.claims_json {
        return Ok(template::fill(text, |inside| {
            template::time(inside, now_ms).or_else(|| template::repeated(inside))
        })?
        .into_bytes());
    }
    if let Some(digits) = &spec.claims_hex {
        return unhex(digits);
    }
    let mut claims = Map::new();
    put(&mut claims, &spec.claims);
    for name in ["exp", "nbf", "iat"] {
        if let Some(offset) = claims.get(name).and_then(Value::as_f64) {
            let text = template::seconds(offset, now_ms);
            claims.insert(name.to_owned(), serde_json::from_str(&text)?);
        }
    }
    if let Some(counter) = counter {
        claims.insert("counter".to_owned(), counter.into());
    }
    Ok(serde_json::to_vec(&claims)?)
}

/// Fills header and claims up with spaces at the end of their JSON, until both encoded have that length together.
fn fill_up(header: &mut Vec<u8>, claims: &mut Vec<u8>, length: usize) -> Result<()> {
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    // Base64url has no text of 4n + 1 characters: then a byte more in the header makes the difference.
    for _ in 0..3 {
        let rest = length
            .checked_sub(encoded(header.len()))
            .context("`size` is too small")?;
        let bytes = rest * 3 / 4;
        if encoded(bytes) == rest && bytes >= claims.len() {
            claims.resize(bytes, b' ');
            return Ok(());
        }
        header.push(b' ');
    }
    bail!("no token of that size")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(yaml: &str) -> TokenSpec {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn made(yaml: &str) -> String {
        token(
            &spec(yaml),
            &crate::test_key::load().unwrap(),
            None,
            1_000_000,
        )
        .unwrap()
    }

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn times_are_from_now_and_null_takes_a_member_away() {
        let token = made(
            "{ key: p256, header: { typ: null, kid: e1 }, claims: { sub: alice, exp: +300, nbf: -1, iat: 0.5, aud: null } }",
        );
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(
            decoded(parts[0]),
            serde_json::json!({"alg": "ES256", "kid": "e1"})
        );
        assert_eq!(
            decoded(parts[1]),
            serde_json::json!({"sub": "alice", "exp": 1300, "nbf": 999, "iat": 1000.5})
        );
    }

    #[test]
    fn a_size_is_met_exactly_whatever_it_is() {
        for size in 8190..8196 {
            assert_eq!(
                made(&format!(
                    "{{ key: rsa, claims: {{ exp: 1 }}, size: {size} }}"
                ))
                .len(),
                size
            );
        }
    }

    #[test]
    fn what_is_tampered_with_differs_from_what_is_not() {
        let whole = made("{ key: ed25519, claims: { exp: 1 } }");
        for tamper in [
            "flip-signature-bit",
            "pad-signature",
            "trailing-bits-in-signature",
            "two-parts",
            "{ replace-claims: { exp: 2 } }",
            "pad-claims",
            "trailing-bits-in-header",
            "trailing-bits-in-claims",
            "{ insert-into-header: '!' }",
            "{ insert-into-signature: '!' }",
            "prepend-zero",
            "add-order",
            "{ replace-second-half: '0000000000000000000000000000000000000000000000000000000000000000' }",
        ] {
            assert_ne!(
                made(&format!(
                    "{{ key: ed25519, claims: {{ exp: 1 }}, tamper: [ {tamper} ] }}"
                )),
                whole,
                "{tamper}"
            );
        }
    }

    #[test]
    fn a_wanted_shape_is_found() {
        let token =
            made("{ key: p256, claims: { exp: 1 }, signature_shape: second-half-first-byte-zero }");
        let signature = URL_SAFE_NO_PAD
            .decode(token.rsplit('.').next().unwrap())
            .unwrap();
        assert_eq!((signature.len(), signature[32]), (64, 0));
    }
}
