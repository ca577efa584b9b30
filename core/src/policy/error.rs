//! What is wrong with a policy text: where, what, and what to write instead.

use std::borrow::Cow;
use std::fmt;

use super::yaml::Place;

use super::address::InvalidUrl;
use super::claim_rule::InvalidClaimRule;
use super::excerpt;
use super::forward::InvalidForward;
use super::issuer::InvalidIssuer;
use super::key_origin::InvalidKeyOrigin;
use super::names::UnknownIssuer;
use super::quantity::InvalidQuantity;
use super::route::InvalidRoute;
use super::setting::InvalidSetting;
use super::yaml::Unreadable;

/// The most problems that are told at once. Nobody reads more, and a host logs what it is told.
const MAX_PROBLEMS: usize = 50;

/// A policy text that cannot be used: its problems in the order of the text, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPolicy {
    /// The problems, at most 50.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub untold: usize,
}

/// One problem of a policy text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: u32,
    /// The column, in characters, counted from 1.
    pub column: u32,
    /// How far the offending text goes from there in its line, in characters; 0 when something is missing, or is not to be shown.
    pub length: u32,
    pub(crate) kind: ProblemKind,
    offending: String,
}

/// What is wrong, by the noun it is wrong with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    Unreadable(Unreadable),
    Setting(InvalidSetting),
    Quantity(InvalidQuantity),
    Issuer(InvalidIssuer),
    KeyOrigin(InvalidKeyOrigin),
    Url(InvalidUrl),
    Forward(InvalidForward),
    Route(InvalidRoute),
    ClaimRule(InvalidClaimRule),
    UnknownIssuer(UnknownIssuer),
}

/// A problem in words: a sentence about the offending text, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    pub(crate) wrong: String,
    pub(crate) remedy: String,
}

impl Explanation {
    pub(crate) fn new(wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            wrong: wrong.into(),
            remedy: remedy.into(),
        }
    }
}

impl Problem {
    /// What kind of problem it is, for programs: one of [`PROBLEM_CODES`](super::PROBLEM_CODES).
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What is wrong, in one sentence without the place.
    pub fn message(&self) -> String {
        self.kind.explain().wrong
    }

    /// What to write instead.
    pub fn remedy(&self) -> String {
        self.kind.explain().remedy
    }

    /// The text that is wrong, cut to a readable length; empty when something is missing.
    pub fn offending(&self) -> &str {
        &self.offending
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { wrong, remedy } = self.kind.explain();
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.offending.is_empty() {
            write!(f, "`{}`: ", self.offending)?;
        }
        write!(f, "{wrong}; {remedy}")
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        match self.untold {
            0 => Ok(()),
            untold => write!(f, "\nand {untold} more"),
        }
    }
}

impl std::error::Error for InvalidPolicy {}

/// The problems found so far in a text.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<Problem>,
    untold: usize,
}

impl<'t> Problems<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self {
            text,
            found: Vec::new(),
            untold: 0,
        }
    }

    /// Notes a problem with what stands at that place.
    pub(super) fn report(&mut self, at: Place, kind: impl Into<ProblemKind>) {
        self.push(place(at), kind.into(), |text| excerpt::at(text, at));
    }

    /// Notes a problem that explains all that were found before it.
    pub(super) fn report_alone(&mut self, at: Place, kind: impl Into<ProblemKind>) {
        self.found.clear();
        self.untold = 0;
        self.report(at, kind);
    }

    /// Notes a problem without showing what stands at that place.
    pub(super) fn report_unseen(&mut self, at: Place, kind: impl Into<ProblemKind>) {
        self.push(place(at), kind.into(), |_| "".into());
    }

    /// Notes a problem in a text that no YAML was read from.
    pub(super) fn report_in(&mut self, line: u32, column: u32, kind: impl Into<ProblemKind>) {
        self.push((line, column), kind.into(), |_| "".into());
    }

    /// The scalar at that place, as it is written.
    pub(super) fn written(&self, at: Place) -> Option<&'t str> {
        at.scalar_of(self.text)
    }

    pub(super) fn into_result<T>(mut self, value: Option<T>) -> Result<T, InvalidPolicy> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => {
                self.found
                    .sort_by_key(|problem| (problem.line, problem.column));
                Err(InvalidPolicy {
                    problems: self.found,
                    untold: self.untold,
                })
            }
        }
    }

    /// The text is only searched for a problem that will be told: a thousand lines with a thousand problems
    /// would be searched a million times.
    fn push(
        &mut self,
        (line, column): (u32, u32),
        kind: ProblemKind,
        offending: impl FnOnce(&'t str) -> Cow<'t, str>,
    ) {
        if self.found.len() >= MAX_PROBLEMS {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        let offending = offending(self.text);
        let length = match &offending {
            Cow::Borrowed(text) => text.chars().count(),
            // What was put together stands before the place, which is that of a colon.
            Cow::Owned(_) => 1,
        };
        self.found.push(Problem {
            line,
            column,
            length: u32::try_from(length).unwrap_or(u32::MAX),
            kind,
            offending: excerpt::shown(&offending),
        });
    }
}

/// Line and column; the beginning of the text for what stands nowhere in it.
fn place(at: Place) -> (u32, u32) {
    (at.line.max(1), at.column.max(1))
}

impl ProblemKind {
    fn explain(&self) -> Explanation {
        match self {
            Self::Unreadable(kind) => kind.explain(),
            Self::Setting(kind) => kind.explain(),
            Self::Quantity(kind) => kind.explain(),
            Self::Issuer(kind) => kind.explain(),
            Self::KeyOrigin(kind) => kind.explain(),
            Self::Url(kind) => kind.explain(),
            Self::Forward(kind) => kind.explain(),
            Self::Route(kind) => kind.explain(),
            Self::ClaimRule(kind) => kind.explain(),
            Self::UnknownIssuer(kind) => kind.explain(),
        }
    }
}

macro_rules! kinds {
    ($($inner:ident => $variant:ident),* $(,)?) => {$(
        impl From<$inner> for ProblemKind {
            fn from(kind: $inner) -> Self {
                Self::$variant(kind)
            }
        }
    )*};
}

kinds! {
    Unreadable => Unreadable,
    InvalidSetting => Setting,
    InvalidQuantity => Quantity,
    InvalidIssuer => Issuer,
    InvalidKeyOrigin => KeyOrigin,
    InvalidUrl => Url,
    InvalidForward => Forward,
    InvalidRoute => Route,
    InvalidClaimRule => ClaimRule,
    UnknownIssuer => UnknownIssuer,
}
