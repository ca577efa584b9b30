//! Signature vectors from outside, put to every verifier of the gate, and what may come out otherwise than they say.

mod exceptions;
pub mod jose;
mod wycheproof;

use anyhow::{Context, Result};
use vector_probe::{Question, Vector, Verdicts};

pub use exceptions::Exceptions;
pub use wycheproof::load as wycheproof;

/// Vectors under one key, with what their makers say of them.
pub struct Group {
    /// The set that they belong to, by the name of its file, and the algorithm that they are asked about as.
    pub set: String,
    /// What is put to a verifier.
    pub question: Question,
    /// The number of each vector within its set, and whether the signature is valid.
    pub expected: Vec<(usize, bool)>,
}

impl Group {
    fn new<'a>(
        file: &str,
        algorithm: &str,
        key: serde_json::Value,
        tests: impl Iterator<Item = (usize, bool, &'a [u8], &'a [u8])>,
    ) -> Self {
        let (expected, vectors) = tests
            .map(|(number, valid, message, signature)| {
                ((number, valid), Vector::new(message, signature))
            })
            .unzip();
        Self {
            set: format!("{file} as {algorithm}"),
            question: Question {
                algorithm: algorithm.to_owned(),
                key,
                vectors,
            },
            expected,
        }
    }

    /// The same in portions of that size, for a host that takes a question in one request.
    pub fn portions(&self, size: usize) -> impl Iterator<Item = Question> {
        self.question.vectors.chunks(size).map(|vectors| Question {
            vectors: vectors.to_vec(),
            ..self.question.clone()
        })
    }
}

/// A vector that came out otherwise than its makers say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Its set.
    pub set: String,
    /// Its number in the set.
    pub number: usize,
    /// Whether it is valid.
    pub valid: bool,
}

/// How the vectors of a group came out that came out otherwise. Under a key that is refused no signature is valid.
///
/// # Errors
/// There are not as many verdicts as vectors.
pub fn differences(group: &Group, verdicts: &Verdicts) -> Result<Vec<Difference>> {
    let refused = || vec![false; group.expected.len()];
    let verdicts = verdicts.clone().unwrap_or_else(refused);
    (verdicts.len() == group.expected.len())
        .then_some(())
        .with_context(|| format!("{}: not one verdict for each vector", group.set))?;
    let differences = group
        .expected
        .iter()
        .zip(verdicts)
        .filter(|((_, valid), verdict)| valid != verdict)
        .map(|((number, valid), _)| Difference {
            set: group.set.clone(),
            number: *number,
            valid: *valid,
        });
    Ok(differences.collect())
}
