//! The file through which Envoy gets the filter and its policy.
//!
//! `envoy/ecds.yaml` is the template and the result in one: all of it down to the line `value: |2` stands as it is, and what
//! follows is the policy, indented. A YAML block scalar keeps every line of the policy a line, so that "line 7, column 5" in
//! an error of the filter is line 7 of `policy.yaml`.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// Puts the text there in one step. Envoy looks at the file when it is moved there, and never sees half of it.
pub use crate::replacement::replace;

/// The last line of the template. The 2 says how far the text is indented beyond `value`, so that a policy whose first
/// line starts with spaces comes out as it is.
const START_OF_TEXT: &str = "value: |2";

/// The template with this policy as its text, and with this filter.
///
/// # Errors
/// The template has no line `value: |2` or no line `filename: …`, or the policy holds what YAML cannot.
pub fn render(template: &str, policy: &str, filter: &Path) -> Result<String> {
    let policy = policy.replace("\r\n", "\n");
    // YAML 1.2 section 5.1 refuses most of them, and takes a lone \r for the end of a line, which no editor does.
    if let Some(character) = policy
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    {
        bail!("the policy holds the character {character:?}, which a YAML file may not");
    }
    let filter = filter
        .to_str()
        .context("the path of the filter is not UTF-8")?;
    // JSON text in quotes is YAML text in quotes: whatever the path holds.
    let filename = serde_json::to_string(filter)?;

    let mut rendered = String::new();
    let mut found_filename = false;
    for line in template.lines() {
        let text = line.trim_start();
        let depth = line.len().saturating_sub(text.len());
        if text.starts_with("filename: ") {
            found_filename = true;
            rendered.push_str(&format!("{:depth$}filename: {filename}\n", ""));
            continue;
        }
        rendered.push_str(line);
        rendered.push('\n');
        if text == START_OF_TEXT {
            if !found_filename {
                bail!("the template of the ECDS file has no line `filename: …`");
            }
            let depth = depth.saturating_add(2);
            for line in policy.lines() {
                // An empty line needs no spaces to stay empty.
                let depth = if line.is_empty() { 0 } else { depth };
                rendered.push_str(&format!("{:depth$}{line}\n", ""));
            }
            return Ok(rendered);
        }
    }
    bail!("the template of the ECDS file has no line `{START_OF_TEXT}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../envoy/ecds.yaml");
    const POLICY: &str = include_str!("../../examples/timesheets/policy.yaml");
    const FILTER: &str = "target/dist/scopegate-filter.wasm";

    #[test]
    fn the_shipped_file_holds_the_policy_of_the_example() {
        let rendered = render(SHIPPED, POLICY, Path::new(FILTER)).unwrap();
        assert_eq!(
            rendered, SHIPPED,
            "write envoy/ecds.yaml again, as envoy/README.md says"
        );
    }

    #[test]
    fn every_line_of_the_policy_stays_a_line() {
        let rendered = render(SHIPPED, "  a: 1\r\n\n\tb: 2\n", Path::new("a \"b\".wasm")).unwrap();
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
        for text in ["a\0b", "a\rb", "a\u{1b}b"] {
            assert!(
                render(SHIPPED, text, Path::new(FILTER)).is_err(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_template_without_its_marks_is_refused() {
        assert!(render("value: |2\n", POLICY, Path::new(FILTER)).is_err());
        assert!(render("filename: x\n", POLICY, Path::new(FILTER)).is_err());
    }
}
