//! Claim rules that are refused.

use super::{accepted, refused, rule};

#[test]
fn a_claim_rule_is_one_test() {
    refused(
        &rule("{ equals: 1 }"),
        "line 8, column 14: `{ equals: 1 }`: this rule names no claim; \
             write `claim:` with its name, or a list of names that leads to it",
    );
    refused(
        &rule("{ claim: a }"),
        "line 8, column 14: `{ claim: a }`: this rule tests nothing; \
             write one of `equals`, `one_of`, `contains`, `exists`; a second test is a second rule",
    );
    refused(
        &rule("{ claim: a, equals: 1, exists: true }"),
        "line 8, column 14: `{ claim: a, equals: 1, exists: true }`: this rule has more than one test; \
             write one of `equals`, `one_of`, `contains`, `exists`; a second test is a second rule",
    );
    refused(
        &rule("{ claim: [], exists: true }"),
        "line 8, column 23: `[]`: this list leads to no claim; \
             write the names on the way to the claim, as in `[realm_access, roles]`",
    );
    refused(
        &rule(r#"{ claim: "", exists: true }"#),
        "line 8, column 23: `\"\"`: a claim without a name is not asked for; \
             write the name of the claim",
    );
    refused(
        &rule(r#"{ claim: [a, ""], exists: true }"#),
        "line 8, column 23: `[a, \"\"]`: a claim without a name is not asked for; \
             write the name of the claim",
    );
    refused(
        &rule("{ claim: 1, exists: true }"),
        "line 8, column 23: `1`: something of another kind belongs here; \
             write the name of a claim, or a list of names that leads to it",
    );
    refused(
        &rule("{ claim: [1], exists: true }"),
        "line 8, column 24: `1`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text",
    );
    refused(
        &rule("{ claim: a, equals: [1] }"),
        "line 8, column 34: `[1]`: something of another kind belongs here; \
             write a text, a number, `true` or `false`",
    );
    refused(
        &rule("{ claim: a, equals: { b: c } }"),
        "line 8, column 34: `{ b: c }`: something of another kind belongs here; \
             write a text, a number, `true` or `false`",
    );
    refused(
        &rule("{ claim: a, equals: ~ }"),
        "line 8, column 34: `~`: there is no value to compare with; \
             write a text, a number, `true` or `false`, or test with `exists: false`",
    );
    refused(
        &rule("{ claim: a, equals: }"),
        "line 8, column 32: `equals:`: there is no value to compare with; \
             write a text, a number, `true` or `false`, or test with `exists: false`",
    );
    refused(
        &rule("{ claim: a, equals: .nan }"),
        "line 8, column 34: `.nan`: readers of YAML disagree about this number, or JSON has none like it; \
             write it as JSON does, as in `127` or `0.5`, or in double quotes if it is meant as a text",
    );
    refused(
        &rule("{ claim: a, contains: [1] }"),
        "line 8, column 36: `[1]`: something of another kind belongs here; \
             write a text, a number, `true` or `false`",
    );
    refused(
        &rule("{ claim: a, one_of: [] }"),
        "line 8, column 34: `[]`: `one_of` is empty; \
             name the values that are taken, or test with `exists: false`",
    );
    refused(
        &rule("{ claim: a, one_of: 1 }"),
        "line 8, column 34: `1`: something of another kind belongs here; \
             write a list, as in `[a, b]`",
    );
    refused(
        &rule("{ claim: a, one_of: [1, ~] }"),
        "line 8, column 38: `~`: there is no value to compare with; \
             write a text, a number, `true` or `false`, or test with `exists: false`",
    );
    refused(
        &rule("{ claim: a, exists: 1 }"),
        "line 8, column 34: `1`: this is neither `true` nor `false`; \
             write one of the two, without quotes",
    );
    refused(
        &rule("{ claim: a, is: 1 }"),
        "line 8, column 26: `is`: there is no field `is` here; \
             write `claim`, `equals`, `one_of`, `contains` or `exists`",
    );
    refused(
        &rule("a"),
        "line 8, column 14: `a`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
}

#[test]
fn a_number_is_one_that_json_holds_exactly() {
    for number in ["007", "0x1F", "0o17", "1_000"] {
        refused(
            &rule(&format!("{{ claim: a, equals: {number} }}")),
            &format!(
                "line 8, column 34: `{number}`: readers of YAML disagree about this number, or JSON has none like it; \
                 write it as JSON does, as in `127` or `0.5`, or in double quotes if it is meant as a text"
            ),
        );
    }
    for number in [
        "+1",
        ".5",
        "1.",
        "123456789012345678901",
        "9007199254740992.0",
        "-1e30",
    ] {
        refused(
            &rule(&format!("{{ claim: a, equals: {number} }}")),
            &format!(
                "line 8, column 34: `{number}`: this is no number that a token can hold exactly; \
                 write it as JSON does, as in `17` or `2.5`, or in double quotes if it is meant as a text"
            ),
        );
    }
    for number in ["0", "-1", "18446744073709551615", "2.5", "1e3", "\"007\""] {
        accepted(&rule(&format!("{{ claim: a, one_of: [{number}] }}")));
    }
}
