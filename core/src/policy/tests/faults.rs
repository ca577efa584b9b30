//! Several faults of one text, and faults of the text as a whole.

use super::*;

/// What is no policy in one place does not hide what is none in another.
#[test]
fn every_field_that_cannot_be_read_is_told() {
    refused(
        "version: 1\nrelm: t\nroutes:\n  - { path: 7, methods: GET, scopes: [a, 1, ~] }\n  - pfad\nenvoy: { log: true }\n",
        "line 2, column 1: `relm`: there is no field `relm` here; \
             write `version`, `realm`, `issuers`, `forward`, `token`, `preflight`, `mode`, `token_cache`, `routes` or `envoy`\n\
             line 4, column 13: `7`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text\n\
             line 4, column 25: `GET`: something of another kind belongs here; \
             write a list, as in `[a, b]`\n\
             line 4, column 42: `1`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text\n\
             line 4, column 45: `~`: there is no value here; \
             write one, or remove the field\n\
             line 5, column 5: `pfad`: something of another kind belongs here; \
             write a mapping, as in `name: value`\n\
             line 6, column 10: `log`: there is no field `log` here; \
             write `clusters` or `log_subject`",
    );
}

#[test]
fn what_no_policy_has_is_told_wherever_it_stands() {
    refused(
        &top("mode: !!str shadow\ntoken: { a: 1, a: 2 }\n? [a]\n: b\n1: c\nrealm: u"),
        "line 4, column 7: `!!str`: a policy has no YAML tags (`!…`); \
             remove it; a text that starts with `!` needs double quotes\n\
             line 5, column 16: `a`: `a` stands here twice; \
             keep one of the two\n\
             line 6, column 3: `[a]`: something of another kind belongs here; \
             write a text\n\
             line 8, column 1: `1`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text\n\
             line 9, column 1: `realm`: `realm` stands here twice; \
             keep one of the two",
    );
}

/// Of a later version nothing else is known.
#[test]
fn the_fields_of_another_version_are_not_told() {
    refused(
        "version: 3\nrealm: [t]\npaths: {}\n",
        "line 1, column 10: `3`: this is not a version of the format that can be read here; \
             write `version: 1`",
    );
}

#[test]
fn a_text_without_a_document_is_empty() {
    for text in ["...\n", "---\n...\n", "~", "%YAML 1.2\n---\n"] {
        refused(
            text,
            "line 1, column 1: the policy is empty; \
             start with `version: 1`, `realm: …`, `issuers:` and `routes:`",
        );
    }
}

#[test]
fn more_values_than_any_policy_has_are_refused() {
    let many = "[],".repeat(260_000);
    let invalid = Policy::parse(&top(&format!("forward: [{many}]"))).expect_err("it has too many");
    assert_eq!(
        invalid.to_string(),
        "line 4, column 749984: `[]`: the policy is nested too deeply or has too many values; \
             check the indentation and the brackets from here on",
    );
}
