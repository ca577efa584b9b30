//! What Istio and Envoy Gateway share: names of Kubernetes, and the policy as a part of a resource.

use anyhow::Context as _;

use super::yaml;
use crate::document::Document;

/// The policy as YAML for inside a resource: it reaches the filter as JSON text. Comments are lost on that way, whatever is written.
///
/// # Errors
/// It holds a number that does not survive the way.
pub(super) fn policy_block(document: &Document, depth: usize) -> anyhow::Result<String> {
    let tree = scopegate_yaml::tree(&document.text, &mut |_, _| {});
    let tree = tree.context("the policy is not YAML")?;
    Ok(yaml::indented(&yaml::block(&tree)?, depth))
}

/// Reads the name of a resource: a DNS subdomain (RFC 1123).
pub(super) fn name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let edge = |octet: Option<u8>| octet.is_some_and(|octet| octet.is_ascii_alphanumeric());
        let fits = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-');
        edge(label.bytes().next()) && edge(label.bytes().last()) && label.bytes().all(fits)
    };
    match text.len() <= 253 && text.split('.').all(label) {
        true => Ok(text.to_owned()),
        false => Err("use lower-case letters, digits, `-` and `.`".into()),
    }
}

/// Reads `name=value`, a label.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"-_./".contains(&octet);
    match text.split_once('=') {
        Some((name, value))
            if !name.is_empty() && (name.bytes().chain(value.bytes())).all(fits) =>
        {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("write it as `istio=ingressgateway`".into()),
    }
}

/// Reads a SHA-256 in hexadecimal digits.
pub(super) fn sha256(text: &str) -> Result<String, String> {
    let fits = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
    match text.len() == 64 && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("write 64 hexadecimal digits, as `sha256sum` prints them".into()),
    }
}

/// A name for what is about that host.
pub(super) fn name_for(prefix: &str, host: &str) -> String {
    let host: String = host
        .chars()
        .map(|c| {
            if matches!(c, 'a'..='z' | '0'..='9' | '.') {
                c
            } else {
                '-'
            }
        })
        .collect();
    format!("{prefix}-{}", host.trim_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_kubernetes() {
        for text in ["scopegate", "a.b-c", "1"] {
            assert!(name(text).is_ok(), "{text}");
        }
        for text in ["", "A", "a_b", "-a", "a-", "a..b", "a/b", "a\nb"] {
            assert!(name(text).is_err(), "{text:?}");
        }
        assert_eq!(
            name_for("scopegate", "id_1.example."),
            "scopegate-id-1.example"
        );
        assert_eq!(label("app.kubernetes.io/name=gw").unwrap().1, "gw");
        assert!(label("gw").is_err() && label("=a").is_err() && label("a=b c").is_err());
        assert!(sha256(&"0a".repeat(32)).is_ok());
        assert!(sha256(&"0A".repeat(32)).is_err() && sha256("0a").is_err());
    }
}
