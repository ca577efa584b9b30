//! Settings that are a word, a text or a list of texts.

use super::yaml::Spanned;

use super::error::{Explanation, Problems};
use super::excerpt;
use super::scalar::Scalar;
use super::{Mode, Preflight, TokenForwarding, TokenType};
use crate::jwks::OnEmpty;

pub(super) const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];
pub(super) const TOKEN_FORWARDINGS: [(&str, TokenForwarding); 2] = [
    ("keep", TokenForwarding::Keep),
    ("strip", TokenForwarding::Strip),
];
pub(super) const PREFLIGHTS: [(&str, Preflight); 2] =
    [("pass", Preflight::Pass), ("refuse", Preflight::Refuse)];
pub(super) const TOKEN_TYPES: [(&str, TokenType); 2] =
    [("any", TokenType::Any), ("at+jwt", TokenType::AtJwt)];
pub(super) const ON_EMPTY: [(&str, OnEmpty); 2] =
    [("keep", OnEmpty::Keep), ("refuse", OnEmpty::Refuse)];

/// What is wrong with a setting of no particular kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidSetting {
    MissingVersion,
    UnknownVersion,
    MissingRealm,
    EmptyRealm,
    LongRealm {
        limit: usize,
    },
    RealmCharacter(char),
    MissingRoutes,
    /// Some route needs a token, and no issuer could have made one.
    MissingIssuers,
    /// A word that is none of those allowed there.
    UnknownWord {
        field: &'static str,
        known: Vec<&'static str>,
    },
    /// Neither `true` nor `false`.
    NotTruth,
    /// A list that must not be empty.
    EmptyList {
        field: &'static str,
        remedy: &'static str,
    },
    /// An empty text in a list or field where it can mean nothing.
    EmptyText {
        field: &'static str,
    },
}

/// The meaning of a word, if it is given. The outer option says whether all is well.
pub(super) fn word<T: Copy>(
    field: Option<Spanned<String>>,
    name: &'static str,
    words: &[(&'static str, T)],
    problems: &mut Problems<'_>,
) -> Option<Option<T>> {
    let Some(field) = field else {
        return Some(None);
    };
    let meaning = words.iter().find(|(word, _)| *word == field.value);
    if meaning.is_none() {
        let kind = InvalidSetting::UnknownWord {
            field: name,
            known: words.iter().map(|(word, _)| *word).collect(),
        };
        problems.report(field.place, kind);
    }
    meaning.map(|(_, meaning)| Some(*meaning))
}

/// A truth value; false when it is not given.
pub(super) fn truth(field: Option<Spanned<Scalar>>, problems: &mut Problems<'_>) -> Option<bool> {
    let Some(field) = field else {
        return Some(false);
    };
    let truth = field.value.as_truth();
    if truth.is_none() {
        problems.report(field.place, InvalidSetting::NotTruth);
    }
    truth
}

/// A text that says something.
pub(super) fn non_empty(
    text: Spanned<String>,
    field: &'static str,
    problems: &mut Problems<'_>,
) -> Option<String> {
    if text.value.is_empty() {
        problems.report(text.place, InvalidSetting::EmptyText { field });
        return None;
    }
    Some(text.value)
}

/// A list that says something, of texts that do.
pub(super) fn texts(
    list: Spanned<Vec<Spanned<String>>>,
    field: &'static str,
    remedy: &'static str,
    problems: &mut Problems<'_>,
) -> Option<Vec<String>> {
    if list.value.is_empty() {
        problems.report(list.place, InvalidSetting::EmptyList { field, remedy });
        return None;
    }
    let texts: Vec<Option<String>> = list
        .value
        .into_iter()
        .map(|text| non_empty(text, field, problems))
        .collect();
    texts.into_iter().collect()
}

impl InvalidSetting {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::MissingVersion => Explanation::new(
                "the policy does not say which version of its format it has",
                "write `version: 1` at the top",
            ),
            Self::UnknownVersion => Explanation::new(
                "this is not a version of the format that can be read here",
                "write `version: 1`",
            ),
            Self::MissingRealm => Explanation::new(
                "the policy has no realm, and every challenge names one",
                "write a short name for what is protected, as in `realm: timesheets`",
            ),
            Self::EmptyRealm => Explanation::new(
                "the realm is empty",
                "write a short name for what is protected, as in `realm: timesheets`",
            ),
            Self::LongRealm { limit } => Explanation::new(
                format!("the realm is longer than {limit} characters"),
                "shorten it: it is sent with every challenge",
            ),
            Self::RealmCharacter(found) => Explanation::new(
                format!(
                    "`{}` cannot stand in a challenge (RFC 9110 section 5.6.4)",
                    excerpt::shown(&found.to_string())
                ),
                "use letters, digits, spaces and ASCII punctuation without `\"` and `\\`",
            ),
            Self::MissingRoutes => Explanation::new(
                "the policy has no routes, so that it would refuse every request",
                "write `routes:` and under it at least one route, as in `- { path: /healthz, public: true }`",
            ),
            Self::MissingIssuers => Explanation::new(
                "this route needs a token, and the policy names no issuer that could have made one",
                "write `issuers:` and under it at least one issuer",
            ),
            Self::UnknownWord { field, known } => Explanation::new(
                format!("`{field}` does not know this word"),
                format!("write {}", excerpt::choice(known)),
            ),
            Self::NotTruth => Explanation::new(
                "this is neither `true` nor `false`",
                "write one of the two, without quotes",
            ),
            Self::EmptyList { field, remedy } => {
                Explanation::new(format!("`{field}` is empty"), *remedy)
            }
            Self::EmptyText { field } => Explanation::new(
                format!("an empty text in `{field}` matches nothing that an issuer sends"),
                "write the value, or remove it",
            ),
        }
    }
}
