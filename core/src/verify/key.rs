//! A public key, checked and brought into every form that a verifier wants, once, when it arrives.

use std::fmt;

use scopegate_signatures::rsa::Modulus;
use scopegate_signatures::{ed25519, es256, es384};

use super::{Algorithm, der};

/// The sizes of an RSA modulus that are taken, in bits: RFC 7518 section 3.3 asks for 2048 or more, and the work grows
/// with the square of the size.
pub(crate) const RSA_MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// 65537. Small exponents made forgeries easy more than once, large ones make us work.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// A public key that verifies signatures.
///
/// It exists only after it was checked: RSA within its limits, a point that is on its curve, an Ed25519 point that is
/// canonical and not of small order. The tests hold this against jwt-simple's key types.
#[derive(Clone)]
pub struct PublicKey {
    material: Material,
    spki_der: Vec<u8>,
}

/// The form that the portable verifier computes with.
#[derive(Clone)]
pub(super) enum Material {
    Rsa(Modulus),
    P256(es256::Key),
    P384(es384::Key),
    Ed25519(ed25519::Key),
}

/// Why numbers make no key that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidKey {
    /// An RSA modulus of another size than 2048 to 4096 bits.
    ModulusSize {
        /// Its size in bits.
        bits: usize,
    },
    /// An RSA modulus that is even, or spelt with more than one leading zero.
    Modulus,
    /// Another RSA exponent than 65537.
    Exponent,
    /// A coordinate of the wrong length (RFC 7518 section 6.2.1.2, RFC 8037 section 2).
    CoordinateLength,
    /// Not a point of the curve, or one of small order.
    Point,
}

impl PublicKey {
    /// An RSA key, from the big-endian bytes of its modulus and its exponent.
    ///
    /// One zero octet before the modulus is forgiven, though RFC 7518 section 6.3.1.1 forbids it: it is the sign that
    /// some libraries leave there, and it changes neither the number nor anything that is computed from it.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
        let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        if modulus.first() == Some(&0) {
            return Err(InvalidKey::Modulus);
        }
        let bits = bit_length(modulus);
        if !RSA_MODULUS_BITS.contains(&bits) {
            return Err(InvalidKey::ModulusSize { bits });
        }
        if exponent != RSA_EXPONENT {
            return Err(InvalidKey::Exponent);
        }
        Ok(Self {
            material: Material::Rsa(Modulus::new(modulus).ok_or(InvalidKey::Modulus)?),
            spki_der: der::rsa_key(modulus, exponent),
        })
    }

    /// A key on P-256, from its coordinates of 32 bytes each.
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Result<Self, InvalidKey> {
        let (Ok(x), Ok(y)) = (x.try_into(), y.try_into()) else {
            return Err(InvalidKey::CoordinateLength);
        };
        Ok(Self {
            material: Material::P256(es256::Key::new(x, y).ok_or(InvalidKey::Point)?),
            spki_der: der::p256_key(&uncompressed_point::<32>(x, y)),
        })
    }

    /// A key on P-384, from its coordinates of 48 bytes each.
    pub(crate) fn p384(x: &[u8], y: &[u8]) -> Result<Self, InvalidKey> {
        let (Ok(x), Ok(y)) = (x.try_into(), y.try_into()) else {
            return Err(InvalidKey::CoordinateLength);
        };
        Ok(Self {
            material: Material::P384(es384::Key::new(x, y).ok_or(InvalidKey::Point)?),
            spki_der: der::p384_key(&uncompressed_point::<48>(x, y)),
        })
    }

    /// An Ed25519 key, from its 32 bytes.
    pub(crate) fn ed25519(x: &[u8]) -> Result<Self, InvalidKey> {
        let Ok(bytes) = x.try_into() else {
            return Err(InvalidKey::CoordinateLength);
        };
        Ok(Self {
            material: Material::Ed25519(ed25519::Key::new(bytes).ok_or(InvalidKey::Point)?),
            spki_der: der::ed25519_key(&bytes),
        })
    }

    /// Whether this is a key for that algorithm at all: the families never mix.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => matches!(self.material, Material::Rsa(_)),
            Algorithm::Es256 => matches!(self.material, Material::P256(_)),
            Algorithm::Es384 => matches!(self.material, Material::P384(_)),
            Algorithm::Ed25519 => matches!(self.material, Material::Ed25519(_)),
        }
    }

    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1), computed when it was imported.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// The one length that its signatures have, in bytes.
    pub(crate) fn signature_len(&self) -> usize {
        match &self.material {
            Material::Rsa(modulus) => modulus.octets(),
            Material::P256(_) | Material::Ed25519(_) => 64,
            Material::P384(_) => 96,
        }
    }

    pub(super) fn material(&self) -> &Material {
        &self.material
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.material {
            Material::Rsa(_) => "RSA",
            Material::P256(_) => "P-256",
            Material::P384(_) => "P-384",
            Material::Ed25519(_) => "Ed25519",
        };
        f.debug_tuple("PublicKey")
            .field(&format_args!("{family}"))
            .finish()
    }
}

/// The bits of a big-endian number without leading zeros.
fn bit_length(number: &[u8]) -> usize {
    let Some((first, rest)) = number.split_first() else {
        return 0;
    };
    let first_bits = u8::BITS.saturating_sub(first.leading_zeros());
    rest.len()
        .saturating_mul(8)
        .saturating_add(first_bits as usize)
}

/// `0x04 ‖ x ‖ y` (SEC 1 section 2.3.3). It cannot spell the point at infinity.
fn uncompressed_point<const COORDINATE: usize>(
    x: &[u8; COORDINATE],
    y: &[u8; COORDINATE],
) -> Vec<u8> {
    [&[4], &x[..], &y[..]].concat()
}
