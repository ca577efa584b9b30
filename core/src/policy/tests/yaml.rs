//! What is no policy file at all.

use super::*;

#[test]
fn nothing_but_a_policy_is_read() {
    refused(
        "",
        "line 1, column 1: the policy is empty; \
             start with `version: 1`, `realm: …`, `issuers:` and `routes:`",
    );
    refused(
        "# only a comment\n---\n",
        "line 1, column 1: the policy is empty; \
             start with `version: 1`, `realm: …`, `issuers:` and `routes:`",
    );
    refused(
        "{}",
        "line 1, column 1: the policy does not say which version of its format it has; \
             write `version: 1` at the top\n\
             line 1, column 1: the policy has no realm, and every challenge names one; \
             write a short name for what is protected, as in `realm: timesheets`\n\
             line 1, column 1: the policy has no routes, so that it would refuse every request; \
             write `routes:` and under it at least one route, as in `- { path: /healthz, public: true }`",
    );
    refused(
        "a policy",
        "line 1, column 1: `a policy`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
    refused(
        "[]",
        "line 1, column 1: `[]`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
    refused(
        "version: 2\nnew_field: 1\n",
        "line 1, column 10: `2`: this is not a version of the format that can be read here; \
             write `version: 1`",
    );
    refused(
        "version: \"1\"\nrealm: t\nroutes: []\n",
        "line 1, column 10: `\"1\"`: this is not a version of the format that can be read here; \
             write `version: 1`",
    );
    refused(
        "version: 1.0\nrealm: t\nroutes: []\n",
        "line 1, column 10: `1.0`: this is not a version of the format that can be read here; \
             write `version: 1`",
    );
    refused(
        "version:\nrealm: t\nroutes: []\n",
        "line 1, column 8: `version:`: this is not a version of the format that can be read here; \
             write `version: 1`",
    );
    refused(
        "realm: t\nroutes: []\n",
        "line 1, column 1: the policy does not say which version of its format it has; \
             write `version: 1` at the top",
    );
    refused(
        "version: 1\nroutes: []\n",
        "line 1, column 1: the policy has no realm, and every challenge names one; \
             write a short name for what is protected, as in `realm: timesheets`",
    );
    refused(
        "version: 1\nrealm: t\n",
        "line 1, column 1: the policy has no routes, so that it would refuse every request; \
             write `routes:` and under it at least one route, as in `- { path: /healthz, public: true }`",
    );
    refused(
        &top("relm: x"),
        "line 4, column 1: `relm`: there is no field `relm` here; \
             write `version`, `realm`, `issuers`, `forward`, `token`, `preflight`, `mode`, `token_cache`, `routes` or `envoy`",
    );
    refused(
        &top("Mode: shadow"),
        "line 4, column 1: `Mode`: there is no field `Mode` here; \
             write `version`, `realm`, `issuers`, `forward`, `token`, `preflight`, `mode`, `token_cache`, `routes` or `envoy`",
    );
    refused(
        &top("realm: again"),
        "line 4, column 1: `realm`: `realm` stands here twice; \
             keep one of the two",
    );
    refused(
        &top("token_cache: 4MiB\n---\nversion: 1"),
        "line 5, column 1: `---`: a second YAML document starts here; \
             keep one document: remove what stands from the `---` on",
    );
    refused(
        &top("mode: &here shadow"),
        "line 4, column 7: `&here`: a policy has no anchors (`&`), aliases (`*`) and merge keys (`<<`); \
             write the values out; a text that starts with `*` or `&` needs double quotes",
    );
    refused(
        &top("mode: *here"),
        "line 4, column 7: `*here`: a policy has no anchors (`&`), aliases (`*`) and merge keys (`<<`); \
             write the values out; a text that starts with `*` or `&` needs double quotes",
    );
    refused(
        &top("<<: { mode: shadow }"),
        "line 4, column 1: `<<`: a policy has no anchors (`&`), aliases (`*`) and merge keys (`<<`); \
             write the values out; a text that starts with `*` or `&` needs double quotes",
    );
    refused(
        &top("mode: !secret shadow"),
        "line 4, column 7: `!secret`: a policy has no YAML tags (`!…`); \
             remove it; a text that starts with `!` needs double quotes",
    );
    refused(
        &top(r#"mode: "shadow"#),
        "line 5, column 1: this is not YAML: invalid indentation in multiline quoted scalar; \
             check the indentation, brackets and quotes up to this place",
    );
    refused(
        &top("mode: shadow: yes"),
        "line 4, column 13: `shadow:`: this is not YAML: mapping values are not allowed in this context; \
             check the indentation, brackets and quotes up to this place",
    );
    refused(
        &top("\tmode: shadow"),
        "line 4, column 2: `mode: shadow`: this is not YAML: tabs disallowed within this context (block indentation); \
             check the indentation, brackets and quotes up to this place",
    );
    refused(
        &top("  mode: shadow"),
        "line 4, column 3: `mode: shadow`: this is not YAML: while parsing a block mapping, did not find expected key; \
             check the indentation, brackets and quotes up to this place",
    );
    refused(
        &top("forward: [a, b]"),
        "line 4, column 10: `[a, b]`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
    refused(
        &top("forward: { 123: x-a }"),
        "line 4, column 12: `123`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text",
    );
    refused(
        &top("mode: { a: b }"),
        "line 4, column 7: `{ a: b }`: something of another kind belongs here; \
             write a text",
    );
    refused(
        &top("mode:"),
        "line 4, column 5: `mode:`: there is no value here; \
             write one, or remove the field",
    );
    // `forward:` above lines that are all commented out must not leave the headers of clients alone.
    for (text, place) in [
        (top("forward:"), "line 4, column 8: `forward:`"),
        (top("issuers:"), "line 4, column 8: `issuers:`"),
        (top("envoy: ~"), "line 4, column 8: `~`"),
        (top("envoy:\n  clusters:"), "line 5, column 11: `clusters:`"),
        (issuer("keys:"), "line 9, column 9: `keys:`"),
        (
            "version: 1\nrealm: t\nroutes:\n".to_owned(),
            "line 3, column 7: `routes:`",
        ),
    ] {
        let wrong = "there is no value here; write one, or remove the field";
        refused(&text, &format!("{place}: {wrong}"));
    }
    refused(
        &top("token: ~"),
        "line 4, column 8: `~`: there is no value here; \
             write one, or remove the field",
    );
    refused(
        &top("preflight: null"),
        "line 4, column 12: `null`: there is no value here; \
             write one, or remove the field",
    );
    refused(
        &top("envoy: yes"),
        "line 4, column 8: `yes`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
}

#[test]
fn json_is_yaml() {
    refused(
        r#"{"version": 1, "realm": "t", "routes": [{"path": "/x", "public": true}], "mode": "off"}"#,
        "line 1, column 82: `\"off\"`: `mode` does not know this word; \
             write `enforce` or `shadow`",
    );
    refused(
        "{\"version\": 1,\n \"realm\": \"t\",\n \"routes\": [{\"path\": \"/x\", \"public\": true, \"Methods\": []}]}",
        "line 3, column 44: `\"Methods\"`: there is no field `Methods` here; \
             write `path`, `methods`, `public`, `authenticated`, `scopes`, `issuers`, `audiences`, `claims`, `mode`, `token` or `allow_in_path`",
    );
    refused(
        r#"{"version": 1, "realm": "t", "routes": [], "realm": "u"}"#,
        "line 1, column 44: `\"realm\"`: `realm` stands here twice; \
             keep one of the two",
    );
}

#[test]
fn the_place_is_right_behind_a_byte_order_mark() {
    refused(
        "\u{feff}version: 2\n",
        "line 1, column 1: the policy has no realm, and every challenge names one; \
             write a short name for what is protected, as in `realm: timesheets`\n\
             line 1, column 1: the policy has no routes, so that it would refuse every request; \
             write `routes:` and under it at least one route, as in `- { path: /healthz, public: true }`\n\
             line 1, column 10: `2`: this is not a version of the format that can be read here; \
             write `version: 1`",
    );
}

#[test]
fn every_problem_is_told_in_the_order_of_the_text() {
    refused(
        "version: 1\nrealm: \"\"\nissuers:\n  a:\n    issuer: https://a.example/\n    audiences: []\n    jwks_uri: http://a.example/jwks\n    clock_skew: 5m\nforward: { sub: host }\nroutes:\n  - { path: /x, scopes: ['*'] }\n  - { path: x, public: true, methods: [] }\nenvoy: { clusters: { b: c } }\n",
        "line 2, column 8: `\"\"`: the realm is empty; \
             write a short name for what is protected, as in `realm: timesheets`\n\
             line 6, column 16: `[]`: `audiences` is empty; \
             write the name of the API that the tokens are made for, as it stands in their `aud`\n\
             line 7, column 15: `http://a.example/jwks`: whoever can change plain http on its way can sign tokens; \
             use https, or write `danger_http_jwks: true` on this issuer if the way is safe otherwise\n\
             line 8, column 17: `5m`: this duration is out of bounds; \
             write one from `0s` to `2m`\n\
             line 9, column 17: `host`: this header belongs to the request itself, and replacing it would change what is asked, or by whom; \
             choose a name of your own, as in `x-auth-sub`\n\
             line 11, column 26: `'*'`: `*` is no wildcard in a scope, but would be compared as it stands; \
             name every scope that is needed\n\
             line 12, column 13: `x`: the path does not start with `/`; \
             write it from the root, as in `/timesheets/{id}`\n\
             line 12, column 39: `[]`: `methods` is empty; \
             name the methods, or remove the field to take any\n\
             line 13, column 22: `b`: the policy has no issuer of this name; \
             write a name that stands under `issuers:`, as `a`",
    );
}

/// Thirty doublings of one list: gigabytes, if aliases were followed.
#[test]
fn an_alias_bomb_is_refused_at_its_first_anchor() {
    let mut bomb = String::from("forward: &a0 [x]\n");
    for level in 1..30 {
        bomb += &format!("b{level}: &a{level} [*a{}, *a{0}]\n", level - 1);
    }
    let invalid = Policy::parse(&top(&bomb)).expect_err("it is a bomb");
    let told = invalid.to_string();
    assert!(
        told.starts_with("line 4, column 10: `&a0`: a policy has no anchors"),
        "{told}"
    );
}

#[test]
fn a_bracket_bomb_is_refused() {
    for bomb in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
    ] {
        let invalid = Policy::parse(&top(&bomb)).expect_err("it is a bomb");
        assert!(invalid.to_string().len() < 400, "{invalid}");
    }
}

#[test]
fn a_text_over_the_budget_is_not_even_read() {
    let largest = 1024 * 1024;
    let policy = top("mode: shadow");
    let padding = largest - policy.len();
    accepted(&format!("{policy}#{}", "x".repeat(padding - 1)));
    refused(
        &format!("{policy}#{}", "x".repeat(padding)),
        "line 1, column 1: the policy is larger than 1024 KiB; \
         use patterns such as `/reports/{*rest}` instead of one route per path",
    );
}

/// As many problems as fit into a text are found in little time, and told in few words.
#[test]
fn of_many_problems_fifty_are_told() {
    let bad = "  - { path: x, scopes: ['*'] }\n".repeat(10_000);
    let invalid = Policy::parse(&routes(&bad)).expect_err("every route is bad");
    assert_eq!(invalid.problems.len(), 50);
    assert_eq!(invalid.untold, 20_000 - 50);
    assert!(invalid.to_string().ends_with("\nand 19950 more"));
    let last = &invalid.problems[49];
    assert_eq!((last.line, last.offending()), (30, "'*'"));
    assert_eq!(
        last.message(),
        "`*` is no wildcard in a scope, but would be compared as it stands"
    );
    assert_eq!(last.remedy(), "name every scope that is needed");
}

#[test]
fn a_password_in_a_url_is_not_told() {
    let text = issuer_only(
        "{ issuer: https://a.example/, audiences: [api], jwks_uri: https://user:secret@a.example/jwks }",
    );
    let told = Policy::parse(&text)
        .expect_err("it has a password")
        .to_string();
    assert!(
        told.contains("user name or password") && !told.contains("secret"),
        "{told}"
    );
}

#[test]
fn a_carriage_return_hides_no_line() {
    let hidden = "version: 1\nrealm: t\nroutes:\n  - { path: /a, public: true } # fine\r  - { path: /b, public: true }\n";
    refused(
        hidden,
        "line 4, column 38: a carriage return stands here without a line feed; YAML begins a new line there, \
             and editors do not show it; remove it, or end the line with a line feed",
    );
    let windows = "version: 1\r\nrealm: t\r\nroutes:\r\n  - { path: /a, public: true } # fine\r\n";
    accepted(windows);
    // Nothing can stand behind the last one.
    accepted(&format!("{windows}\r"));
}

#[test]
fn what_belongs_somewhere_is_told() {
    refused(
        "version: 1\nrealm: t\nroutes: [{ path: /x, scopes: 7 }]\n",
        "line 3, column 30: `7`: something of another kind belongs here; \
             write a list of scopes, or `{ any: […] }`",
    );
    refused(
        "version: 1\nrealm: t\nroutes: [{ path: /x, authenticated: true, claims: [{ claim: 7, exists: true }] }]\n",
        "line 3, column 61: `7`: something of another kind belongs here; \
             write the name of a claim, or a list of names that leads to it",
    );
    refused(
        "version: { a: 1 }\nrealm: t\nroutes: []\n",
        "line 1, column 10: `{ a: 1 }`: something of another kind belongs here; \
             write a text, a number, `true` or `false`",
    );
    refused(
        "version: 1\nrealm: t\nroutes: []\nissuers: 7\n",
        "line 4, column 10: `7`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
}
