//! A bearer token in the compact serialization (RFC 7515 section 7.1), taken apart but not believed.

mod known_headers;

use std::sync::Arc;
use std::{error, fmt};

use crate::base64url;
use crate::claims::{Claims, InvalidClaims};
use crate::json::{InvalidJson, Object, Value};
use crate::verify::Algorithm;
pub(crate) use known_headers::KnownHeaders;

/// The longest token that is looked at, in bytes: what the default header limits of servers leave for one header.
pub(crate) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The longest `kid`, in bytes. Those of the known issuers are thumbprints and UUIDs, of 20 to 128 characters.
pub(crate) const MAX_KID_BYTES: usize = 256;

/// A token whose form is right. Nothing in it is true yet: it can only lead to a refusal, or to `verify`.
pub(crate) struct UnverifiedToken<'a> {
    /// The JOSE header.
    pub(crate) header: Arc<Header>,
    /// The text that it was read from.
    pub(crate) header_text: &'a str,
    /// The payload.
    pub(crate) claims: Claims,
    /// What was signed: the first two parts and the dot between them, as they came.
    pub(crate) signing_input: &'a [u8],
    /// The signature, decoded.
    pub(crate) signature: Vec<u8>,
}

/// The members of the JOSE header (RFC 7515 section 4.1) that matter here.
///
/// `jwk`, `jku`, `x5u` and `x5c` bring the attacker's key along with the attacker's token: they are never read.
pub(crate) struct Header {
    /// `alg`.
    pub(crate) algorithm: Algorithm,
    /// All members. `kid` and `typ` are strings if they are there.
    members: Object,
}

/// One of the parts between the dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The first: the JOSE header.
    Header,
    /// The second: the claims.
    Payload,
    /// The third.
    Signature,
}

/// Why a text is not a token that we would verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MalformedToken {
    /// Longer than 8 KiB.
    TooLarge,
    /// Not three parts.
    NotThreeParts,
    /// A part without a character.
    EmptyPart(Part),
    /// A part that is not canonical, unpadded base64url.
    InvalidBase64Url(Part),
    /// A part that is not one JSON object, or one that could be read in two ways.
    InvalidJson(Part, InvalidJson),
    /// The header says no `alg`.
    AlgorithmMissing,
    /// A header member of the wrong type, or a `kid` beyond its budget.
    InvalidHeaderMember {
        /// Its name.
        member: &'static str,
    },
    /// An `alg` that is not one of ours, `none` and HMAC among them.
    AlgorithmRefused,
    /// The header asks for an extension: by `crit` (RFC 7515 section 4.1.11: we understand none), or by `b64`, which
    /// must be in `crit` (RFC 7797 section 6) and would change what was signed.
    CriticalHeader,
    /// A required claim is absent.
    ClaimMissing {
        /// Its name.
        claim: &'static str,
    },
    /// A claim of the wrong type.
    ClaimMalformed {
        /// Its name.
        claim: &'static str,
    },
    /// The token is bound to a key (`cnf`), and we cannot check that the client holds it.
    ProofOfPossession,
}

impl<'a> UnverifiedToken<'a> {
    /// The same where no header is known.
    #[cfg(test)]
    pub(crate) fn parse(token: &'a str) -> Result<Self, MalformedToken> {
        Self::parse_knowing(token, &KnownHeaders::default())
    }

    /// Takes a token apart, and refuses every form that another reader could understand differently.
    ///
    /// # Errors
    /// The first thing that is wrong; the header is judged before the payload, and that before the signature.
    pub(crate) fn parse_knowing(
        token: &'a str,
        known: &KnownHeaders,
    ) -> Result<Self, MalformedToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(MalformedToken::TooLarge);
        }
        let (signing_input, signature) = token
            .rsplit_once('.')
            .ok_or(MalformedToken::NotThreeParts)?;
        let (header_text, payload) = signing_input
            .split_once('.')
            .ok_or(MalformedToken::NotThreeParts)?;
        if payload.contains('.') {
            return Err(MalformedToken::NotThreeParts);
        }
        // Each part in turn: none is longer decoded than all of them encoded.
        let mut octets = Vec::with_capacity(token.len());
        let header = match known.find(header_text) {
            Some(header) => header,
            None => {
                let members = object(header_text, Part::Header, &mut octets)?;
                Arc::new(Header::from_object(members)?)
            }
        };
        let claims = Claims::from_object(object(payload, Part::Payload, &mut octets)?)?;
        decode(signature, Part::Signature, &mut octets)?;
        Ok(Self {
            header,
            header_text,
            claims,
            signing_input: signing_input.as_bytes(),
            signature: octets,
        })
    }
}

fn object(text: &str, part: Part, octets: &mut Vec<u8>) -> Result<Object, MalformedToken> {
    decode(text, part, octets)?;
    Object::parse(octets).map_err(|cause| MalformedToken::InvalidJson(part, cause))
}

/// Puts what a part spells in the place of what is in `octets`.
fn decode(text: &str, part: Part, octets: &mut Vec<u8>) -> Result<(), MalformedToken> {
    if text.is_empty() {
        return Err(MalformedToken::EmptyPart(part));
    }
    octets.clear();
    base64url::decode_into(text, octets).ok_or(MalformedToken::InvalidBase64Url(part))
}

impl Header {
    fn from_object(members: Object) -> Result<Self, MalformedToken> {
        let name = string(&members, "alg")?.ok_or(MalformedToken::AlgorithmMissing)?;
        let algorithm = Algorithm::from_name(name).ok_or(MalformedToken::AlgorithmRefused)?;
        if members.get("crit").is_some() || members.get("b64").is_some() {
            return Err(MalformedToken::CriticalHeader);
        }
        if string(&members, "kid")?.is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(MalformedToken::InvalidHeaderMember { member: "kid" });
        }
        // Nothing here reads `cty`, but a header that types it wrongly was not made by a JOSE library.
        string(&members, "cty")?;
        string(&members, "typ")?;
        Ok(Self { algorithm, members })
    }

    /// `kid`.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.members.get("kid").and_then(Value::as_str)
    }

    /// `typ`.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.members.get("typ").and_then(Value::as_str)
    }
}

fn string<'m>(
    members: &'m Object,
    member: &'static str,
) -> Result<Option<&'m str>, MalformedToken> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(MalformedToken::InvalidHeaderMember { member }),
    }
}

impl From<InvalidClaims> for MalformedToken {
    fn from(invalid: InvalidClaims) -> Self {
        match invalid {
            InvalidClaims::Missing { claim } => Self::ClaimMissing { claim },
            InvalidClaims::WrongType { claim } => Self::ClaimMalformed { claim },
            InvalidClaims::ProofOfPossession => Self::ProofOfPossession,
        }
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    /// A token is a credential, and may be a valid one: none of it is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").finish_non_exhaustive()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

impl fmt::Display for MalformedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the token is longer than {MAX_TOKEN_BYTES} bytes"),
            Self::NotThreeParts => f.write_str("the token does not have three parts"),
            Self::EmptyPart(part) => write!(f, "the token's {part} is empty"),
            Self::InvalidBase64Url(part) => {
                write!(f, "the token's {part} is not canonical base64url")
            }
            Self::InvalidJson(part, cause) => {
                write!(f, "the token's {part} cannot be read: {cause}")
            }
            Self::AlgorithmMissing => f.write_str("the token's header has no `alg`"),
            Self::InvalidHeaderMember { member } => {
                write!(f, "the header's `{member}` is not one that we take")
            }
            Self::AlgorithmRefused => f.write_str("the token's `alg` is not one that we take"),
            Self::CriticalHeader => f.write_str("the token's header asks for an extension"),
            Self::ClaimMissing { claim } => write!(f, "the token has no `{claim}`"),
            Self::ClaimMalformed { claim } => write!(f, "the token's `{claim}` has the wrong type"),
            Self::ProofOfPossession => f.write_str("the token is bound to a key (`cnf`)"),
        }
    }
}

impl error::Error for MalformedToken {}

#[cfg(test)]
mod tests;
