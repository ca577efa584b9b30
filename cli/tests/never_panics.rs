//! Whatever stands in a file, and whatever is asked, there is an answer.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::sample::select;
use scopegate::check::{Host, diagnostics};
use scopegate::diagnostic::{json, sarif, text};
use scopegate::diff::compare;
use scopegate::document::Document;
use scopegate::explain::{Asked, explain};
use scopegate_core::{KeyCache, Policy, Timestamp};

const WHOLE: &str = include_str!("../../examples/timesheets/policy.yaml");

/// Pieces of policies, and what editors and slips put between them.
const PIECES: [&str; 24] = [
    "routes:",
    "\n",
    "  ",
    "- ",
    "{ path: /a, public: true }",
    "path: ",
    "\"/{x}/{*r}\"",
    "[",
    "]",
    "{",
    "}",
    ": ",
    ",",
    "scopes: ",
    "é",
    "\u{2028}",
    "\t",
    "\r\n",
    "issuers:",
    "clock_skew: 1s",
    "#",
    "'",
    "\"",
    "mode: shadow",
];

/// The example with pieces of it taken out, doubled, or put elsewhere.
fn a_text() -> impl Strategy<Value = String> {
    let cut = (
        0..WHOLE.len(),
        0..80_usize,
        0..WHOLE.len(),
        proptest::collection::vec(select(&PIECES[..]), 0..6),
    );
    proptest::collection::vec(cut, 0..4).prop_map(|cuts| {
        let mut text = WHOLE.to_owned();
        for (from, length, to, pieces) in cuts {
            let boundary = |text: &str, mut at: usize| {
                at = at.min(text.len());
                while !text.is_char_boundary(at) {
                    at = at.saturating_sub(1);
                }
                at
            };
            let start = boundary(&text, from);
            let end = boundary(&text, from.saturating_add(length)).max(start);
            text.replace_range(start..end, "");
            let place = boundary(&text, to);
            text.insert_str(place, &pieces.concat());
        }
        text
    })
}

fn look_at(text: String) {
    let document = Document {
        name: "policy.yaml".into(),
        text,
    };
    let found = diagnostics(&document, Host::Envoy);
    text::render(&document, &found);
    json::report(&document.name, &found);
    sarif::log([(document.name.as_str(), found.as_slice())]);
    if let (Ok(policy), Ok(other)) = (Policy::parse(&document.text), Policy::parse(WHOLE)) {
        compare(&other, &policy).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_broken_policy(text in a_text()) {
        look_at(text);
    }

    #[test]
    fn anything(text in "\\PC{0,80}(\n\\PC{0,40}){0,6}") {
        look_at(text);
    }

    #[test]
    fn any_request(method in "\\PC{0,8}", path in "[ -~é]{0,40}", token in proptest::option::of("\\PC{0,60}")) {
        let policy = Policy::parse(WHOLE).unwrap();
        let asked = Asked { method, path, headers: Vec::new(), token };
        explain(&policy, &asked, &KeyCache::new(&policy), Timestamp::from_secs(1));
    }
}
