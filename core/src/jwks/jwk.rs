//! One key of a set (RFC 7517 section 4): imported, or skipped with the reason.

use std::fmt;

use super::{Key, SkippedKey};
use crate::base64url;
use crate::json::{Members, Value};
use crate::token::MAX_KID_BYTES;
use crate::verify::{Algorithm, InvalidKey, PublicKey};

/// The members that only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a key of a set verifies nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnusableKey {
    /// A member is absent, or is not what RFC 7517 or 7518 says it is.
    Member {
        /// Its name.
        member: &'static str,
    },
    /// A `kty` that we do not verify with, `oct` among them.
    KeyType,
    /// A `crv` that we do not verify with.
    Curve,
    /// An `alg` that we do not verify with, or that is not one for such a key.
    Algorithm,
    /// `use` or `key_ops` say that it is for something other than verifying signatures.
    Purpose,
    /// The private half is published with it. Whoever can read the set can sign as the issuer, so the key proves
    /// nothing any more.
    Published,
    /// The numbers make no key that we would trust.
    Invalid(InvalidKey),
}

impl fmt::Display for UnusableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member { member } => write!(f, "`{member}` is absent, or not what it should be"),
            Self::KeyType => f.write_str("its type (`kty`) is none that tokens are verified with"),
            Self::Curve => f.write_str("its curve (`crv`) is none that tokens are verified with"),
            Self::Algorithm => f.write_str("its `alg` is none that it could serve here"),
            Self::Purpose => f.write_str("it is not for verifying signatures"),
            Self::Published => {
                f.write_str("it is a private or a secret key, with which anybody could sign")
            }
            Self::Invalid(_) => f.write_str("its numbers make no key that can be trusted"),
        }
    }
}

/// Imports a key, or says why not. `x5c` and its relatives are not read: the set itself came over TLS from the issuer.
pub(super) fn import(jwk: Members<'_>) -> Result<Key, SkippedKey> {
    let kid = kid(jwk);
    let usable = usable_key(jwk).and_then(|(algorithm, public)| Ok((kid?, algorithm, public)));
    match usable {
        Ok((kid, algorithm, public)) => Ok(Key::new(kid, algorithm, public)),
        Err(reason) => Err(SkippedKey {
            kid: kid.ok().flatten().map(str::to_owned),
            reason,
        }),
    }
}

/// A longer `kid` than a token may have could never be asked for.
fn kid(jwk: Members<'_>) -> Result<Option<&str>, UnusableKey> {
    match string(jwk, "kid")? {
        Some(kid) if kid.len() > MAX_KID_BYTES => Err(UnusableKey::Member { member: "kid" }),
        kid => Ok(kid),
    }
}

fn usable_key(jwk: Members<'_>) -> Result<(Option<Algorithm>, PublicKey), UnusableKey> {
    if !is_for_verifying(jwk)? {
        return Err(UnusableKey::Purpose);
    }
    let algorithm = string(jwk, "alg")?
        .map(|name| Algorithm::from_name(name).ok_or(UnusableKey::Algorithm))
        .transpose()?;
    let public = match required(jwk, "kty")? {
        "RSA" => rsa(jwk)?,
        "EC" => ec(jwk)?,
        "OKP" => okp(jwk)?,
        _ => return Err(UnusableKey::KeyType),
    };
    if algorithm.is_some_and(|algorithm| !public.fits(algorithm)) {
        return Err(UnusableKey::Algorithm);
    }
    if holds_secret(jwk) {
        return Err(UnusableKey::Published);
    }
    Ok((algorithm, public))
}

/// Whether a key holds what nobody but its owner may know.
pub(super) fn holds_secret(jwk: Members<'_>) -> bool {
    let mut members = PRIVATE_MEMBERS.into_iter();
    members.any(|member| jwk.get(member).is_some())
}

/// `use` is `sig` or absent (RFC 7517 section 4.2), `key_ops` holds `verify` or is absent (section 4.3).
fn is_for_verifying(jwk: Members<'_>) -> Result<bool, UnusableKey> {
    let usage = string(jwk, "use")?.is_none_or(|usage| usage == "sig");
    let operations = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(mut operations)) => {
            operations.any(|operation| operation.as_str() == Some("verify"))
        }
        Some(_) => return Err(UnusableKey::Member { member: "key_ops" }),
    };
    Ok(usage && operations)
}

fn rsa(jwk: Members<'_>) -> Result<PublicKey, UnusableKey> {
    PublicKey::rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?).map_err(UnusableKey::Invalid)
}

fn ec(jwk: Members<'_>) -> Result<PublicKey, UnusableKey> {
    let import = match required(jwk, "crv")? {
        "P-256" => PublicKey::p256,
        "P-384" => PublicKey::p384,
        _ => return Err(UnusableKey::Curve),
    };
    import(&bytes(jwk, "x")?, &bytes(jwk, "y")?).map_err(UnusableKey::Invalid)
}

fn okp(jwk: Members<'_>) -> Result<PublicKey, UnusableKey> {
    match required(jwk, "crv")? {
        "Ed25519" => PublicKey::ed25519(&bytes(jwk, "x")?).map_err(UnusableKey::Invalid),
        _ => Err(UnusableKey::Curve),
    }
}

fn bytes(jwk: Members<'_>, member: &'static str) -> Result<Vec<u8>, UnusableKey> {
    base64url::decode(required(jwk, member)?).ok_or(UnusableKey::Member { member })
}

fn required<'m>(jwk: Members<'m>, member: &'static str) -> Result<&'m str, UnusableKey> {
    string(jwk, member)?.ok_or(UnusableKey::Member { member })
}

fn string<'m>(jwk: Members<'m>, member: &'static str) -> Result<Option<&'m str>, UnusableKey> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(UnusableKey::Member { member }),
    }
}
