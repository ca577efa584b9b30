//! The paths that are tried: those of the corpus, and for each route of the policy everything in its neighbourhood that some
//! reader might take for it, or for another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::file;
use crate::corpus;

/// A path as it is sent, and in what it is unusual.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spelling {
    /// The request target, byte for byte.
    pub target: Vec<u8>,
    /// In what it is unusual.
    pub how: How,
}

/// In what a path is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// In nothing; but a parameter may hold what is a literal elsewhere.
    Plain,
    /// It is one of the corpus.
    Corpus,
    /// Letters of a literal are escaped.
    Escape,
    /// Letters of a literal are of the other case.
    Case,
    /// There is an escaped slash in it, whatever else there is.
    EncodedSlash,
    /// There is a slash at its end.
    TrailingSlash,
    /// Something else stands at its end.
    Ending,
    /// Something else stands in place of a slash.
    Separator,
    /// An octet, raw or escaped, stands in a parameter or behind a literal.
    Octet,
    /// A letter beyond ASCII is spelled in another way.
    Unicode,
    /// It is no path: a whole URL, a fragment.
    Target,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{self:?}");
        let mut words = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !words.is_empty() {
                words.push('-');
            }
            words.push(letter.to_ascii_lowercase());
        }
        f.write_str(&words)
    }
}

/// What `tests/upstreams/spellings.yaml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    endings: Vec<String>,
    separators: Vec<String>,
    places: Vec<String>,
    paths: BTreeMap<How, Vec<String>>,
}

/// All of them, each once, for the routes with these patterns.
///
/// # Errors
/// The corpus or the lists cannot be read.
pub fn all(patterns: &[String]) -> Result<Vec<Spelling>> {
    let text = std::fs::read_to_string(file("spellings.yaml")).context("spellings.yaml")?;
    let lists: Lists = serde_saphyr::from_str(&text).context("spellings.yaml")?;
    let mut found = BTreeMap::new();
    // The first to name a path says in what it is unusual.
    let mut add = |how, target: Vec<u8>| {
        let lower = target.to_ascii_lowercase();
        let has_slash = lower.windows(3).any(|three| three == b"%2f");
        let how = if has_slash { How::EncodedSlash } else { how };
        found.entry(target).or_insert(how);
    };
    let plain = plain(patterns);
    for path in &plain {
        add(How::Plain, path.clone().into_bytes());
    }
    for path in examples(patterns) {
        for (how, target) in neighbours(&path, &lists) {
            add(how, target);
        }
    }
    // A literal in a parameter's place has few neighbours that its own place does not have.
    for path in &plain {
        add(How::TrailingSlash, format!("{path}/").into_bytes());
    }
    for (how, paths) in &lists.paths {
        for path in paths {
            add(*how, path.clone().into_bytes());
        }
    }
    for target in octets(&lists.places) {
        add(How::Octet, target);
    }
    for target in corpus()? {
        add(How::Corpus, target);
    }
    let spelling = |(target, how)| Spelling { target, how };
    Ok(found.into_iter().map(spelling).collect())
}

/// The patterns of a policy's routes, in its order.
///
/// # Errors
/// The text is not YAML, or a route has no path.
pub fn patterns(policy: &str) -> Result<Vec<String>> {
    let policy: Value = serde_saphyr::from_str(policy)?;
    let routes = policy["routes"].as_array().context("no routes")?;
    routes
        .iter()
        .map(|route| {
            Ok(route["path"]
                .as_str()
                .context("a route without a path")?
                .to_owned())
        })
        .collect()
}

/// A path for each pattern.
pub fn examples(patterns: &[String]) -> Vec<String> {
    patterns
        .iter()
        .map(|pattern| filled(pattern, "7", "a/b"))
        .collect()
}

/// Those, and each pattern with each literal of the policy in place of its parameters, one after the other.
fn plain(patterns: &[String]) -> BTreeSet<String> {
    let mut words: BTreeSet<String> = patterns
        .iter()
        .flat_map(|pattern| pattern.split('/'))
        .filter(|segment| !segment.is_empty() && !segment.starts_with('{'))
        .map(escaped)
        .collect();
    words.insert("7".to_owned());
    let mut paths: BTreeSet<String> = examples(patterns).into_iter().collect();
    for pattern in patterns {
        for word in &words {
            paths.insert(filled(pattern, word, word));
            paths.insert(filled(pattern, word, ""));
            let twice = format!("{word}/{word}");
            paths.insert(filled(pattern, "7", &twice));
        }
    }
    paths
}

fn filled(pattern: &str, parameter: &str, rest: &str) -> String {
    let segments = pattern.split('/').filter_map(|segment| {
        if segment.starts_with("{*") {
            (!rest.is_empty()).then(|| rest.to_owned())
        } else if segment.starts_with('{') {
            Some(parameter.to_owned())
        } else {
            Some(escaped(segment))
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// What is beyond ASCII has to be escaped on the wire.
fn escaped(segment: &str) -> String {
    segment
        .bytes()
        .map(|octet| {
            if octet.is_ascii() {
                char::from(octet).to_string()
            } else {
                format!("%{octet:02X}")
            }
        })
        .collect()
}

fn neighbours(path: &str, lists: &Lists) -> Vec<(How, Vec<u8>)> {
    let mut found = vec![(How::TrailingSlash, format!("{path}/"))];
    let plain = |place: &usize| !path.contains('%') && path.as_bytes()[*place] != b'/';
    let mut all = String::new();
    for place in 0..path.len() {
        if !plain(&place) {
            all.push_str(&path[place..=place]);
            continue;
        }
        let (before, octet, after) = (&path[..place], path.as_bytes()[place], &path[place + 1..]);
        all.push_str(&format!("%{octet:02x}"));
        found.push((How::Escape, format!("{before}%{octet:02x}{after}")));
        found.push((How::Escape, format!("{before}%{octet:02X}{after}")));
        let letter = char::from(octet);
        let other = if letter.is_ascii_lowercase() {
            letter.to_ascii_uppercase()
        } else {
            letter.to_ascii_lowercase()
        };
        if other != letter {
            found.push((How::Case, format!("{before}{other}{after}")));
        }
    }
    found.push((How::Escape, all.clone()));
    found.push((How::TrailingSlash, format!("{all}/")));
    if !path.contains('%') {
        found.push((How::Case, path.to_ascii_uppercase()));
    }
    for ending in &lists.endings {
        found.push((How::Ending, format!("{path}{ending}")));
    }
    for (place, _) in path.match_indices('/') {
        // A target must begin with a slash; Envoy sees to that before any filter.
        let fits = |separator: &&String| place > 0 || separator.starts_with('/');
        for separator in lists.separators.iter().filter(fits) {
            found.push((
                How::Separator,
                format!("{}{separator}{}", &path[..place], &path[place + 1..]),
            ));
        }
    }
    found
        .into_iter()
        .map(|(how, target)| (how, target.into_bytes()))
        .collect()
}

/// Every octet, raw and escaped, stands in the first place; in the others those that mean something to some reader, escaped.
fn octets(places: &[String]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let (before, after) = place.split_once("{}").unwrap_or((place.as_str(), ""));
        let with = |middle: &[u8]| [before.as_bytes(), middle, after.as_bytes()].concat();
        for octet in 0..=u8::MAX {
            if index == 0 {
                found.push(with(&[octet]));
                found.push(with(format!("%{octet:02X}").as_bytes()));
            }
            if index == 0 || (octet.is_ascii() && !octet.is_ascii_alphanumeric()) {
                found.push(with(format!("%{octet:02x}").as_bytes()));
            }
        }
    }
    found
}

fn corpus() -> Result<Vec<Vec<u8>>> {
    let mut targets = Vec::new();
    for case in corpus::load()? {
        if !["paths", "routes"].contains(&case.file.as_str()) {
            continue;
        }
        for step in &case.steps {
            targets.extend(step.request.path()?);
        }
    }
    Ok(targets)
}
