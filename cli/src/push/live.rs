//! The file through which Envoy gets its filter (ECDS), and the policy that is in it.

use anyhow::{Context as _, bail};
use scopegate_yaml::{Node, Value as Yaml};
use serde_json::Value;

/// The largest ECDS file: a policy of 1 MiB, each of its lines indented.
pub const MAX_ECDS_BYTES: usize = 16 * 1024 * 1024;

/// What stands in an ECDS file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The name of the extension, under which Envoy counts its updates.
    pub extension: String,
    /// The path of the filter.
    pub filter: String,
    /// The text of the policy.
    pub policy: String,
    /// All of the file but that text: what has to stay as it is.
    rest: Value,
}

impl Live {
    /// Reads the file.
    ///
    /// # Errors
    /// It is none with a Scopegate filter in it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut fault = None;
        let tree = scopegate_yaml::tree(text, &mut |place, kind| {
            fault.get_or_insert(format!(
                "line {}, column {}: {kind:?}",
                place.line, place.column
            ));
        });
        let Some(root) = tree else {
            bail!("it cannot be read as YAML ({})", fault.unwrap_or_default());
        };
        let resources = value(&root, "resources").context("it has no `resources`")?;
        let Yaml::List(resources) = &resources.value else {
            bail!("its `resources` are no list");
        };
        let [resource] = resources.as_slice() else {
            bail!(
                "it has {} resources, and only one can be told to be the gate",
                resources.len()
            );
        };
        let config = value(resource, "typed_config").and_then(|typed| value(typed, "config"));
        let config = config.context("its resource has no `typed_config` with a `config`")?;
        let at = |path: &[&str]| {
            let mut at = config;
            for name in path {
                at = value(at, name)?;
            }
            text_of(at)
        };
        let mut rest = json(&root);
        let text = "/resources/0/typed_config/config/configuration/value";
        if let Some(text) = rest.pointer_mut(text) {
            *text = Value::Null;
        }
        Ok(Self {
            rest,
            extension: value(resource, "name")
                .and_then(text_of)
                .context("its resource has no `name`")?,
            filter: at(&["vm_config", "code", "local", "filename"])
                .context("it names no `filename` of a filter")?,
            policy: at(&["configuration", "value"])
                .context("its `configuration` has no `value` with the text of a policy")?,
        })
    }
}

impl Live {
    /// Whether a file is this one with that policy in it, and nothing else changed.
    pub fn is_followed_by(&self, next: &Self, policy: &str) -> bool {
        // A block of text ends in one line feed.
        let text = policy.replace("\r\n", "\n");
        let same_text = next.policy.trim_end_matches('\n') == text.trim_end_matches('\n');
        same_text && self.rest == next.rest
    }
}

/// A tree without its places. Keys are texts, and none stands twice in one mapping.
fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::Blank => Value::Null,
        Yaml::Truth(truth) => (*truth).into(),
        Yaml::Number(number) => Value::Number(number.clone()),
        Yaml::Text(text) => text.as_str().into(),
        Yaml::List(items) => items.iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            let entries = entries.iter();
            entries
                .map(|(key, value)| (key.value.clone(), json(value)))
                .collect()
        }
    }
}

fn value<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.value {
        Yaml::Mapping(entries) => {
            let (_, value) = entries.iter().find(|(key, _)| key.value == name)?;
            Some(value)
        }
        _ => None,
    }
}

fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        Yaml::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../envoy/ecds.yaml");
    const POLICY: &str = include_str!("../../../examples/timesheets/policy.yaml");

    #[test]
    fn the_shipped_file() {
        let live = Live::parse(SHIPPED).unwrap();
        assert_eq!(live.extension, "scopegate");
        assert_eq!(live.filter, "target/dist/scopegate-filter.wasm");
        assert_eq!(live.policy, POLICY);
    }

    #[test]
    fn nothing_but_the_policy_may_change() {
        let live = Live::parse(SHIPPED).unwrap();
        let shorter = "version: 1\nrealm: t\nroutes: []\n";
        let filter = std::path::Path::new("target/dist/scopegate-filter.wasm");
        let rendered =
            |text: &str| Live::parse(&crate::ecds::render(text, shorter, filter).unwrap());
        assert!(live.is_followed_by(&rendered(SHIPPED).unwrap(), shorter));
        assert!(!live.is_followed_by(&rendered(SHIPPED).unwrap(), POLICY));
        // What stands behind the policy would be lost.
        let longer = format!("{SHIPPED}        capability_restriction_config: {{}}\n");
        let live = Live::parse(&longer).unwrap();
        assert!(!live.is_followed_by(&rendered(&longer).unwrap(), shorter));
        // And a text before it would become the policy.
        let filename = "filename: \"target/dist/scopegate-filter.wasm\"\n";
        let note = "          environment_variables:\n            key_values:\n              value: |2\n                  note\n";
        let before = SHIPPED.replace(filename, &format!("{filename}{note}"));
        assert!(Live::parse(&before).is_ok());
        assert!(rendered(&before).is_err());
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "[]",
            "resources: []",
            "resources: [{ name: a }, { name: b }]",
            "resources: [{ name: a, typed_config: { config: {} } }]",
            "resources: [",
            "version: 1\nrealm: t\nroutes: []\n",
        ] {
            assert!(Live::parse(text).is_err(), "{text}");
        }
    }
}
