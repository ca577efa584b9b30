//! Rules about claims: one claim, one test, values that JSON can tell apart.

use super::yaml::{Place, Spanned};
use serde_json::{Number, Value};

use super::error::{Explanation, Problems};
use super::file::ClaimRuleFile;
use super::read::List;
use super::scalar::{ClaimPath, Scalar};
use super::setting::{InvalidSetting, truth};
use super::{ClaimRule, ClaimTest};
use crate::json::EXACT_INTEGERS;

/// Why a claim rule is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidClaimRule {
    MissingClaim,
    EmptyPath,
    EmptyName,
    /// No test, or more than one.
    NotOneTest {
        found: usize,
    },
    /// A comparison with nothing.
    NoValue,
    /// A number that YAML writes and JSON does not (`+1`, `.5`), or one too large to be exact.
    NotAJsonNumber,
}

/// The rules of a route.
pub(super) fn claims(
    list: List<ClaimRuleFile>,
    problems: &mut Problems<'_>,
) -> Option<Vec<ClaimRule>> {
    let Some(list) = list else {
        return Some(Vec::new());
    };
    if list.value.is_empty() {
        let kind = InvalidSetting::EmptyList {
            field: "claims",
            remedy: "write a rule, as in `{ claim: org_id, equals: org_123 }`, or remove the field",
        };
        problems.report(list.place, kind);
        return None;
    }
    let rules: Vec<Option<ClaimRule>> = list
        .value
        .into_iter()
        .map(|file| rule(file, problems))
        .collect();
    rules.into_iter().collect()
}

fn rule(file: Spanned<ClaimRuleFile>, problems: &mut Problems<'_>) -> Option<ClaimRule> {
    let place = file.place;
    let ClaimRuleFile {
        claim,
        equals,
        one_of,
        contains,
        exists,
    } = file.value;
    let claim = path(claim, place, problems);
    let tests = [
        equals.is_some(),
        one_of.is_some(),
        contains.is_some(),
        exists.is_some(),
    ];
    let found = tests.into_iter().filter(|given| *given).count();
    if found != 1 {
        problems.report(place, InvalidClaimRule::NotOneTest { found });
        return None;
    }
    let equals = equals.map(|one| value(one, problems).map(ClaimTest::Equals));
    let one_of = one_of.map(|list| values(list, problems).map(ClaimTest::OneOf));
    let contains = contains.map(|one| value(one, problems).map(ClaimTest::Contains));
    let exists = exists.map(|one| truth(Some(one), problems).map(ClaimTest::Exists));
    let test = equals.or(one_of).or(contains).or(exists)?;
    Some(ClaimRule {
        claim: claim?,
        test: test?,
    })
}

fn path(
    claim: Option<Spanned<ClaimPath>>,
    rule: Place,
    problems: &mut Problems<'_>,
) -> Option<Vec<String>> {
    let (place, kind) = match claim {
        None => (rule, InvalidClaimRule::MissingClaim),
        Some(claim) if claim.value.0.is_empty() => (claim.place, InvalidClaimRule::EmptyPath),
        Some(claim) if claim.value.0.iter().any(String::is_empty) => {
            (claim.place, InvalidClaimRule::EmptyName)
        }
        Some(claim) => return Some(claim.value.0),
    };
    problems.report(place, kind);
    None
}

fn values(list: Spanned<Vec<Spanned<Scalar>>>, problems: &mut Problems<'_>) -> Option<Vec<Value>> {
    if list.value.is_empty() {
        let kind = InvalidSetting::EmptyList {
            field: "one_of",
            remedy: "name the values that are taken, or test with `exists: false`",
        };
        problems.report(list.place, kind);
        return None;
    }
    let values: Vec<Option<Value>> = list
        .value
        .into_iter()
        .map(|one| value(one, problems))
        .collect();
    values.into_iter().collect()
}

fn value(scalar: Spanned<Scalar>, problems: &mut Problems<'_>) -> Option<Value> {
    let place = scalar.place;
    let Some(value) = scalar.value.into_json() else {
        problems.report(place, InvalidClaimRule::NoValue);
        return None;
    };
    if let Value::Number(number) = &value
        && !problems
            .written(place)
            .is_some_and(|text| is_exactly(number, text))
    {
        problems.report(place, InvalidClaimRule::NotAJsonNumber);
        return None;
    }
    Some(value)
}

/// Whether a number is what JSON reads in its text, and an integer whole to the last digit: two account numbers of
/// thirty digits must not be equal because they are close.
fn is_exactly(number: &Number, text: &str) -> bool {
    let same = serde_json::from_str::<Number>(text).is_ok_and(|read| read == *number);
    let is_fraction = |value: f64| text.contains(['.', 'e', 'E']) && value.abs() < EXACT_INTEGERS;
    same && (!number.is_f64() || number.as_f64().is_some_and(is_fraction))
}

impl InvalidClaimRule {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::MissingClaim => Explanation::new(
                "this rule names no claim",
                "write `claim:` with its name, or a list of names that leads to it",
            ),
            Self::EmptyPath => Explanation::new(
                "this list leads to no claim",
                "write the names on the way to the claim, as in `[realm_access, roles]`",
            ),
            Self::EmptyName => Explanation::new(
                "a claim without a name is not asked for",
                "write the name of the claim",
            ),
            Self::NotOneTest { found } => Explanation::new(
                match found {
                    0 => "this rule tests nothing",
                    _ => "this rule has more than one test",
                },
                "write one of `equals`, `one_of`, `contains`, `exists`; a second test is a second rule",
            ),
            Self::NotAJsonNumber => Explanation::new(
                "this is no number that a token can hold exactly",
                "write it as JSON does, as in `17` or `2.5`, or in double quotes if it is meant as a text",
            ),
            Self::NoValue => Explanation::new(
                "there is no value to compare with",
                "write a text, a number, `true` or `false`, or test with `exists: false`",
            ),
        }
    }
}
