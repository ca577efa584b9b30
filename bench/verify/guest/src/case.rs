//! What is verified: a token of one algorithm, and the key that signed it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_core::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A genuine token and its key, as text, so that every host can hand them on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// The algorithm's name in JOSE.
    pub algorithm: String,
    /// The public key, as a JSON Web Key.
    pub key: Map<String, Value>,
    /// The token.
    pub token: String,
    /// When it is good, in milliseconds since 1970: there is no clock in here.
    pub now_ms: u64,
}

/// A token, taken apart as far as each way to verify it wants.
pub struct Signed {
    /// What is signed (the signing input of RFC 7515 section 5.1).
    pub message: Vec<u8>,
    /// The signature; of ECDSA r‖s.
    pub signature: Vec<u8>,
    /// `Authorization` of a request with the token.
    credential: String,
}

impl Signed {
    /// The token of the case.
    ///
    /// # Errors
    /// It is not one.
    pub fn genuine(case: &Case) -> Result<Self, String> {
        let (message, signature) = case.token.rsplit_once('.').ok_or("a token without a dot")?;
        let signature = decode(signature)?;
        Ok(Self::of(message, signature))
    }

    /// The same token with one bit of its signature turned.
    ///
    /// # Errors
    /// The case's token is none.
    pub fn forged(case: &Case) -> Result<Self, String> {
        let Self {
            message,
            mut signature,
            ..
        } = Self::genuine(case)?;
        // In the middle of s, and of no consequence for its size: it is refused for being wrong, and not for being too great.
        let place = signature.len() * 3 / 4;
        *signature.get_mut(place).ok_or("an empty signature")? ^= 1;
        let message = String::from_utf8(message).map_err(|error| error.to_string())?;
        Ok(Self::of(&message, signature))
    }

    fn of(message: &str, signature: Vec<u8>) -> Self {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature));
        Self {
            message: message.as_bytes().to_vec(),
            signature,
            credential: format!("Bearer {token}"),
        }
    }

    /// A request with the token.
    pub(crate) fn request(&self) -> Request<'_> {
        Request::new(b"GET", Some(b"/"), [("authorization", &self.credential)])
    }
}

/// The octets of a member of the case's key.
///
/// # Errors
/// It has no such member.
pub fn member(case: &Case, name: &str) -> Result<Vec<u8>, String> {
    let text = case.key.get(name).and_then(Value::as_str);
    decode(text.ok_or_else(|| format!("the key has no `{name}`"))?)
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| error.to_string())
}
