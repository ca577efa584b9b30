use proptest::prelude::*;

use super::*;

/// Pieces of which specifications are made, and a few of which they are not.
const PIECES: [&str; 30] = [
    "openapi: 3.0.0\n",
    "paths:\n",
    "  /a:\n",
    "    get: ",
    "    $ref: '#/paths/~1a'\n",
    "security:\n",
    "- x: []\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"openapi\":\"3.1.0\"",
    "\"paths\":",
    "\"/a\":",
    "\"get\":",
    "\"security\":",
    "\"servers\":[{\"url\":\"",
    "\"}]",
    "\"$ref\":\"#/\"",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "|\n",
    "\\u12",
    "%e",
    "'",
    "\"",
];

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = specification(&text);
        let _ = specification(&format!("{{\"openapi\":\"3.0.0\",\"paths\":{text}}}"));
        let _ = specification(&format!("openapi: 3.0.0\npaths:\n  {text}"));
    }

    #[test]
    fn no_pieces_make_it_panic(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        if let Ok(specification) = specification(&pieces.concat()) {
            for operation in &specification.operations {
                let leniency = Leniency { roles_are_scopes: true, undeclared: Undeclared::Public };
                let _ = demand(operation, &specification, &Issuers::default(), leniency);
                let _ = operation.spot.place(&Lines::of(&pieces.concat()));
            }
        }
    }
}

#[test]
fn what_is_one_line_of_megabytes_has_places_that_nobody_shows() {
    let padding = "x".repeat(1_000);
    let text = format!(
        r##"{{"openapi":"3.0.0","info":{{"title":"{padding}"}},"paths":{{"/a":{{"get":{{}}}}}}}}"##
    );
    let read = specification(&text).expect("it is a specification");
    let operation = read.operations.first().expect("it has an operation");
    assert_eq!(operation.spot.place(&Lines::of(&text)), None);
}

#[test]
fn a_specification_can_have_so_many_operations_and_no_more() {
    let of = |count: usize| {
        let paths: Vec<String> = (0..count)
            .map(|number| format!("\"/{number}\":{{\"get\":{{}}}}"))
            .collect();
        format!(
            "{{\"openapi\":\"3.0.0\",\"paths\":{{{}}}}}",
            paths.join(",")
        )
    };
    assert!(specification(&of(20_000)).is_ok());
    assert!(specification(&of(20_001)).is_err());
}

#[test]
fn deep_nesting_is_refused_wherever_it_is() {
    for (before, after) in [
        (r#"{"openapi":"3.0.0","paths":"#, "}"),
        (r#"{"openapi":"3.0.0","x-other":"#, "}"),
        ("openapi: 3.0.0\nsecurity: ", "\n"),
        ("openapi: 3.0.0\ncomponents: ", "\n"),
    ] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = |depth: usize| {
                let (open, close) = (open.repeat(depth), close.repeat(depth));
                format!("{before}{open}1{close}{after}")
            };
            assert!(specification(&deep(100)).is_ok(), "{before}{open}");
            for depth in [200, 100_000] {
                let refused = specification(&deep(depth)).expect_err("it is too deep");
                assert!(refused.message.contains("deep"), "{refused:?}");
            }
        }
    }
}
