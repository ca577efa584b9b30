//! From text to file shape: what YAML this is, and what went wrong when it is none.

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, Options};
use serde_saphyr::{Error, Location, MessageFormatter, Spanned, UserMessageFormatter};

use super::error::{Explanation, ProblemKind, Problems};
use super::excerpt;
use super::file::PolicyFile;
use super::scalar::{BLANK_SECTION, Scalar};
use super::setting::InvalidSetting;

/// The largest policy text. Ten thousand routes fit; a filter gets the text in one configuration message.
const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// The deepest nesting. The format itself needs seven levels.
const MAX_DEPTH: usize = 16;

/// Why a text could not be read as a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    TooLarge,
    Empty,
    /// A carriage return that no line feed follows.
    LoneCarriageReturn,
    UnknownField {
        field: String,
        known: Vec<&'static str>,
    },
    DuplicateKey {
        key: Option<String>,
    },
    /// A number or a truth value where a text belongs.
    NotText,
    /// A field with nothing behind its colon.
    Blank,
    WrongType {
        expected: String,
    },
    ManyDocuments,
    /// Anchors, aliases and merge keys: a policy says everything where it stands.
    Reference,
    Tag,
    TooComplex,
    /// Whatever else the YAML reader says.
    Syntax {
        message: String,
    },
}

/// The file shape of a text.
pub(super) fn read(text: &str, problems: &mut Problems<'_>) -> Option<PolicyFile> {
    if text.len() > MAX_POLICY_BYTES {
        problems.report(Location::UNKNOWN, Unreadable::TooLarge);
        return None;
    }
    // To YAML it ends a line, and with it a comment; most editors show nothing there, and a route behind it looks like a
    // part of the comment.
    if let Some((line, column)) = lone_carriage_return(text) {
        problems.report_in(line, column, Unreadable::LoneCarriageReturn);
        return None;
    }
    // Comments and a document marker are no content either.
    let blank = |line: &str| line.is_empty() || line.starts_with('#') || line == "---";
    if text.lines().all(|line| blank(line.trim())) {
        problems.report(Location::UNKNOWN, Unreadable::Empty);
        return None;
    }
    match serde_saphyr::from_str_with_options::<PolicyFile>(text, options()) {
        Ok(file) => Some(file),
        Err(error) => {
            match other_version(text) {
                Some(place) => problems.report(place, InvalidSetting::UnknownVersion),
                None => {
                    let error = error.without_snippet();
                    let at = error.location().unwrap_or(Location::UNKNOWN);
                    problems.report(at, kind(error));
                }
            }
            None
        }
    }
}

/// Line and column of the first carriage return that no line feed follows.
fn lone_carriage_return(text: &str) -> Option<(u64, u64)> {
    (1..).zip(text.split('\n')).find_map(|(line, content)| {
        let content = content.strip_suffix('\r').unwrap_or(content);
        let (before, _) = content.split_once('\r')?;
        let column = u64::try_from(before.chars().count()).unwrap_or(u64::MAX);
        Some((line, column.saturating_add(1)))
    })
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_documents: 1,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        // `no` and `on` are words. Numbers, `true` and `null` are texts only in quotes.
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// Where a text says that it has another version: then it is no wonder that its fields are unknown.
fn other_version(text: &str) -> Option<Location> {
    #[derive(serde::Deserialize)]
    struct VersionOnly {
        version: Spanned<Scalar>,
    }
    let file: VersionOnly = serde_saphyr::from_str_with_options(text, options()).ok()?;
    let this = Scalar::Number(1.into());
    (file.version.value != this).then_some(file.version.referenced)
}

fn kind(error: &Error) -> ProblemKind {
    let kind = match error {
        Error::Eof { .. } => Unreadable::Empty,
        Error::SerdeUnknownField {
            field, expected, ..
        } => Unreadable::UnknownField {
            field: field.clone(),
            known: expected.clone(),
        },
        Error::DuplicateMappingKey { key, .. } => Unreadable::DuplicateKey { key: key.clone() },
        Error::QuotingRequired { .. } => Unreadable::NotText,
        Error::NullIntoString { .. } => Unreadable::Blank,
        Error::SerdeInvalidType { expected, .. } => Unreadable::WrongType {
            expected: expected.clone(),
        },
        Error::Unexpected { expected, .. } => Unreadable::WrongType {
            expected: shape(expected).into(),
        },
        Error::NonFiniteFloat { .. } => Unreadable::WrongType {
            expected: "a number that is finite".into(),
        },
        Error::MultipleDocuments { .. } => Unreadable::ManyDocuments,
        Error::MergeKeyNotAllowed { .. }
        | Error::UnknownAnchor { .. }
        | Error::AliasError { .. }
        | Error::Budget {
            breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. },
            ..
        } => Unreadable::Reference,
        Error::Budget {
            breach: BudgetBreach::Documents { .. },
            ..
        } => Unreadable::ManyDocuments,
        Error::Budget { .. } => Unreadable::TooComplex,
        Error::UnsupportedTag { .. } => Unreadable::Tag,
        Error::Message { msg, .. } if msg == BLANK_SECTION => Unreadable::Blank,
        // The reader has some sixty kinds of errors; these are the ones that a person writing YAML meets.
        other => Unreadable::Syntax {
            message: UserMessageFormatter.format_message(other).into_owned(),
        },
    };
    kind.into()
}

/// The shapes of YAML as a policy calls them.
fn shape(expected: &str) -> &str {
    match expected {
        "mapping start" => "a mapping, as in `name: value`",
        "sequence start" => "a list, as in `[a, b]`",
        "string scalar" => "a text",
        other => other,
    }
}

impl Unreadable {
    pub(super) fn explain(&self) -> Explanation {
        match self {
            Self::TooLarge => Explanation::new(
                format!("the policy is larger than {} KiB", MAX_POLICY_BYTES / 1024),
                "use patterns such as `/reports/{*rest}` instead of one route per path",
            ),
            Self::Empty => Explanation::new(
                "the policy is empty",
                "start with `version: 1`, `realm: …`, `issuers:` and `routes:`",
            ),
            Self::LoneCarriageReturn => Explanation::new(
                "a carriage return stands here without a line feed; YAML begins a new line there, and editors do not show it",
                "remove it, or end the line with a line feed",
            ),
            Self::UnknownField { field, known } => Explanation::new(
                format!("there is no field `{}` here", excerpt::shown(field)),
                format!("write {}", excerpt::choice(known)),
            ),
            Self::DuplicateKey { key } => Explanation::new(
                match key {
                    Some(key) => format!("`{}` stands here twice", excerpt::shown(key)),
                    None => "a key stands here twice".into(),
                },
                "keep one of the two",
            ),
            Self::NotText => Explanation::new(
                "a text belongs here, and YAML reads this as a number, a truth value or nothing",
                "put it in double quotes if it is meant as a text",
            ),
            Self::Blank => {
                Explanation::new("there is no value here", "write one, or remove the field")
            }
            Self::WrongType { expected } => Explanation::new(
                "something of another kind belongs here",
                format!("write {}", excerpt::shown(expected)),
            ),
            Self::ManyDocuments => Explanation::new(
                "a second YAML document starts here",
                "keep one document: remove what stands from the `---` on",
            ),
            Self::Reference => Explanation::new(
                "a policy has no anchors (`&`), aliases (`*`) and merge keys (`<<`)",
                "write the values out; a text that starts with `*` or `&` needs double quotes",
            ),
            Self::Tag => Explanation::new(
                "a policy has no YAML tags (`!…`)",
                "remove it; a text that starts with `!` needs double quotes",
            ),
            Self::TooComplex => Explanation::new(
                "the policy is nested too deeply or has too many values",
                "check the indentation and the brackets from here on",
            ),
            Self::Syntax { message } => Explanation::new(
                format!("this is not YAML: {}", excerpt::shown(message)),
                "check the indentation, brackets and quotes up to this place",
            ),
        }
    }
}
