//! The file through which Envoy gets the filter and its policy (ECDS, the extension configuration discovery service).

use std::path::Path;

use anyhow::bail;

use super::path_text;
use crate::document::Document;
use crate::render::yaml::{comment, indented, quoted};

/// What stands before the policy. Its last line says by the 2 how far the text is indented beyond `value`, so that a policy whose first line
/// starts with spaces comes out as it is.
const TEMPLATE: &str = include_str!("ecds.yaml");

/// How far the policy's lines stand to the right.
const DEPTH: usize = 12;

/// The file with this policy, line by line: "line 7" in an error of the filter is line 7 of the policy.
///
/// # Errors
/// The policy holds what YAML cannot, or the path is not UTF-8.
pub(super) fn render(document: &Document, filter: &Path) -> anyhow::Result<String> {
    let policy = document.text.replace("\r\n", "\n");
    // YAML 1.2 section 5.1 refuses most of them.
    if let Some(character) = policy
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    {
        bail!(
            "it holds the character {character:?}, which a YAML file may not; write it as an escape in double quotes"
        );
    }
    let mut text = TEMPLATE
        .replace("@policy@", &comment(&document.name))
        .replace("@filter@", &quoted(path_text(filter)?));
    text.push_str(&indented(&policy, DEPTH));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document {
            name: "policy.yaml".into(),
            text: text.into(),
        }
    }

    fn tree(text: &str) -> scopegate_yaml::Value {
        let tree = scopegate_yaml::tree(text, &mut |_, fault| panic!("{fault:?}"));
        crate::render::yaml::placeless(&tree.unwrap()).value
    }

    #[test]
    fn it_is_the_shipped_file() {
        let policy = include_str!("../../../../examples/timesheets/policy.yaml");
        let shipped = include_str!("../../../../envoy/ecds.yaml");
        let filter = Path::new("target/dist/scopegate-filter.wasm");
        let rendered = render(&document(policy), filter).unwrap();
        assert_eq!(tree(&rendered), tree(shipped));
    }

    #[test]
    fn every_line_of_the_policy_stays_a_line() {
        let rendered =
            render(&document("  a: 1\r\n\n\tb: 2\n"), Path::new("a \"b\".wasm")).unwrap();
        assert!(
            rendered.contains("filename: \"a \\\"b\\\".wasm\"\n"),
            "{rendered}"
        );
        assert!(
            rendered.ends_with("value: |2\n              a: 1\n\n            \tb: 2\n"),
            "{rendered}"
        );
    }

    #[test]
    fn a_policy_that_yaml_cannot_hold_is_refused() {
        for text in ["a\0b", "a\u{1b}b", "a\u{85}b"] {
            assert!(
                render(&document(text), Path::new("a.wasm")).is_err(),
                "{text:?}"
            );
        }
    }
}
