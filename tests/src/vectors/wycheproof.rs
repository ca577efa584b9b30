//! Project Wycheproof's vectors: many thousand signatures at the edges where libraries went wrong before.
//!
//! Beside the sets of our algorithms there are their neighbours: other hashes, other curves, signatures in DER, other salts. A
//! neighbour is asked about as the algorithm that it looks like, and nothing of it may pass for a JWS.

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::{RsaPublic, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::Group;

/// Sets of RSASSA-PKCS1-v1_5, and the algorithm that each is asked about as.
const PKCS1: [(&str, &str); 24] = [
    ("rsa_signature_2048_sha224", "RS256"),
    ("rsa_signature_2048_sha256", "RS256"),
    ("rsa_signature_2048_sha3_224", "RS256"),
    ("rsa_signature_2048_sha3_256", "RS256"),
    ("rsa_signature_2048_sha3_384", "RS384"),
    ("rsa_signature_2048_sha3_512", "RS512"),
    ("rsa_signature_2048_sha384", "RS384"),
    ("rsa_signature_2048_sha512_224", "RS512"),
    ("rsa_signature_2048_sha512_256", "RS256"),
    ("rsa_signature_2048_sha512", "RS512"),
    ("rsa_signature_3072_sha256", "RS256"),
    ("rsa_signature_3072_sha3_256", "RS256"),
    ("rsa_signature_3072_sha3_384", "RS384"),
    ("rsa_signature_3072_sha3_512", "RS512"),
    ("rsa_signature_3072_sha384", "RS384"),
    ("rsa_signature_3072_sha512_256", "RS256"),
    ("rsa_signature_3072_sha512", "RS512"),
    ("rsa_signature_4096_sha256", "RS256"),
    ("rsa_signature_4096_sha384", "RS384"),
    ("rsa_signature_4096_sha512_256", "RS512"),
    ("rsa_signature_4096_sha512", "RS512"),
    ("rsa_signature_8192_sha256", "RS256"),
    ("rsa_signature_8192_sha384", "RS384"),
    ("rsa_signature_8192_sha512", "RS512"),
];

/// Sets of RSASSA-PSS. RFC 7518 section 3.5 fixes the hash of MGF1 and the salt's length.
const PSS: [(&str, &str); 20] = [
    ("rsa_pss_2048_sha1_mgf1_20", "PS256"),
    ("rsa_pss_2048_sha256_mgf1_0", "PS256"),
    ("rsa_pss_2048_sha256_mgf1_32", "PS256"),
    ("rsa_pss_2048_sha256_mgf1sha1_20", "PS256"),
    ("rsa_pss_2048_sha384_mgf1_48", "PS384"),
    ("rsa_pss_2048_sha512_224_mgf1_28", "PS512"),
    ("rsa_pss_2048_sha512_256_mgf1_32", "PS256"),
    ("rsa_pss_2048_shake128", "PS256"),
    ("rsa_pss_2048_shake256", "PS512"),
    ("rsa_pss_3072_sha256_mgf1_32", "PS256"),
    ("rsa_pss_3072_shake128", "PS256"),
    ("rsa_pss_3072_shake256", "PS512"),
    ("rsa_pss_4096_sha256_mgf1_32", "PS256"),
    ("rsa_pss_4096_sha384_mgf1_48", "PS384"),
    ("rsa_pss_4096_sha512_mgf1_32", "PS512"),
    ("rsa_pss_4096_sha512_mgf1_64", "PS512"),
    ("rsa_pss_4096_shake256", "PS512"),
    ("rsa_pss_misc", "PS256"),
    ("rsa_pss_misc", "PS384"),
    ("rsa_pss_misc", "PS512"),
];

/// Sets of ECDSA: P1363 is r‖s, the others are DER. A key of another curve is offered as one of ours.
const ECDSA: [(&str, &str, &str); 15] = [
    ("ecdsa_secp256r1_sha256_p1363", "ES256", "P-256"),
    ("ecdsa_secp256r1_sha256", "ES256", "P-256"),
    ("ecdsa_secp256r1_sha3_256", "ES256", "P-256"),
    ("ecdsa_secp256r1_sha512_p1363", "ES256", "P-256"),
    ("ecdsa_secp256r1_shake128_p1363", "ES256", "P-256"),
    ("ecdsa_secp256k1_sha256_p1363", "ES256", "P-256"),
    ("ecdsa_secp256k1_sha256_bitcoin", "ES256", "P-256"),
    ("ecdsa_brainpoolP256r1_sha256_p1363", "ES256", "P-256"),
    ("ecdsa_secp384r1_sha384_p1363", "ES384", "P-384"),
    ("ecdsa_secp384r1_sha384", "ES384", "P-384"),
    ("ecdsa_secp384r1_sha3_384", "ES384", "P-384"),
    ("ecdsa_secp384r1_sha512_p1363", "ES384", "P-384"),
    ("ecdsa_secp384r1_shake256_p1363", "ES384", "P-384"),
    ("ecdsa_brainpoolP384r1_sha384_p1363", "ES384", "P-384"),
    ("ecdsa_secp521r1_sha512_p1363", "ES384", "P-384"),
];

const EDDSA: [(&str, &str); 2] = [("ed25519", "Ed25519"), ("ed448", "Ed448")];

/// The vectors of a group, whichever set it is of: each set has its own types.
macro_rules! tests {
    ($group:expr) => {
        $group
            .tests
            .iter()
            .map(|test| (test.tc_id, valid(test.result), &test.msg[..], &test.sig[..]))
    };
}

/// All groups of all sets.
///
/// # Errors
/// The crate's data have another shape than this edition knows.
pub fn load() -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for (file, algorithm) in PKCS1 {
        for group in rsa_pkcs1_verify::TestSet::load(named(file)?)
            .map_err(fault)?
            .test_groups
        {
            groups.push(Group::new(
                file,
                algorithm,
                rsa_key(&group.key),
                tests!(group),
            ));
        }
    }
    for (file, algorithm) in PSS {
        for group in rsa_pss_verify::TestSet::load(named(file)?)
            .map_err(fault)?
            .test_groups
        {
            groups.push(Group::new(
                file,
                algorithm,
                rsa_key(&group.key),
                tests!(group),
            ));
        }
    }
    for (file, algorithm, curve) in ECDSA {
        for group in ecdsa::TestSet::load(named(file)?)
            .map_err(fault)?
            .test_groups
        {
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let key = json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) });
            groups.push(Group::new(file, algorithm, key, tests!(group)));
        }
    }
    for (file, curve) in EDDSA {
        for group in eddsa::TestSet::load(named(file)?)
            .map_err(fault)?
            .test_groups
        {
            let key = json!({ "kty": "OKP", "crv": curve, "x": encode(&group.key.pk) });
            groups.push(Group::new(file, "EdDSA", key, tests!(group)));
        }
    }
    Ok(groups)
}

/// "Acceptable" is here a DigestInfo without its NULL, which RFC 8017 section 8.2.2 compares away: we do not accept it.
fn valid(result: TestResult) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Invalid | TestResult::Acceptable => false,
    }
}

fn rsa_key(key: &RsaPublic) -> Value {
    // The vectors write numbers as DER does, with the sign; RFC 7518 section 6.3.1 has no zero octet before them.
    let number = |octets: &[u8]| encode(octets.strip_prefix(&[0]).unwrap_or(octets));
    json!({ "kty": "RSA", "n": number(&key.n), "e": number(&key.e) })
}

fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

fn named<T: std::str::FromStr>(file: &str) -> Result<T> {
    file.parse()
        .map_err(|_| anyhow!("there is no set {file} in this edition"))
}

fn fault(error: wycheproof::WycheproofError) -> anyhow::Error {
    anyhow!("{error:?}")
}
