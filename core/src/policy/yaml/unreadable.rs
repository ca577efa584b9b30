//! Why a text is no policy file, in words.

use scopegate_yaml::Fault;

use super::super::error::Explanation;
use super::super::excerpt;
use super::MAX_POLICY_BYTES;

/// Why a text could not be read as a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    TooLarge,
    Empty,
    /// A carriage return that no line feed follows.
    LoneCarriageReturn,
    UnknownField {
        field: String,
        known: &'static [&'static str],
    },
    DuplicateKey {
        key: String,
    },
    /// A number or a truth value where a text belongs.
    NotText,
    /// A number that not every reader takes for the same one, or that JSON cannot have.
    DisputedNumber,
    /// A field with nothing behind its colon.
    Blank,
    WrongType {
        expected: &'static str,
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

impl From<Fault> for Unreadable {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Empty => Self::Empty,
            Fault::DuplicateKey { key } => Self::DuplicateKey { key },
            Fault::NotText => Self::NotText,
            Fault::NotAKey => Self::WrongType { expected: "a text" },
            Fault::DisputedNumber => Self::DisputedNumber,
            Fault::ManyDocuments => Self::ManyDocuments,
            Fault::Reference => Self::Reference,
            Fault::Tag => Self::Tag,
            Fault::TooComplex => Self::TooComplex,
            Fault::Syntax { message } => Self::Syntax { message },
        }
    }
}

impl Unreadable {
    pub(crate) fn explain(&self) -> Explanation {
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
                format!("`{}` stands here twice", excerpt::shown(key)),
                "keep one of the two",
            ),
            Self::NotText => Explanation::new(
                "a text belongs here, and YAML reads this as a number, a truth value or nothing",
                "put it in double quotes if it is meant as a text",
            ),
            Self::DisputedNumber => Explanation::new(
                "readers of YAML disagree about this number, or JSON has none like it",
                "write it as JSON does, as in `127` or `0.5`, or in double quotes if it is meant as a text",
            ),
            Self::Blank => {
                Explanation::new("there is no value here", "write one, or remove the field")
            }
            Self::WrongType { expected } => Explanation::new(
                "something of another kind belongs here",
                format!("write {expected}"),
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
