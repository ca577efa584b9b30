//! Settings that stand for themselves.

use super::{Policy, refused, top};

#[test]
fn a_setting_is_one_of_few() {
    refused(
        "version: 1\nrealm: \"\"\nroutes: []\n",
        "line 2, column 8: `\"\"`: the realm is empty; \
             write a short name for what is protected, as in `realm: timesheets`",
    );
    refused(
        "version: 1\nrealm: \"say \\\"please\\\"\"\nroutes: []\n",
        "line 2, column 8: `\"say \\\"please\\\"\"`: `\"` cannot stand in a challenge (RFC 9110 section 5.6.4); \
             use letters, digits, spaces and ASCII punctuation without `\"` and `\\`",
    );
    refused(
        "version: 1\nrealm: a\\b\nroutes: []\n",
        "line 2, column 8: `a\\b`: `\\` cannot stand in a challenge (RFC 9110 section 5.6.4); \
             use letters, digits, spaces and ASCII punctuation without `\"` and `\\`",
    );
    refused(
        "version: 1\nrealm: größe\nroutes: []\n",
        "line 2, column 8: `größe`: `ö` cannot stand in a challenge (RFC 9110 section 5.6.4); \
             use letters, digits, spaces and ASCII punctuation without `\"` and `\\`",
    );
    refused(
        "version: 1\nrealm: \"a\\r\\nb\"\nroutes: []\n",
        "line 2, column 8: `\"a\\r\\nb\"`: `\\r` cannot stand in a challenge (RFC 9110 section 5.6.4); \
             use letters, digits, spaces and ASCII punctuation without `\"` and `\\`",
    );
    refused(
        "version: 1\nrealm: 7\nroutes: []\n",
        "line 2, column 8: `7`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text",
    );
    refused(
        &top("token: no"),
        "line 4, column 8: `no`: `token` does not know this word; \
             write `keep` or `strip`",
    );
    refused(
        &top("preflight: allow"),
        "line 4, column 12: `allow`: `preflight` does not know this word; \
             write `pass` or `refuse`",
    );
    refused(
        &top("mode: Shadow"),
        "line 4, column 7: `Shadow`: `mode` does not know this word; \
             write `enforce` or `shadow`",
    );
    refused(
        &top("token_cache: 4"),
        "line 4, column 14: `4`: this is not a size; \
             write a whole number and `KiB` or `MiB`, as in `4MiB`, or `0` for no cache",
    );
    refused(
        &top("token_cache: 4MB"),
        "line 4, column 14: `4MB`: this is not a size; \
             write a whole number and `KiB` or `MiB`, as in `4MiB`, or `0` for no cache",
    );
    refused(
        &top("token_cache: -1MiB"),
        "line 4, column 14: `-1MiB`: this is not a size; \
             write a whole number and `KiB` or `MiB`, as in `4MiB`, or `0` for no cache",
    );
    refused(
        &top("token_cache: 65MiB"),
        "line 4, column 14: `65MiB`: every worker has a cache of this size, which is too large; \
             write at most `64MiB`",
    );
    refused(
        &top("token_cache:"),
        "line 4, column 12: `token_cache:`: this is not a size; \
             write a whole number and `KiB` or `MiB`, as in `4MiB`, or `0` for no cache",
    );
    refused(
        &top("forward: { sub: host }"),
        "line 4, column 17: `host`: this header belongs to the request itself, and replacing it would change what is asked, or by whom; \
             choose a name of your own, as in `x-auth-sub`",
    );
    refused(
        &top(r#"forward: { sub: ":path" }"#),
        "line 4, column 17: `\":path\"`: a pseudo header is a part of the request line; \
             choose a name of your own, as in `x-auth-sub`",
    );
    refused(
        &top("forward: { sub: transfer_encoding }"),
        "line 4, column 17: `transfer_encoding`: this header belongs to one connection (RFC 9110 section 7.6.1) and never reaches the upstream; \
             choose a name of your own, as in `x-auth-sub`",
    );
    refused(
        &top("forward: { sub: X-Forwarded-User }"),
        "line 4, column 17: `X-Forwarded-User`: by this header proxies say where a request came from; \
             choose a name of your own, as in `x-auth-sub`",
    );
    refused(
        &top(r#"forward: { sub: "x sub" }"#),
        "line 4, column 17: `\"x sub\"`: this is not the name of a header (RFC 9110 section 5.1); \
             use letters, digits and `-`, as in `x-auth-sub`",
    );
    refused(
        &top(r#"forward: { "": x-sub }"#),
        "line 4, column 12: `\"\"`: an empty text in `forward` matches nothing that an issuer sends; \
             write the value, or remove it",
    );
    refused(
        &top("forward:\n  sub: x-auth-user\n  email: X_Auth-User"),
        "line 6, column 10: `X_Auth-User`: `sub` in line 5 has the same header, or one that servers cannot tell from it; \
             give every claim a header of its own",
    );
    refused(
        &top("envoy: { clusters: { a: keys } }"),
        "line 4, column 22: `a`: the policy has no issuer of this name; \
             write `issuers:` and under it this issuer",
    );
    refused(
        &top("envoy: { log_subject: yes }"),
        "line 4, column 23: `yes`: this is neither `true` nor `false`; \
             write one of the two, without quotes",
    );
    refused(
        &top("envoy: { cluster: {} }"),
        "line 4, column 10: `cluster`: there is no field `cluster` here; \
             write `clusters` or `log_subject`",
    );
}

#[test]
fn a_realm_has_a_length() {
    let with_realm = |length: usize| {
        let realm = "r".repeat(length);
        format!("version: 1\nrealm: {realm}\nroutes: [{{ path: /, public: true }}]\n")
    };
    assert!(Policy::parse(&with_realm(256)).is_ok());
    for length in [257, 300] {
        let told = Policy::parse(&with_realm(length)).unwrap_err().to_string();
        assert!(
            told.contains("the realm is longer than 256 characters; shorten it: it is sent with every challenge"),
            "{told}"
        );
    }
}
