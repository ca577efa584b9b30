//! Project Wycheproof's vectors: many thousand signatures at the edges where libraries went wrong before.
//!
//! A vector that is valid for the primitive, but not for a JWS or not for our limits, must be refused: the key by its
//! import, or the signature by its parameters. What is refused for such a reason is counted, so that nothing is
//! skipped unseen.

use ::wycheproof::{HashFunction, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

/// How the vectors of a set came out.
#[derive(Debug, Default)]
struct Outcome {
    /// Signatures that verified, as they should.
    verified: usize,
    /// Signatures that did not, as they should not.
    refused: usize,
    /// Valid for the primitive, but refused by our limits, as they should be.
    beyond_limits: usize,
}

impl Outcome {
    /// A later edition of the vectors may have more.
    fn has_at_least(&self, verified: usize, refused: usize, beyond_limits: usize) {
        let is_enough = self.verified >= verified
            && self.refused >= refused
            && self.beyond_limits >= beyond_limits;
        assert!(is_enough, "{self:?}");
    }

    /// `key` is nothing when its import must fail and did.
    fn check(
        &mut self,
        algorithm: Algorithm,
        key: Option<&PublicKey>,
        message: &[u8],
        signature: &[u8],
        expected: TestResult,
    ) {
        let verified = key.is_some_and(|key| portable(algorithm, key, message, signature));
        match (expected, verified, key) {
            (TestResult::Valid, true, _) => self.verified += 1,
            (TestResult::Valid, false, None) => self.beyond_limits += 1,
            // "Acceptable" is here a DigestInfo without its NULL, which RFC 8017 section 8.2.2 compares away.
            (TestResult::Invalid | TestResult::Acceptable, false, _) => self.refused += 1,
            (TestResult::Valid, false, Some(_))
            | (TestResult::Invalid | TestResult::Acceptable, true, _) => {
                panic!(
                    "{algorithm}: {expected:?}, but verified = {verified}: {message:02x?} {signature:02x?}"
                )
            }
        }
    }
}

#[test]
fn ecdsa() {
    use ecdsa::TestName::{EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363};

    for (name, algorithm) in [
        (EcdsaSecp256r1Sha256P1363, Algorithm::Es256),
        (EcdsaSecp384r1Sha384P1363, Algorithm::Es384),
    ] {
        let mut outcome = Outcome::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let import = if algorithm == Algorithm::Es256 {
                PublicKey::p256
            } else {
                PublicKey::p384
            };
            let key = import(x, y).unwrap();
            for test in group.tests {
                outcome.check(algorithm, Some(&key), &test.msg, &test.sig, test.result);
            }
        }
        outcome.has_at_least(170, 80, 0);
    }
}

#[test]
fn ed25519() {
    let mut outcome = Outcome::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519)
        .unwrap()
        .test_groups
    {
        let key = PublicKey::ed25519(&group.key.pk).unwrap();
        for test in group.tests {
            outcome.check(
                Algorithm::Ed25519,
                Some(&key),
                &test.msg,
                &test.sig,
                test.result,
            );
        }
    }
    outcome.has_at_least(88, 63, 0);
}

#[test]
fn pkcs1() {
    use rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512,
        Rsa4096Sha256, Rsa4096Sha384, Rsa4096Sha512, Rsa8192Sha256,
    };

    let mut outcome = Outcome::default();
    for name in [
        Rsa2048Sha256,
        Rsa2048Sha384,
        Rsa2048Sha512,
        Rsa3072Sha256,
        Rsa3072Sha384,
        Rsa3072Sha512,
        Rsa4096Sha256,
        Rsa4096Sha384,
        Rsa4096Sha512,
        Rsa8192Sha256,
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::Rs256,
                HashFunction::Sha2_384 => Algorithm::Rs384,
                HashFunction::Sha2_512 => Algorithm::Rs512,
                _ => panic!("a hash of another set"),
            };
            let key = import_rsa(&group.key);
            for test in group.tests {
                outcome.check(algorithm, key.as_ref(), &test.msg, &test.sig, test.result);
            }
        }
    }
    outcome.has_at_least(60, 2_500, 10);
}

#[test]
fn pss() {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha256Mgf1Sha1_20,
        RsaPss2048Sha384Mgf1SaltLen48, RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32, RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen32, RsaPss4096Sha512Mgf1SaltLen64, RsaPssmisc,
    };

    let mut outcome = Outcome::default();
    for name in [
        RsaPss2048Sha256Mgf1SaltLen0,
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss2048Sha256Mgf1Sha1_20,
        RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
        RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64,
        RsaPssmisc,
    ] {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (algorithm, salt) = match group.hash {
                HashFunction::Sha2_256 => (Algorithm::Ps256, 32),
                HashFunction::Sha2_384 => (Algorithm::Ps384, 48),
                HashFunction::Sha2_512 => (Algorithm::Ps512, 64),
                // A hash that no algorithm of ours has: it must not pass for one that we have.
                _ => (Algorithm::Ps256, usize::MAX),
            };
            let is_jws = group.salt_size == salt && group.mgf_hash.as_ref() == Some(&group.hash);
            let key = import_rsa(&group.key);
            for test in group.tests {
                if is_jws {
                    outcome.check(algorithm, key.as_ref(), &test.msg, &test.sig, test.result);
                } else if test.result == TestResult::Valid {
                    // RFC 7518 section 3.5 fixes the salt's length and the hash of MGF1. (An invalid
                    // vector of such a set may be a good JWS: one with the longer salt, for example.)
                    let verified = key
                        .as_ref()
                        .is_some_and(|key| portable(algorithm, key, &test.msg, &test.sig));
                    assert!(!verified, "{name:?}: {}", test.tc_id);
                    outcome.beyond_limits += 1;
                }
            }
        }
    }
    outcome.has_at_least(510, 270, 400);
}

/// Nothing when the key is beyond our limits, which the import must then have seen.
fn import_rsa(key: &::wycheproof::RsaPublic) -> Option<PublicKey> {
    // The vectors write integers as DER does, with the sign.
    let exponent = key.e.strip_prefix(&[0]).unwrap_or(&key.e);
    let bytes = key.n.strip_prefix(&[0]).unwrap_or(&key.n).len();
    let within_limits = exponent == [1, 0, 1] && (256..=512).contains(&bytes);
    let imported = PublicKey::rsa(&key.n, exponent);
    assert_eq!(imported.is_ok(), within_limits);
    imported.ok()
}
