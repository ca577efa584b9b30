//! Conditions in CEL, which RBAC takes as a syntax tree: whether something is there at all. Its metadata matchers see
//! strings, numbers, booleans and lists, but no objects.

use serde_json::{Value, json};

use super::provider;

/// Whether there is something at this path of the metadata that `jwt_authn` left.
pub(super) fn has(path: &[&str]) -> Value {
    let mut operand = call(
        "_[_]",
        &[
            json!({ "select_expr": { "operand": { "ident_expr": { "name": "metadata" } }, "field": "filter_metadata" } }),
            json!({ "const_expr": { "string_value": provider::FILTER } }),
        ],
    );
    let mut found: Option<Value> = None;
    for (index, name) in path.iter().enumerate() {
        let is_there =
            json!({ "select_expr": { "operand": operand, "field": name, "test_only": true } });
        operand = json!({ "select_expr": { "operand": operand, "field": name } });
        // The first name is the token's own place: where no token was verified, the answer is an error, and so a no.
        if index > 0 {
            found = Some(match found {
                Some(above) => call("_&&_", &[above, is_there]),
                None => is_there,
            });
        }
    }
    found.unwrap_or_else(|| json!({ "const_expr": { "bool_value": true } }))
}

/// The contrary.
pub(super) fn not(expression: &Value) -> Value {
    call("!_", std::slice::from_ref(expression))
}

/// All of them; there is always one.
pub(super) fn all(expressions: Vec<Value>) -> Option<Value> {
    expressions
        .into_iter()
        .reduce(|first, second| call("_&&_", &[first, second]))
}

fn call(function: &str, arguments: &[Value]) -> Value {
    json!({ "call_expr": { "function": function, "args": arguments } })
}
