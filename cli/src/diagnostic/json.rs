//! Diagnostics for programs.

use serde_json::{Value, json};

use super::Diagnostic;
use crate::place::Place;

/// The diagnostics of one text: `file`, and a list of `severity`, `code`, `message`, `remedy`, `line`, `column`, `length` (in characters) and `related`.
pub fn report(file: &str, diagnostics: &[Diagnostic]) -> Value {
    json!({
        "file": file,
        "diagnostics": diagnostics.iter().map(one).collect::<Vec<_>>(),
    })
}

fn one(diagnostic: &Diagnostic) -> Value {
    let related = diagnostic.related.iter();
    let related: Vec<Value> = related
        .map(|(place, message)| with_place(json!({ "message": message }), Some(*place)))
        .collect();
    let shown = json!({
        "severity": diagnostic.severity.name(),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "remedy": diagnostic.remedy,
        "related": related,
    });
    with_place(shown, diagnostic.place)
}

fn with_place(mut value: Value, place: Option<Place>) -> Value {
    if let (Some(members), Some(place)) = (value.as_object_mut(), place) {
        members.insert("line".into(), place.line.into());
        members.insert("column".into(), place.column.into());
        members.insert("length".into(), place.length.into());
    }
    value
}
