//! Issuers that are refused.

use super::{Policy, issuer, issuer_only, refused};

#[test]
fn an_issuer_says_who_for_whom_and_how() {
    refused(
        &issuer_only(""),
        "line 5, column 4: `a:`: there is no value here; \
             write one, or remove the field",
    );
    refused(
        &issuer_only("{}"),
        "line 5, column 3: `a`: this issuer does not say who it is; \
             write `issuer:` with the `iss` of its tokens, byte for byte\n\
             line 5, column 3: `a`: this issuer has no audiences, so that a token made for any other API would pass; \
             write `audiences:` with the name of the API that the tokens are made for",
    );
    refused(
        &issuer_only("https://a.example/"),
        "line 5, column 6: `https://a.example/`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
    refused(
        &issuer("jwks_url: x"),
        "line 9, column 5: `jwks_url`: there is no field `jwks_url` here; \
             write `issuer`, `audiences`, `jwks_uri`, `jwks`, `jwks_file`, `algorithms`, `token_type`, `audience_claim`, `scope_claims`, `clock_skew`, `keys` or `danger_http_jwks`",
    );
    refused(
        &issuer("audiences: [b]"),
        "line 9, column 5: `audiences`: `audiences` stands here twice; \
             keep one of the two",
    );
    refused(
        &issuer("algorithms: [none]"),
        "line 9, column 18: `none`: a token without a signature is anybody's word; \
             write `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`",
    );
    refused(
        &issuer("algorithms: [None, HS256, HS512, RS256]"),
        "line 9, column 18: `None`: a token without a signature is anybody's word; \
             write `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`\n\
             line 9, column 24: `HS256`: with a shared secret, whoever can verify a token can make one, and a published key is no secret; \
             write `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`\n\
             line 9, column 31: `HS512`: with a shared secret, whoever can verify a token can make one, and a published key is no secret; \
             write `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`",
    );
    refused(
        &issuer("algorithms: [rs256, ES512]"),
        "line 9, column 18: `rs256`: this is no signature algorithm that is known here; \
             write `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`\n\
             line 9, column 25: `ES512`: this is no signature algorithm that is known here; \
             write `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`",
    );
    refused(
        &issuer("algorithms: []"),
        "line 9, column 17: `[]`: `algorithms` is empty; \
             name at least one, as in `[RS256]`, or remove the field",
    );
    refused(
        &issuer("algorithms: RS256"),
        "line 9, column 17: `RS256`: something of another kind belongs here; \
             write a list, as in `[a, b]`",
    );
    refused(
        &issuer("token_type: jwt"),
        "line 9, column 17: `jwt`: `token_type` does not know this word; \
             write `any` or `at+jwt`",
    );
    refused(
        &issuer(r#"audience_claim: """#),
        "line 9, column 21: `\"\"`: an empty text in `audience_claim` matches nothing that an issuer sends; \
             write the value, or remove it",
    );
    refused(
        &issuer("scope_claims: []"),
        "line 9, column 19: `[]`: `scope_claims` is empty; \
             remove it for `[scope, scp]`, or name the claim that holds the scopes",
    );
    refused(
        &issuer(r#"scope_claims: [""]"#),
        "line 9, column 20: `\"\"`: an empty text in `scope_claims` matches nothing that an issuer sends; \
             write the value, or remove it",
    );
    refused(
        &issuer("clock_skew: 30"),
        "line 9, column 17: `30`: this is not a duration; \
             write a whole number and `ms`, `s`, `m` or `h`, as in `30s`",
    );
    refused(
        &issuer("clock_skew: 121s"),
        "line 9, column 17: `121s`: this duration is out of bounds; \
             write one from `0s` to `2m`",
    );
    refused(
        &issuer("clock_skew: -1s"),
        "line 9, column 17: `-1s`: this is not a duration; \
             write a whole number and `ms`, `s`, `m` or `h`, as in `30s`",
    );
    refused(
        &issuer("clock_skew: 1.5m"),
        "line 9, column 17: `1.5m`: this is not a duration; \
             write a whole number and `ms`, `s`, `m` or `h`, as in `30s`",
    );
    refused(
        &issuer("keys: { ttl: 0s }"),
        "line 9, column 18: `0s`: this duration is out of bounds; \
             write one from `1s` to `24h`",
    );
    refused(
        &issuer("keys: { ttl: 25h }"),
        "line 9, column 18: `25h`: this duration is out of bounds; \
             write one from `1s` to `24h`",
    );
    refused(
        &issuer("keys: { ttl: 999ms, max_stale: 2d, cooldown: 0s, timeout: 61s }"),
        "line 9, column 18: `999ms`: this duration is out of bounds; \
             write one from `1s` to `24h`\n\
             line 9, column 36: `2d`: this is not a duration; \
             write a whole number and `ms`, `s`, `m` or `h`, as in `1h`\n\
             line 9, column 50: `0s`: this duration is out of bounds; \
             write one from `1s` to `1h`\n\
             line 9, column 63: `61s`: this duration is out of bounds; \
             write one from `100ms` to `1m`",
    );
    refused(
        &issuer("keys: { timeout: 99ms }"),
        "line 9, column 22: `99ms`: this duration is out of bounds; \
             write one from `100ms` to `1m`",
    );
    refused(
        &issuer("keys: { max_stale: 0 }"),
        "line 9, column 24: `0`: this is not a duration; \
             write a whole number and `ms`, `s`, `m` or `h`, as in `1h`",
    );
    refused(
        &issuer("keys: { ttl: }"),
        "line 9, column 16: `ttl:`: this is not a duration; \
             write a whole number and `ms`, `s`, `m` or `h`, as in `10m`",
    );
    refused(
        &issuer("keys: { max_age: 1h }"),
        "line 9, column 13: `max_age`: there is no field `max_age` here; \
             write `ttl`, `max_stale`, `cooldown`, `timeout` or `on_empty`",
    );
    refused(
        &issuer(r#"danger_http_jwks: "true""#),
        "line 9, column 23: `\"true\"`: this is neither `true` nor `false`; \
             write one of the two, without quotes",
    );
    refused(
        &issuer_only(
            "{ issuer: https://a.example/, audiences: [], jwks_uri: https://a.example/jwks }",
        ),
        "line 5, column 47: `[]`: `audiences` is empty; \
             write the name of the API that the tokens are made for, as it stands in their `aud`",
    );
    refused(
        &issuer_only(
            r#"{ issuer: https://a.example/, audiences: [""], jwks_uri: https://a.example/jwks }"#,
        ),
        "line 5, column 48: `\"\"`: an empty text in `audiences` matches nothing that an issuer sends; \
             write the value, or remove it",
    );
    refused(
        &issuer_only(
            "{ issuer: https://a.example/, audiences: [1], jwks_uri: https://a.example/jwks }",
        ),
        "line 5, column 48: `1`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text",
    );
    refused(
        &issuer_only(
            "{ issuer: https://a.example/, audiences: api, jwks_uri: https://a.example/jwks }",
        ),
        "line 5, column 47: `api`: something of another kind belongs here; \
             write a list, as in `[a, b]`",
    );
    refused(
        &issuer_only(
            "{ issuer: https://a.example/, audiences: , jwks_uri: https://a.example/jwks }",
        ),
        "line 5, column 45: `audiences:`: there is no value here; \
             write one, or remove the field",
    );
    refused(
        &issuer_only(
            "{ issuer: http://a.example/, audiences: [api], jwks_uri: http://a.example/jwks }",
        ),
        "line 5, column 63: `http://a.example/jwks`: whoever can change plain http on its way can sign tokens; \
             use https, or write `danger_http_jwks: true` on this issuer if the way is safe otherwise",
    );
    refused(
        &issuer_only("{ issuer: a.example, audiences: [api], jwks_uri: ftp://a.example/jwks }"),
        "line 5, column 55: `ftp://a.example/jwks`: this is not an https URL; \
             write it whole, as in `https://tenant.example.com/`",
    );
    refused(
        &issuer_only(
            "{ issuer: https://a.example/?x=1, audiences: [api], jwks_uri: https://user:pw@a.example/jwks }",
        ),
        "line 5, column 68: a URL with a user name or password is refused, as it would end up in logs; \
             remove everything between `://` and `@`",
    );
    refused(
        &issuer_only(
            r#"{ issuer: "https://a.example/#x", audiences: [api], jwks_uri: "https://a.example/jwks#x" }"#,
        ),
        "line 5, column 68: `\"https://a.example/jwks#x\"`: a fragment is never sent to the server; \
             remove the `#` and what follows",
    );
    refused(
        &issuer_only(
            r#"{ issuer: "https://a.example/ ", audiences: [api], jwks_uri: "https:\\\\a.example/jwks" }"#,
        ),
        "line 5, column 16: `\"https://a.example/ \"`: no token has such an `iss`; \
             write the `iss` of its tokens, byte for byte\n\
             line 5, column 67: `\"https:\\\\\\\\a.example/jwks\"`: this is not a URL: it holds `\\\\`; \
             write it whole, as in `https://tenant.example.com/`",
    );
    refused(
        &issuer_only(
            r#"{ issuer: "https:///a.example/", audiences: [api], jwks_uri: "https:a.example/jwks" }"#,
        ),
        "line 5, column 67: `\"https:a.example/jwks\"`: this is not a URL: there is no host behind `://`; \
             write it whole, as in `https://tenant.example.com/`",
    );
    refused(
        &issuer_only(
            "{ issuer: https://127.0.0.1.example/, audiences: [api], jwks_uri: http://localhost.example/jwks }",
        ),
        "line 5, column 72: `http://localhost.example/jwks`: whoever can change plain http on its way can sign tokens; \
             use https, or write `danger_http_jwks: true` on this issuer if the way is safe otherwise",
    );
    refused(
        &issuer_only(
            "{ issuer: https://, audiences: [api], jwks_uri: https://a.example:99999/jwks }",
        ),
        "line 5, column 54: `https://a.example:99999/jwks`: this is not a URL: invalid port number; \
             write it whole, as in `https://tenant.example.com/`",
    );
    refused(
        &issuer(
            "\n  \"b c\": { issuer: https://b.example/, audiences: [api], jwks_uri: https://b.example/jwks }",
        ),
        "line 10, column 3: `\"b c\"`: this is no name for an issuer, as it appears in logs and metrics; \
             use at most 64 ASCII letters, digits, `-` and `_`, as in `auth0`",
    );
    refused(
        &issuer(
            "\n  b.c: { issuer: https://b.example/, audiences: [api], jwks_uri: https://b.example/jwks }",
        ),
        "line 10, column 3: `b.c`: this is no name for an issuer, as it appears in logs and metrics; \
             use at most 64 ASCII letters, digits, `-` and `_`, as in `auth0`",
    );
    refused(
        &issuer(
            "\n  b: { issuer: https://a.example/, audiences: [other], jwks_uri: https://b.example/jwks }",
        ),
        "line 10, column 16: `https://a.example/`: `a` in line 6 has the same `issuer`; \
             keep one of the two; a route can name `audiences` of its own",
    );
    refused(
        &issuer(
            "\n  a: { issuer: https://b.example/, audiences: [other], jwks_uri: https://b.example/jwks }",
        ),
        "line 10, column 3: `a`: `a` stands here twice; \
             keep one of the two",
    );
}

#[test]
fn no_part_of_a_credential_stands_in_an_address() {
    for credential in ["user:pw", "user", ":pw"] {
        let told = Policy::parse(&issuer_only(&format!(
            "{{ issuer: https://a.example/, audiences: [api], jwks_uri: https://{credential}@a.example/jwks }}"
        )))
        .unwrap_err()
        .to_string();
        assert!(
            told.contains("remove everything between `://` and `@`"),
            "{told}"
        );
    }
}
