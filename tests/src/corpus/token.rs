//! How a case describes a token. `tests/README.md` says what each field means.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::template;
use crate::test_key::PublicForm;

/// How a token is made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// The text itself, made of nothing.
    pub raw: Option<String>,
    /// The token of the step before, byte for byte.
    #[serde(default)]
    pub again: bool,
    /// The test key that signs.
    pub key: Option<String>,
    /// The algorithm that signs, and that the header names unless `header` says otherwise.
    pub alg: Option<String>,
    /// Header members, over `alg` and `typ: JWT`; `null` takes one away.
    #[serde(default)]
    pub header: Map<String, Value>,
    /// The header's `jwk` is the public half of this test key, its `kid` the header's.
    pub embedded_key: Option<String>,
    /// Claims; `null` takes one away. A number under `exp`, `nbf` or `iat` is in seconds from now.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// The header's JSON text as it is.
    pub header_json: Option<String>,
    /// The claims' JSON text; `${now}`, `${now+300}` are filled in.
    pub claims_json: Option<String>,
    /// The claims' bytes in hexadecimal, for what is not UTF-8.
    pub claims_hex: Option<String>,
    /// The signature is an HMAC, of `alg` or else with SHA-256, keyed with the public key in this form.
    pub mac_with_public: Option<PublicForm>,
    /// Tokens are made until the signature has this shape.
    pub signature_shape: Option<Shape>,
    /// What is done to it, in this order.
    #[serde(default)]
    pub tamper: Vec<Tamper>,
    /// The claim `padding` is filled until the whole token has this many bytes.
    pub size: Option<usize>,
}

impl TokenSpec {
    /// This specification, with what the file says for all tokens where it says nothing itself.
    pub(super) fn over(self, defaults: &Self) -> Self {
        let Self {
            raw,
            again,
            key,
            alg,
            header,
            embedded_key,
            claims,
            header_json,
            claims_json,
            claims_hex,
            mac_with_public,
            signature_shape,
            tamper,
            size,
        } = self;
        Self {
            key: key.or_else(|| defaults.key.clone()),
            alg: alg.or_else(|| defaults.alg.clone()),
            header: merged(&defaults.header, header),
            claims: merged(&defaults.claims, claims),
            raw,
            again,
            embedded_key,
            header_json,
            claims_json,
            claims_hex,
            mac_with_public,
            signature_shape,
            tamper,
            size,
        }
    }
}

impl TokenSpec {
    /// Fills in every `${issuer:NAME}` of its claims.
    ///
    /// # Errors
    /// A `${` without its end.
    pub fn name_issuers(&mut self, issuer: impl Fn(&str) -> String) -> Result<()> {
        let fill = |text: &str| {
            template::fill(text, |inside| match inside.strip_prefix("issuer:") {
                Some(name) => Some(issuer(name)),
                // Others have their time later.
                None => Some(format!("${{{inside}}}")),
            })
        };
        for value in self.claims.values_mut() {
            if let Value::String(text) = value {
                *text = fill(text)?;
            }
        }
        if let Some(text) = &mut self.claims_json {
            *text = fill(text)?;
        }
        Ok(())
    }
}

/// The members of both; of two with one name the second counts.
fn merged(first: &Map<String, Value>, second: Map<String, Value>) -> Map<String, Value> {
    first.clone().into_iter().chain(second).collect()
}

/// The shapes of a signature that a converter may get wrong.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Its first byte is zero: an `r`, or an RSA number, that a lazy writer makes shorter.
    FirstByteZero,
    /// The first bit is set: an `r` that needs a leading zero in DER.
    FirstBitSet,
    /// The first byte of its second half is zero: an `s` that a lazy writer makes shorter.
    SecondHalfFirstByteZero,
    /// The two alphabets of base64 write it differently.
    SignInBase64,
    /// The modulus can be added to it without another byte.
    RoomForModulus,
}

/// What can be done to a token. What concerns header and claims is done before it is signed, so that nothing but
/// the thing itself is wrong with the token.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Tamper {
    /// `=` behind the encoded header, up to a multiple of four.
    PadHeader,
    /// `=` behind the encoded claims.
    PadClaims,
    /// No header before its dot.
    EmptyHeader,
    /// No claims between the dots.
    EmptyClaims,
    /// Bits that mean nothing are set in the last character of the header.
    TrailingBitsInHeader,
    /// Bits that mean nothing are set in the last character of the claims.
    TrailingBitsInClaims,
    /// The header in the alphabet of plain base64 (`+` and `/`).
    PlainBase64Header,
    /// Claims in the alphabet of plain base64.
    PlainBase64Claims,
    /// This text in the middle of the encoded header.
    InsertIntoHeader(String),
    /// This text in the middle of the encoded claims.
    InsertIntoClaims(String),
    /// Other claims are put in after signing: these, over the signed ones.
    ReplaceClaims(Map<String, Value>),
    /// Other header members are put in after signing: these, over the signed ones.
    ReplaceHeader(Map<String, Value>),
    /// One bit in the middle of the signature is the other way round.
    FlipSignatureBit,
    /// The signature is cut by its last byte.
    ShortenSignature,
    /// The signature has a zero byte more.
    LengthenSignature,
    /// A zero byte stands before the signature.
    PrependZero,
    /// The signature's leading zero byte is left out.
    DropLeadingZero,
    /// The signature's first half, the r of ECDSA and EdDSA, is these bytes in hexadecimal.
    ReplaceFirstHalf(String),
    /// The signature's second half, the s, is these bytes in hexadecimal.
    ReplaceSecondHalf(String),
    /// Ed25519's S plus the order, or RSA's number plus the modulus.
    AddOrder,
    /// No signature, but its dot.
    EmptySignature,
    /// A signature of nothing but zero bytes, of the right length.
    ZeroSignature,
    /// ECDSA in DER.
    DerSignature,
    /// ECDSA in DER as a careless writer makes it: numbers whose first bit is set are negative.
    NegativeDerSignature,
    /// ES256 with n - s for s.
    OtherS,
    /// Bits that mean nothing are set in the last character of the signature.
    TrailingBitsInSignature,
    /// `=` behind the signature.
    PadSignature,
    /// The signature in the alphabet of plain base64.
    PlainBase64Signature,
    /// This text in the middle of the encoded signature.
    InsertIntoSignature(String),
    /// Header and claims change places.
    SwapHeaderAndClaims,
    /// No signature and no dot before it.
    TwoParts,
    /// A fourth part.
    FourParts,
    /// The header alone.
    OnePart,
    /// An empty part in front.
    LeadingDot,
}
