//! The file through which Envoy gets the filter and its policy (ECDS, the extension configuration discovery service).

use std::path::Path;

use crate::document::Document;
use crate::ecds;
use crate::render::yaml::comment;

/// All of it but the policy and the path of the filter.
const TEMPLATE: &str = include_str!("ecds.yaml");

/// The file with this policy, line by line: "line 7" in an error of the filter is line 7 of the policy.
///
/// # Errors
/// The policy holds what YAML cannot, or the path is not UTF-8.
pub(super) fn render(document: &Document, filter: &Path) -> anyhow::Result<String> {
    let template = TEMPLATE.replace("@policy@", &comment(&document.name));
    ecds::render(&template, &document.text, filter)
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
}
