//! Known answers: signatures whose validity is known, to test a verifier with before it is trusted.
//!
//! known_answers/README.md says how the files were made.

use scopegate_core::Algorithm;

use crate::verifier::NoAnswer;

/// A signature of [`TEXT`] that is valid under `public_key`, in the form that JWS gives it.
pub(crate) struct KnownAnswer {
    pub(crate) algorithm: Algorithm,
    /// SubjectPublicKeyInfo in DER.
    pub(crate) public_key: &'static [u8],
    pub(crate) signature: &'static [u8],
}

/// What all of them sign.
pub(crate) const TEXT: &[u8] = include_bytes!("../known_answers/text");

macro_rules! known_answer {
    ($algorithm:ident, $key:literal, $signature:literal) => {
        KnownAnswer {
            algorithm: Algorithm::$algorithm,
            public_key: include_bytes!(concat!("../known_answers/", $key)),
            signature: include_bytes!(concat!("../known_answers/", $signature)),
        }
    };
}

/// One for each algorithm that the host function can do.
pub(crate) const ALL: [KnownAnswer; 5] = [
    known_answer!(Rs256, "rsa.spki.der", "rs256.signature"),
    known_answer!(Rs384, "rsa.spki.der", "rs384.signature"),
    known_answer!(Rs512, "rsa.spki.der", "rs512.signature"),
    known_answer!(Es256, "p256.spki.der", "es256.signature"),
    known_answer!(Es384, "p384.spki.der", "es384.signature"),
];

/// The algorithms for which `verify` accepts the good signature and refuses the bad ones.
///
/// A verifier that says yes to everything must not pass: so there is the same signature of another text, and one
/// with a bit turned.
pub(crate) fn passed(
    verify: impl Fn(Algorithm, &[u8], &[u8], &[u8]) -> Result<bool, NoAnswer>,
) -> Vec<Algorithm> {
    let gives_all = |known: &KnownAnswer| {
        let other_text = TEXT.to_ascii_uppercase();
        let mut turned = known.signature.to_vec();
        if let Some(last) = turned.last_mut() {
            *last ^= 1;
        }
        let says = |text: &[u8], signature: &[u8], expected: bool| {
            verify(known.algorithm, known.public_key, text, signature)
                .is_ok_and(|valid| valid == expected)
        };
        says(TEXT, known.signature, true)
            && says(&other_text, known.signature, false)
            && says(TEXT, &turned, false)
    };
    ALL.iter()
        .filter(|known| gives_all(known))
        .map(|known| known.algorithm)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows the signatures by heart, as a right verifier would find them.
    fn right(
        _: Algorithm,
        public_key: &[u8],
        text: &[u8],
        signature: &[u8],
    ) -> Result<bool, NoAnswer> {
        let is_known =
            |known: &KnownAnswer| known.public_key == public_key && known.signature == signature;
        Ok(text == TEXT && ALL.iter().any(is_known))
    }

    #[test]
    fn a_right_verifier_passes_for_all() {
        assert_eq!(passed(right), ALL.map(|known| known.algorithm));
    }

    #[test]
    fn one_that_always_answers_the_same_passes_for_none() {
        assert_eq!(passed(|_, _, _, _| Ok(true)), []);
        assert_eq!(passed(|_, _, _, _| Ok(false)), []);
        assert_eq!(passed(|_, _, _, _| Err(NoAnswer)), []);
    }

    #[test]
    fn one_wrong_answer_costs_its_algorithm_alone() {
        let ignores_the_text_of_es256 = |algorithm, key: &[u8], text: &[u8], signature: &[u8]| {
            right(
                algorithm,
                key,
                if algorithm == Algorithm::Es256 {
                    TEXT
                } else {
                    text
                },
                signature,
            )
        };
        let expected = [
            Algorithm::Rs256,
            Algorithm::Rs384,
            Algorithm::Rs512,
            Algorithm::Es384,
        ];
        assert_eq!(passed(ignores_the_text_of_es256), expected);
    }
}
