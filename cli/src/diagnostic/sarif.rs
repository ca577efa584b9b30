//! Diagnostics for the code scanners of forges: SARIF 2.1.0 (OASIS Standard, 27 March 2020).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Diagnostic;
use crate::place::Place;

/// One run over these texts.
pub fn log<'a>(reports: impl IntoIterator<Item = (&'a str, &'a [Diagnostic])>) -> Value {
    let mut rules = BTreeSet::new();
    let mut results = Vec::new();
    for (file, diagnostics) in reports {
        for diagnostic in diagnostics {
            rules.insert(diagnostic.code);
            results.push(result(file, diagnostic));
        }
    }
    let rules: Vec<Value> = rules.iter().map(|rule| json!({ "id": rule })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "scopegate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Section 3.27.
fn result(file: &str, diagnostic: &Diagnostic) -> Value {
    let related = diagnostic.related.iter();
    let related: Vec<Value> = related
        .map(|(place, message)| location(file, Some(*place), Some(message)))
        .collect();
    json!({
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.name(),
        "message": { "text": format!("{}; {}", diagnostic.message, diagnostic.remedy) },
        "locations": [location(file, diagnostic.place, None)],
        "relatedLocations": related,
    })
}

/// Section 3.28.
fn location(file: &str, place: Option<Place>, message: Option<&str>) -> Value {
    let artifact = json!({ "uri": uri(file) });
    let physical = match place {
        None => json!({ "artifactLocation": artifact }),
        Some(place) => {
            // Section 3.30.8: the end is the column behind the last character.
            let end = place.column.saturating_add(place.length.max(1));
            let region = json!({
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": end,
            });
            json!({ "artifactLocation": artifact, "region": region })
        }
    };
    match message {
        None => json!({ "physicalLocation": physical }),
        Some(text) => json!({ "physicalLocation": physical, "message": { "text": text } }),
    }
}

/// A path as a relative reference (RFC 3986 section 4.2), with what has a meaning there escaped.
fn uri(file: &str) -> String {
    let mut uri = String::new();
    for octet in file.bytes() {
        match octet {
            b'\\' => uri.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(octet)),
            _ if octet.is_ascii_alphanumeric() => uri.push(char::from(octet)),
            _ => uri.push_str(&format!("%{octet:02X}")),
        }
    }
    uri
}
