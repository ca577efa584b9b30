//! Where operations are served: what stands before their paths.

use crate::reference::percent_decoded;
use crate::tree::Node;

/// The most servers that are looked at. One for each region is usual, and one for each variant.
const MAX_SERVERS: usize = 64;

/// Why a base path is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoBasePath {
    /// A URL that is relative to where the document is.
    Relative {
        /// As the document writes it.
        url: String,
    },
    /// A variable without a default.
    Variable {
        /// As the document writes it.
        url: String,
    },
    /// No list, too many of them, or no URL.
    Malformed,
}

impl NoBasePath {
    /// What is wrong, as a part of a sentence.
    pub fn message(&self) -> String {
        match self {
            Self::Relative { url } => format!(
                "the server `{}` is relative to where the document is published",
                url.escape_debug()
            ),
            Self::Variable { url } => format!(
                "a variable of the server `{}` has no default",
                url.escape_debug()
            ),
            Self::Malformed => "its servers cannot be read".into(),
        }
    }
}

/// The base paths of the first servers that are given, without a slash at the end, each once; one that is empty where none are given.
pub(crate) fn base_paths(servers: [Option<&Node>; 3]) -> Result<Vec<String>, NoBasePath> {
    let given = servers.into_iter().flatten();
    let mut given = given.filter(|list| list.items().is_none_or(|items| !items.is_empty()));
    let Some(servers) = given.next() else {
        return Ok(vec![String::new()]);
    };
    let servers = servers.items().ok_or(NoBasePath::Malformed)?;
    if servers.len() > MAX_SERVERS {
        return Err(NoBasePath::Malformed);
    }
    let mut paths = Vec::new();
    for server in servers {
        let path = base_path(server)?;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn base_path(server: &Node) -> Result<String, NoBasePath> {
    let written = server.text_of("url").ok_or(NoBasePath::Malformed)?;
    let url = with_defaults(written, server.value("variables"))?;
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let behind_host = |rest: &str| match rest.split_once('/') {
        Some((_, path)) => format!("/{path}"),
        None => String::new(),
    };
    let path = match (url.split_once("://"), url.strip_prefix("//")) {
        (Some((_, rest)), _) | (None, Some(rest)) => behind_host(rest),
        (None, None) if url.is_empty() || url.starts_with('/') => url.to_owned(),
        (None, None) => {
            let url = written.to_owned();
            return Err(NoBasePath::Relative { url });
        }
    };
    let path = path.trim_end_matches('/');
    percent_decoded(path).ok_or(NoBasePath::Malformed)
}

/// A URL with the defaults of its variables.
fn with_defaults(url: &str, variables: Option<&Node>) -> Result<String, NoBasePath> {
    let mut filled = String::new();
    let mut rest = url;
    while let Some((before, behind)) = rest.split_once('{') {
        let missing = || NoBasePath::Variable { url: url.into() };
        let (name, behind) = behind.split_once('}').ok_or_else(missing)?;
        let variable = variables.and_then(|all| all.value(name));
        let default = variable.and_then(|variable| variable.text_of("default"));
        filled.push_str(before);
        filled.push_str(default.ok_or_else(missing)?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}
