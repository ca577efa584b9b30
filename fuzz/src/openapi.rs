//! Whatever the text: it is one specification, or it is refused with something that helps. And no demand that is read from it is weaker than
//! what the document says of the operation.
//!
//! An input is the document. What a document says is read a second time by serde_json, where it is JSON that refers to nothing.

use scopegate_core::outline::{Pattern, ScopeDemand};
use scopegate_openapi::{
    Demand, InvalidSpecification, Issuers, Leniency, Lines, NoBasePath, Operation, Place,
    Specification, Undeclared, demand, joined, pattern_text, specification,
};
use serde_json::Value;

/// The most operations of a document (`specification`).
const MAX_OPERATIONS: usize = 20_000;

/// The longest that a reason may be: the piece of the document in it is what the document makes of it.
const MAX_REASON_BYTES: usize = 1_024;

/// As the documents of OpenAPI say it.
const STRICT: Leniency = Leniency {
    roles_are_scopes: false,
    undeclared: Undeclared::LeaveOut,
};

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let read = specification(text);
    assert_eq!(read, specification(text), "read in two ways");
    match read {
        Ok(read) => check_specification(text, &read),
        Err(refusal) => check_refusal(text, &refusal),
    }
}

/// A refusal says what is wrong and what to give instead; its place, if it has one, is in the text.
fn check_refusal(text: &str, refusal: &InvalidSpecification) {
    let InvalidSpecification {
        message,
        remedy,
        place,
    } = refusal;
    assert!(!message.is_empty() && !remedy.is_empty());
    assert!(!message.contains('\n'), "{message:?}");
    if let Some(place) = place {
        check_place(text, *place);
    }
}

fn check_place(text: &str, place: Place) {
    let breaks = text.chars().filter(|letter| matches!(letter, '\n' | '\r'));
    let lines = breaks.count() as u64 + 2;
    assert!((1..=lines).contains(&u64::from(place.line)), "{place:?}");
    assert!(place.column >= 1, "{place:?}");
}

fn check_specification(text: &str, read: &Specification) {
    assert!(read.operations.len() <= MAX_OPERATIONS);
    let lines = Lines::of(text);
    let written = said(text);
    for operation in &read.operations {
        if let Some(place) = operation.spot.place(&lines) {
            check_place(text, place);
        }
        for base_path in operation.base_paths.iter().flatten() {
            check_path(&joined(base_path, &operation.template));
        }
        if let Err(why) = &operation.base_paths {
            let why: &NoBasePath = why;
            assert!(!why.message().is_empty());
        }
        let demanded = demand(operation, read, &Issuers::default(), STRICT);
        match demanded {
            Ok(demanded) => {
                if let Some(document) = &written {
                    check_demand(document, operation, &demanded);
                }
            }
            Err(why) => {
                assert!(!why.message.is_empty() && !why.code.is_empty());
                let is_long = why.message.len() > MAX_REASON_BYTES + 8 * text.len();
                assert!(!is_long && !why.message.contains('\n'), "{}", why.message);
            }
        }
    }
    if let Some(document) = &written {
        check_operations(document, read);
    }
}

/// A path becomes a pattern that the policy's reader takes, and the same one from its own text; or it does not.
fn check_path(path: &str) {
    if let Ok((text, pattern)) = pattern_text(path) {
        assert_eq!(
            Pattern::parse(&text).ok().as_ref(),
            Some(&pattern),
            "{text}"
        );
    }
}

/// The document as the second reader has it; nothing where it is YAML, or refers to something.
fn said(text: &str) -> Option<Value> {
    let is_json = text.trim_start().starts_with('{');
    let document: Value = serde_json::from_str(text).ok().filter(|_| is_json)?;
    let refers = text.contains("$ref") || text.contains('\\');
    (!refers).then_some(document)
}

/// Every operation of the document was read, and no other.
fn check_operations(document: &Value, read: &Specification) {
    let paths = document["paths"].as_object().into_iter().flatten();
    let paths = paths.filter(|(path, _)| !path.starts_with("x-"));
    let written: usize = paths
        .flat_map(|(_, item)| item.as_object().into_iter().flatten())
        .filter(|(name, _)| METHODS.contains(&name.as_str()))
        .count();
    assert_eq!(written, read.operations.len());
    assert!(read.unresolved.is_empty());
}

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Whoever meets the demand meets one of the document's alternatives.
fn check_demand(document: &Value, operation: &Operation, demanded: &Demand) {
    let method = operation.method.to_ascii_lowercase();
    let own = &document["paths"][&operation.template][&method];
    let security = own.get("security").or_else(|| document.get("security"));
    let security = security.and_then(Value::as_array);
    let security = security.unwrap_or_else(|| panic!("nothing is said of {}", operation.template));
    let alternatives: Vec<Vec<&str>> = security.iter().map(scopes).collect();
    let suffices = |held: &[String]| {
        let is_held = |scope: &&str| held.iter().any(|own| own == scope);
        alternatives.iter().any(|all| all.iter().all(is_held))
    };
    match demanded {
        Demand::Public => {
            let mut members = security.iter().filter_map(Value::as_object);
            assert!(members.all(serde_json::Map::is_empty), "{security:?}");
        }
        Demand::Token { schemes, scopes } => {
            assert!(!schemes.is_empty() && !alternatives.is_empty());
            let is_enough = match scopes {
                ScopeDemand::None => suffices(&[]),
                ScopeDemand::All(list) => suffices(list),
                ScopeDemand::Any(list) => list.chunks(1).all(suffices),
            };
            assert!(is_enough, "{scopes:?} is less than {security:?}");
            // A scheme of another kind than a bearer token is nothing that a gate checks.
            let known = &document["components"]["securitySchemes"];
            for name in security.iter().flat_map(names) {
                let kind = known[name]["type"].as_str();
                let kind = kind.unwrap_or_else(|| panic!("`{name}` is not defined"));
                assert!(
                    ["oauth2", "openIdConnect", "http"].contains(&kind),
                    "{kind}"
                );
            }
        }
    }
}

fn names(alternative: &Value) -> impl Iterator<Item = &String> {
    alternative
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys())
}

/// All scopes that an alternative wants.
fn scopes(alternative: &Value) -> Vec<&str> {
    let members = alternative.as_object().into_iter().flatten();
    let lists = members.flat_map(|(_, list)| list.as_array().into_iter().flatten());
    lists.filter_map(Value::as_str).collect()
}
