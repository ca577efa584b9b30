//! Where keys are: one place, and one where keys can be had.

use super::*;

const KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn keyed(fields: &str) -> String {
    issuer_only(&format!(
        "{{ issuer: https://a.example/, audiences: [api], {fields} }}"
    ))
}

fn origin(text: &str) -> KeyOrigin {
    accepted(text).issuers[0].key_origin.clone()
}

#[test]
fn without_a_place_keys_are_discovered() {
    let KeyOrigin::Metadata(discovery) = origin(&keyed("algorithms: [RS256]")) else {
        panic!("not discovered");
    };
    assert_eq!(
        discovery.openid,
        "https://a.example/.well-known/openid-configuration"
    );
    let http = "{ issuer: http://a.example, audiences: [api], danger_http_jwks: true }";
    assert!(matches!(origin(&issuer_only(http)), KeyOrigin::Metadata(_)));
}

#[test]
fn an_issuer_without_metadata_must_say_where_its_keys_are() {
    let wrong = "this issuer does not say where its keys are, and they cannot be discovered, as its name is no https URL; \
                 write `jwks_uri:` with the address of its keys";
    for issuer in ["accounts.google.com", "http://a.example/", "urn:a"] {
        refused(
            &issuer_only(&format!("{{ issuer: \"{issuer}\", audiences: [api] }}")),
            &format!("line 5, column 16: `\"{issuer}\"`: {wrong}"),
        );
    }
    refused(
        &issuer_only("{ issuer: \"https://user:pw@a.example/\", audiences: [api] }"),
        &format!("line 5, column 16: {wrong}"),
    );
    refused(
        &issuer_only("{ issuer: \"https://a.example/?p=1\", audiences: [api] }"),
        "line 5, column 16: `\"https://a.example/?p=1\"`: an issuer with a query has no metadata that could name its keys (RFC 8414 section 2); \
         write `jwks_uri:` with the address of its keys",
    );
}

#[test]
fn keys_may_stand_in_the_policy_as_json_or_as_yaml() {
    let yaml = "jwks: { keys: [ { kty: OKP, crv: Ed25519, kid: k, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo } ] }";
    let json = origin(&keyed(&format!(r#"jwks: {{"keys": [{KEY}]}}"#)));
    let KeyOrigin::Inline(keys) = &json else {
        panic!("not inline");
    };
    assert_eq!(keys.len(), 1);
    assert_eq!(origin(&keyed(yaml)), json);
    // What serves something else is no mistake, as long as something serves here.
    let encryption = KEY.replace("\"kid\":\"k\"", r#""kid":"e","use":"enc""#);
    let both = format!(r#"jwks: {{"keys": [{encryption}, {KEY}]}}"#);
    assert!(matches!(origin(&keyed(&both)), KeyOrigin::Inline(_)));
}

#[test]
fn keys_in_the_policy_that_cannot_serve_are_told() {
    let write = "write the issuer's JWK set, as in `jwks: { keys: [ { kty: …, kid: …, … } ] }`";
    let copy = "copy it whole, with its values in quotes, or remove it";
    let check = |set: &str, told: &str| {
        refused(
            &keyed(&format!("jwks: {set}")),
            &format!("line 5, column 60: {told}"),
        );
    };
    check(
        "x",
        &format!(
            "no keys can be read here: the key set cannot be read: the JSON value is not an object; {write}"
        ),
    );
    check(
        "[]",
        &format!(
            "no keys can be read here: the key set cannot be read: the JSON value is not an object; {write}"
        ),
    );
    check(
        "{ keys: [] }",
        &format!("no keys can be read here: the key set has no usable key; {write}"),
    );
    check(
        "{}",
        &format!("no keys can be read here: the key set has no array `keys`; {write}"),
    );
    // Without quotes a `kid` may be a number to YAML.
    let numbered = KEY.replace("\"k\"", "2026");
    check(
        &format!(r#"{{"keys": [{KEY}, {numbered}]}}"#),
        &format!(
            "a key in this set cannot serve: `kid` is absent, or not what it should be; {copy}"
        ),
    );
    let private = KEY.replace(
        "\"kid\"",
        r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","kid""#,
    );
    check(
        &format!(r#"{{"keys": [{KEY}, {private}]}}"#),
        "a key in this set cannot serve: it is a private or a secret key, with which anybody could sign; \
         write its public half alone, and replace the key: a policy is no place for a secret",
    );
    // A secret is none of the policy's, whatever it is for.
    let shared = r#"{"kty":"oct","kid":"s","k":"c2VjcmV0"}"#;
    let encryption = private.replace("\"kid\"", r#""use":"enc","kid""#);
    for secret in [shared, encryption.as_str()] {
        check(
            &format!(r#"{{"keys": [{KEY}, {secret}]}}"#),
            "a key in this set cannot serve: it is a private or a secret key, with which anybody could sign; \
             write its public half alone, and replace the key: a policy is no place for a secret",
        );
    }
    let short = KEY.replace("HURo", "");
    check(
        &format!(r#"{{"keys": [{KEY}, {short}]}}"#),
        &format!(
            "a key in this set cannot serve: its numbers make no key that can be trusted; {copy}"
        ),
    );
    refused(
        &keyed(&format!(r#"jwks: {{"keys": [{KEY}], "keys": []}}"#)),
        "line 5, column 162: `\"keys\"`: `keys` stands here twice; keep one of the two",
    );
}

#[test]
fn settings_about_fetches_do_not_fit_keys_that_are_never_fetched() {
    refused(
        &keyed(&format!(
            r#"jwks: {{"keys": [{KEY}]}}, keys: {{ cooldown: 10s, ttl: 5m }}"#
        )),
        "line 5, column 191: `5m`: keys that stand in the policy are never fetched, so that this says nothing; remove it",
    );
}

#[test]
fn keys_are_in_one_place() {
    let keep = "this issuer's keys are in two places, and it is open which ones count; \
                keep one of `jwks_uri`, `jwks` and `jwks_file`";
    refused(
        &keyed("jwks_uri: https://a.example/keys, jwks_file: /keys.json"),
        &format!("line 5, column 99: `/keys.json`: {keep}"),
    );
    refused(
        &keyed("jwks_file: /keys.json, jwks: { keys: [] }"),
        &format!("line 5, column 65: `/keys.json`: {keep}"),
    );
}

#[test]
fn keys_may_be_in_a_file_of_the_host() {
    let policy = accepted(&keyed("jwks_file: keys/a.json"));
    assert_eq!(
        policy.key_files().collect::<Vec<_>>(),
        [("a", "keys/a.json")]
    );
    assert_eq!(policy.fetched_issuers().count(), 0);
    let discovered = accepted(&keyed("keys: { on_empty: refuse }"));
    assert_eq!(discovered.key_files().count(), 0);
    assert_eq!(discovered.fetched_issuers().collect::<Vec<_>>(), ["a"]);
    assert_eq!(discovered.issuers[0].keys.on_empty, OnEmpty::Refuse);
    refused(
        &keyed("jwks_file: \"\""),
        "line 5, column 65: `\"\"`: an empty text in `jwks_file` matches nothing that an issuer sends; \
         write the value, or remove it",
    );
    refused(
        &keyed("keys: { on_empty: ignore }"),
        "line 5, column 72: `ignore`: `on_empty` does not know this word; write `keep` or `refuse`",
    );
}
