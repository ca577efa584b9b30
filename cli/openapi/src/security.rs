//! What an operation demands, as the document writes it: any one of several alternatives, each with all of its members.

use crate::tree::Node;

/// The most alternatives of an operation.
const MAX_ALTERNATIVES: usize = 64;

/// What is said of an operation's security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing, neither at the operation nor at the top.
    Undeclared,
    /// Something that is no list of requirements.
    Malformed,
    /// Any of these. None at all is public.
    Any(Vec<Alternative>),
}

/// All of these at once. None at all is without any credential.
pub type Alternative = Vec<Requirement>;

/// One scheme, and what it must grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its name.
    pub scheme: String,
    /// Scopes, or roles.
    pub list: Vec<String>,
}

/// An operation's own security replaces the one at the top.
pub(crate) fn of(own: Option<&Node>, top: Option<&Node>) -> Security {
    let Some(security) = own.or(top) else {
        return Security::Undeclared;
    };
    let Some(alternatives) = security.items() else {
        return Security::Malformed;
    };
    if alternatives.len() > MAX_ALTERNATIVES {
        return Security::Malformed;
    }
    let alternatives: Option<Vec<Alternative>> = alternatives.iter().map(alternative).collect();
    alternatives.map_or(Security::Malformed, Security::Any)
}

fn alternative(node: &Node) -> Option<Alternative> {
    let Node::Mapping(entries) = node else {
        return None;
    };
    let members = entries.iter().map(|(scheme, list)| {
        let list = list.items()?.iter();
        let list: Option<Vec<String>> = list.map(|item| item.text().map(str::to_owned)).collect();
        let scheme = scheme.text.clone();
        Some(Requirement {
            scheme,
            list: list?,
        })
    });
    members.collect()
}
