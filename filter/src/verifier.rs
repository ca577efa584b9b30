//! Signature verification by Envoy (BoringSSL), where it does that right, and by the core's portable code elsewhere.

use std::rc::Rc;

use scopegate_core::{
    Algorithm, InvalidSignature, Portable, PublicKey, Verifier, ecdsa_signature_der,
};

use crate::counters::Counters;
use crate::host::{self, Level};
use crate::known_answers;
use crate::verify_message::{Arguments, Outcome, decode_result};

/// What Envoy 1.40 says of a signature that is not valid, or that is no signature at all. Of a key or a hash that it
/// cannot use it says something else: then it is not the host that decides.
const INVALID: &[u8] = b"Failed to verify digest";

/// Verifies by the host function `verify_signature` for the algorithms whose known answers it gave.
pub(crate) struct HostVerifier {
    by_host: Vec<Algorithm>,
    counters: Rc<Counters>,
}

/// The host did not say whether a signature is valid: it does not do the algorithm, or the call failed.
/// This says nothing about the signature.
#[derive(Debug)]
pub(crate) struct NoAnswer;

impl HostVerifier {
    /// Asks the host for known answers, and uses it for the algorithms that it answers right.
    pub(crate) fn new(counters: Rc<Counters>) -> Self {
        let by_host = known_answers::passed(ask_host);
        for known in known_answers::ALL {
            if !by_host.contains(&known.algorithm) {
                let algorithm = known.algorithm;
                let line = format!(
                    "scopegate: the host did not give the known answers for {algorithm}: \
                     signatures are verified by slower portable code"
                );
                host::log(Level::Warn, &line);
            }
        }
        Self { by_host, counters }
    }
}

impl Verifier for HostVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        if self.by_host.contains(&algorithm) {
            // Only a host that gives no answer falls back: an invalid signature is not worth a second, slower look.
            if let Ok(valid) = ask_host(algorithm, key.spki_der(), signing_input, signature) {
                self.counters.verified_by_host();
                return if valid { Ok(()) } else { Err(InvalidSignature) };
            }
        }
        self.counters.verified_portably();
        Portable.verify(algorithm, key, signing_input, signature)
    }
}

/// Whether the host finds `signature`, in the form that JWS gives it, valid.
fn ask_host(
    algorithm: Algorithm,
    public_key: &[u8],
    signing_input: &[u8],
    signature: &[u8],
) -> Result<bool, NoAnswer> {
    let (hash_function, is_ecdsa) = match algorithm {
        Algorithm::Rs256 => ("sha256", false),
        Algorithm::Rs384 => ("sha384", false),
        Algorithm::Rs512 => ("sha512", false),
        Algorithm::Es256 => ("sha256", true),
        Algorithm::Es384 => ("sha384", true),
        // The host function has no parameter for PSS, and hashes by itself, which Ed25519 does not allow.
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::Ed25519 => {
            return Err(NoAnswer);
        }
    };
    let der;
    let signature = if is_ecdsa {
        match ecdsa_signature_der(algorithm, signature) {
            Some(converted) => der = converted,
            // Not r‖s of the right length: there is no such signature.
            None => return Ok(false),
        }
        &der
    } else {
        signature
    };
    let message = Arguments {
        hash_function,
        public_key,
        signature,
        text: signing_input,
    }
    .encode();
    let answer = host::call_foreign_function("verify_signature", &message).map_err(|_| NoAnswer)?;
    match decode_result(&answer) {
        Some(Outcome { valid: true, .. }) => Ok(true),
        Some(Outcome { error, .. }) if error.starts_with(INVALID) => Ok(false),
        Some(_) | None => Err(NoAnswer),
    }
}
