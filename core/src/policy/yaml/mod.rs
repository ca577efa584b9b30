//! From text to file shape: what YAML this is, and what went wrong when it is none.

mod unreadable;

pub(super) use scopegate_yaml::{Node, Place, Spanned, Value};
pub(super) use unreadable::Unreadable;

use super::error::Problems;
use super::file::PolicyFile;
use super::read::Read;
use super::setting::InvalidSetting;

/// The largest policy text. Ten thousand routes fit; a filter gets the text in one configuration message.
const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// The tree of a text.
pub(super) fn tree(text: &str, problems: &mut Problems<'_>) -> Option<Node> {
    if text.len() > MAX_POLICY_BYTES {
        problems.report(Place::NOWHERE, Unreadable::TooLarge);
        return None;
    }
    // To YAML it ends a line, and with it a comment; most editors show nothing there, and a route behind it looks like a
    // part of the comment.
    if let Some((line, column)) = lone_carriage_return(text) {
        problems.report_in(line, column, Unreadable::LoneCarriageReturn);
        return None;
    }
    scopegate_yaml::tree(text, &mut |place, fault| {
        problems.report(place, Unreadable::from(fault));
    })
}

/// The file shape of a tree.
pub(super) fn file(root: Node, problems: &mut Problems<'_>) -> Option<PolicyFile> {
    let other_version = other_version(&root);
    let file = PolicyFile::read(root, problems);
    match (file, other_version) {
        // It is no wonder that its fields are unknown.
        (None, Some(place)) => {
            problems.report_alone(place, InvalidSetting::UnknownVersion);
            None
        }
        (file, _) => file,
    }
}

/// Line and column of the first carriage return that no line feed follows.
fn lone_carriage_return(text: &str) -> Option<(u32, u32)> {
    if !text.contains('\r') {
        return None;
    }
    (1..).zip(text.split('\n')).find_map(|(line, content)| {
        let content = content.strip_suffix('\r').unwrap_or(content);
        let (before, _) = content.split_once('\r')?;
        let column = u32::try_from(before.chars().count()).unwrap_or(u32::MAX);
        Some((line, column.saturating_add(1)))
    })
}

/// Where a text says that it has another version.
fn other_version(root: &Node) -> Option<Place> {
    let Value::Mapping(entries) = &root.value else {
        return None;
    };
    let (_, version) = entries.iter().find(|(key, _)| key.value == "version")?;
    match &version.value {
        Value::List(_) | Value::Mapping(_) => None,
        value => (*value != Value::Number(1.into())).then_some(version.place),
    }
}
