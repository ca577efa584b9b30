//! What is asked: a key, and signatures that are said to be by it.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_core::{
    Algorithm, Decision, InvalidSignature, KeyAnswer, KeyCache, Policy, PublicKey, Request,
    Timestamp, TokenCache, Verifier, decide,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Signatures of one algorithm, said to be by one key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// Its name in JOSE.
    pub algorithm: String,
    /// The key, as a JSON Web Key.
    pub key: Value,
    /// What is said to be signed, and the signatures.
    pub vectors: Vec<Vector>,
}

/// A message and its signature, both in base64url.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vector {
    message: String,
    signature: String,
}

impl Vector {
    /// From octets.
    pub fn new(message: &[u8], signature: &[u8]) -> Self {
        Self {
            message: URL_SAFE_NO_PAD.encode(message),
            signature: URL_SAFE_NO_PAD.encode(signature),
        }
    }
}

/// Which of the signatures are valid, in their order; nothing when the gate does not do the algorithm, or refuses the key.
pub type Verdicts = Option<Vec<bool>>;

/// Puts every signature to `verifier`, with the key that the gate makes of the JSON Web Key.
///
/// # Errors
/// The question is not one: no object for a key, no base64url.
pub fn ask(question: &Question, verifier: &dyn Verifier) -> Result<Verdicts, String> {
    let Some((algorithm, key)) = imported(question)? else {
        return Ok(None);
    };
    let verdicts = question.vectors.iter().map(|vector| {
        let (message, signature) = (decode(&vector.message)?, decode(&vector.signature)?);
        Ok(verifier
            .verify(algorithm, &key, &message, &signature)
            .is_ok())
    });
    verdicts.collect::<Result<_, String>>().map(Some)
}

/// The policy of a gate that takes one issuer with every algorithm. It is never served.
pub(crate) const POLICY: &str = r#"
version: 1
realm: vectors
issuers:
  vectors:
    issuer: https://vectors.example/
    audiences: [vectors]
    algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]
    jwks_uri: https://vectors.example/keys
routes:
  - { path: /, authenticated: true }
"#;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The key that a gate would verify with, and the algorithm, as it hands them to its verifier.
pub(crate) fn imported(question: &Question) -> Result<Option<(Algorithm, PublicKey)>, String> {
    let policy = Policy::parse(POLICY).map_err(|error| error.to_string())?;
    let (mut keys, mut tokens) = (KeyCache::new(&policy), TokenCache::new(&policy, 0));
    let token = token(question)?;
    let credential = format!("Bearer {token}");
    let fields = [("authorization", credential.as_str())];
    let request = Request::new(b"GET", Some(b"/"), fields);
    let keyhole = Keyhole::default();
    let wanted = decide(&policy, &request, &keys, &mut tokens, &keyhole, NOW);
    let Decision::NeedKeys(wanted) = wanted else {
        return Ok(None);
    };
    let body = json!({ "keys": [question.key] }).to_string();
    let answer = KeyAnswer::of_file(body.into_bytes());
    keys.install(&mut tokens, &wanted.keys, Ok(answer), NOW);
    decide(&policy, &request, &keys, &mut tokens, &keyhole, NOW);
    Ok(keyhole.0.into_inner())
}

/// Keeps the key that it is asked to verify with, and verifies nothing.
#[derive(Default)]
struct Keyhole(RefCell<Option<(Algorithm, PublicKey)>>);

impl Verifier for Keyhole {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.0.replace(Some((algorithm, key.clone())));
        Err(InvalidSignature)
    }
}

/// A token that gets as far as the verifier: all is right with it but its signature, which has the right length only.
fn token(question: &Question) -> Result<String, String> {
    let member = |name: &str| decode(question.key[name].as_str().unwrap_or_default());
    let length = match question.key["kty"].as_str() {
        // The modulus may have the zero octet before it that some libraries leave there.
        Some("RSA") => {
            let modulus = member("n")?;
            modulus.strip_prefix(&[0]).unwrap_or(&modulus).len()
        }
        Some("EC") => member("x")?.len() * 2,
        _ => 64,
    };
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    Ok(format!(
        "{}.{}.{}",
        part(json!({ "alg": question.algorithm })),
        part(
            json!({ "iss": "https://vectors.example/", "aud": "vectors", "exp": NOW.millis() / 1000 + 60 })
        ),
        URL_SAFE_NO_PAD.encode(vec![0; length])
    ))
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| error.to_string())
}
