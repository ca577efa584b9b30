use proptest::prelude::*;
use scopegate_core::outline::{Access, Routed, ScopeDemand};

use super::*;
use scopegate_core::Policy;
use scopegate_openapi::{Specification, Witness};

fn settled(specification: &Specification) -> Settled {
    let none: &[String] = &[];
    let issuer = ["https://id.example.com/".to_owned()];
    let options = issuers::Options::read(&issuer, &["api".to_owned()], none, specification);
    let options = options.expect("they are options");
    let leniency = Leniency {
        roles_are_scopes: false,
        undeclared: scopegate_openapi::Undeclared::LeaveOut,
    };
    let identities = options.identities(specification);
    let targets = plan::targets(specification, None, &identities, leniency);
    let issuers = options
        .used(specification, &identities, &targets)
        .expect("an issuer is given");
    let head = policy_text::Head::new("test\n", specification, None, issuers);
    covered::settled(&head.expect("a head"), targets).expect("the core takes it")
}

/// A specification of operations: each a path, a method, and the scopes that it wants; nothing for an API key.
fn specification(operations: &[(String, &str, Option<Vec<String>>)]) -> Specification {
    let mut paths = serde_json::Map::new();
    for (path, method, scopes) in operations {
        let security = match scopes {
            Some(scopes) => serde_json::json!([{ "token": scopes }]),
            None => serde_json::json!([{ "key": [] }]),
        };
        let item = paths
            .entry(path.clone())
            .or_insert_with(|| serde_json::json!({}));
        item[method] = serde_json::json!({ "security": security });
    }
    let document = serde_json::json!({
        "openapi": "3.1.0",
        "info": { "title": "a\u{85}b\u{2028}c: \"{}\" # d" },
        "paths": paths,
        "components": { "securitySchemes": {
            "token": { "type": "oauth2", "flows": {} },
            "key": { "type": "apiKey", "in": "header", "name": "k" },
        } },
    });
    scopegate_openapi::specification(&document.to_string()).expect("it is a specification")
}

/// Any text, and texts that YAML could take for something else.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,12}",
        prop::sample::select(vec![
            "true",
            "No",
            "null",
            "~",
            "",
            "1",
            "1e3",
            "0x1F",
            ".inf",
            "a: b",
            "a:",
            "- a",
            "# a",
            "&a",
            "*a",
            "!a",
            "{a}",
            "[a]",
            "a,b",
            "'a'",
            "\"a\"",
            "a\\b",
            " a",
            "a ",
            "%a",
            "@a",
            "`a`",
            "=",
            "<<",
            "?",
            "|",
            ">",
            "\u{feff}a",
            "a\u{85}b",
            "a\u{2028}b",
            "a\r\nb",
            "\t",
            "\u{7f}",
            "\u{fffe}",
            "2001-01-01",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn a_scope_comes_back_equal_or_is_told(scope in texts()) {
        let operations = [("/a".to_owned(), "get", Some(vec![scope.clone()]))];
        let settled = settled(&specification(&operations));
        let policy = Policy::parse(&settled.text).expect("it is a policy");
        match policy.routes() {
            [route] => match &route.access {
                Access::Protected(requirements) => {
                    prop_assert_eq!(&requirements.scopes, &ScopeDemand::All(vec![scope]));
                }
                Access::Public => prop_assert!(false, "it is public"),
            },
            _ => prop_assert!(settled.targets.iter().any(|target| target.left_out().is_some())),
        }
    }

    #[test]
    fn a_path_comes_back_equal_or_is_told(segments in prop::collection::vec(texts(), 0..3)) {
        let path = format!("/{}", segments.join("/"));
        let operations = [(path.clone(), "get", Some(Vec::new()))];
        let settled = settled(&specification(&operations));
        let policy = Policy::parse(&settled.text).expect("it is a policy");
        match policy.routes() {
            [route] if path.contains('{') => {
                // Its name does not matter.
                let has_parameter = route.path.contains('{');
                prop_assert!(has_parameter);
            }
            [route] => prop_assert_eq!(&route.path, &path),
            _ => prop_assert!(path.starts_with("/x-") || settled.targets.iter().any(|target| target.left_out().is_some())),
        }
    }

    #[test]
    fn what_is_left_out_is_refused_and_what_is_in_demands_what_was_said(
        operations in prop::collection::vec(
            (
                prop::sample::select(vec!["/a", "/a/", "/{x}", "/a/b", "/a/{x}", "/{x}/b", "/{y}/b", "/a/{x}.json", "/{x}/{y}", "/A"]),
                prop::sample::select(vec!["get", "head", "post"]),
                prop::option::weighted(0.6, prop::collection::vec(prop::sample::select(vec!["r", "w"]), 0..2)),
            ),
            1..10,
        )
    ) {
        let owned = |scopes: Vec<&str>| scopes.into_iter().map(str::to_owned).collect();
        let operations: Vec<(String, &str, Option<Vec<String>>)> = operations
            .into_iter()
            .map(|(path, method, scopes)| (path.to_owned(), method, scopes.map(owned)))
            .collect();
        let specification = specification(&operations);
        let settled = settled(&specification);
        let policy = Policy::parse(&settled.text).expect("it is a policy");
        let witness = Witness::foreign_to(std::iter::empty());
        for target in &settled.targets {
            let (method, path, demand) = match target {
                Target::In(route) => (route.method, &route.path, Some(&route.demand)),
                Target::Out(out) => (out.method.expect("it is known"), &out.path, out.demand.as_ref()),
            };
            let path = witness.path(path);
            let Routed::Route(_, route) = policy.route_for(method.as_bytes(), path.as_bytes()) else {
                prop_assert!(target.left_out().is_some(), "{method} {path} has no route\n{}", settled.text);
                continue;
            };
            let Access::Protected(requirements) = &route.access else {
                prop_assert!(false, "nothing is public here");
                return Ok(());
            };
            // A guard, which no token satisfies.
            if !requirements.claims.is_empty() {
                prop_assert!(target.left_out().is_some());
                continue;
            }
            let own = scopegate_openapi::Demand::Token { schemes: Vec::new(), scopes: requirements.scopes.clone() };
            let same = demand.is_some_and(|demand| demand.wants_the_same(&own));
            prop_assert!(same, "{method} {path} has another route\n{}", settled.text);
        }
    }
}
