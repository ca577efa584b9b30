//! The schema of the policy file, put to every policy of the corpus: it is never stricter than the parser.

use std::collections::{BTreeMap, BTreeSet};

use e2e::corpus::policy::complete;
use e2e::corpus::{load, site::Site};
use e2e::test_key;
use scopegate_core::{Policy, policy_schema};
use serde_json::Value;

#[test]
fn every_policy_of_the_corpus_is_valid() {
    let schema = jsonschema::validator_for(&policy_schema()).unwrap();
    let test_keys = test_key::load().unwrap();
    let site = Site::new(([127, 0, 0, 1], 9101).into(), "schema");
    let mut policies = BTreeSet::new();
    for case in load().unwrap() {
        let mut places = BTreeMap::new();
        for (name, set) in case.published().unwrap() {
            let place = site.place(&name, &set, &test_keys, "keys").unwrap();
            places.insert(name, place);
        }
        policies.insert(complete(&case.policy, &places).unwrap());
    }
    assert!(policies.len() > 20, "{} policies", policies.len());
    for text in policies {
        Policy::parse(&text).unwrap_or_else(|invalid| panic!("{text}\n{invalid}"));
        let policy: Value = serde_saphyr::from_str(&text).unwrap();
        let errors: Vec<String> = schema
            .iter_errors(&policy)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{text}\n{errors:#?}");
    }
}
