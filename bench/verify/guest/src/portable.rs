//! The core's own verifier, as it is shipped: with a key that it knows, and with one that it has to import first.

use scopegate_core::{
    Algorithm, Decision, KeyAnswer, KeyCache, Policy, Portable, PublicKey, Timestamp, TokenCache,
    Verifier as _, decide,
};
use serde_json::{Value, json};

use crate::case::{Case, Signed};
use crate::prepared::Way;
use crate::question::{self, POLICY, Question};

/// A key that is imported already.
struct Imported {
    algorithm: Algorithm,
    key: PublicKey,
}

pub(crate) fn imported(case: &Case) -> Result<Box<dyn Way>, String> {
    let question = Question {
        algorithm: case.algorithm.clone(),
        key: Value::Object(case.key.clone()),
        vectors: Vec::new(),
    };
    let (algorithm, key) = question::imported(&question)?.ok_or("the core refuses the key")?;
    Ok(Box::new(Imported { algorithm, key }))
}

impl Way for Imported {
    fn verifies(&self, signed: &Signed) -> bool {
        Portable
            .verify(
                self.algorithm,
                &self.key,
                &signed.message,
                &signed.signature,
            )
            .is_ok()
    }
}

/// The first token after a key set has arrived, every time.
///
/// What a new instance does once it has the octets of a key set: it reads and imports them, and decides on a request, whose token is
/// parsed and verified. Whatever is put off until a key is first used is in it.
struct First {
    policy: Policy,
    key_set: Vec<u8>,
    now: Timestamp,
}

pub(crate) fn first(case: &Case) -> Result<Box<dyn Way>, String> {
    let policy = Policy::parse(POLICY).map_err(|error| error.to_string())?;
    Ok(Box::new(First {
        policy,
        key_set: json!({ "keys": [case.key] }).to_string().into_bytes(),
        now: Timestamp::from_millis(case.now_ms),
    }))
}

impl Way for First {
    fn verifies(&self, signed: &Signed) -> bool {
        let (policy, request) = (&self.policy, &signed.request());
        let (mut keys, mut tokens) = (KeyCache::new(policy), TokenCache::new(policy, 0));
        let wanted = decide(policy, request, &keys, &mut tokens, &Portable, self.now);
        let Decision::NeedKeys(wanted) = wanted else {
            return false;
        };
        let answer = KeyAnswer::of_file(self.key_set.clone());
        keys.install(&mut tokens, &wanted.keys, Ok(answer), self.now);
        let decision = decide(policy, request, &keys, &mut tokens, &Portable, self.now);
        matches!(decision, Decision::Allow(_))
    }
}
