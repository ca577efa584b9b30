//! The signature algorithms of RFC 7518 and RFC 8037 that Scopegate knows.

use std::fmt;

/// A JWS signature algorithm (the `alg` of RFC 7515 section 4.1.1).
///
/// `none` and the HS family have no value here, so no configuration and no token can ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 of the same hash, salt of the hash's length (RFC 7518 section 3.5).
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519, by its names `EdDSA` (RFC 8037 section 3.1) and `Ed25519` (RFC 9864 section 2.2).
    Ed25519,
}

impl Algorithm {
    /// Every algorithm, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Ed25519,
    ];

    /// The algorithms of an issuer that names none.
    pub const DEFAULT: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::Ed25519];

    /// The other name of `EdDSA` (RFC 9864 section 2.2).
    pub(crate) const ED25519: &str = "Ed25519";

    /// The algorithm of that `alg` value, compared byte for byte.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            Self::ED25519 => Some(Self::Ed25519),
            _ => Self::ALL.into_iter().find(|known| known.name() == name),
        }
    }

    /// The name in the IANA registry of JOSE algorithms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ed25519 => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::Ed25519));
    }

    #[test]
    fn none_and_hmac_and_other_spellings_have_no_value() {
        for name in [
            "none", "None", "NONE", "HS256", "rs256", "RS256 ", "ES256K", "ES512", "",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name:?}");
        }
    }
}
