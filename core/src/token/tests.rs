use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::verify::testing::encode;

const HEADER: &str = r#"{"alg":"RS256"}"#;
const PAYLOAD: &str = r#"{"iss":"https://issuer.example/","exp":1000}"#;

/// A token out of JSON texts that may be anything, with a signature that verifies nothing.
fn token(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}.c2ln", encode(header), encode(payload))
}

fn check(token: &str, expected: MalformedToken) {
    let refusal = UnverifiedToken::parse(token).map(|_| "a token");
    assert_eq!(refusal, Err(expected), "{token}");
}

fn check_header(header: impl AsRef<[u8]>, expected: MalformedToken) {
    check(&token(header, PAYLOAD), expected);
}

#[test]
fn a_token_comes_apart() {
    let header = r#"{"typ":"at+jwt","alg":"ES256","kid":"k 1","cty":"JWT"}"#;
    let text = token(header, PAYLOAD);
    let parsed = UnverifiedToken::parse(&text).unwrap();
    assert_eq!(parsed.header.algorithm, Algorithm::Es256);
    assert_eq!(parsed.header.kid(), Some("k 1"));
    assert_eq!(parsed.header.typ(), Some("at+jwt"));
    assert_eq!(parsed.claims.issuer(), "https://issuer.example/");
    assert_eq!(
        parsed.signing_input,
        format!("{}.{}", encode(header), encode(PAYLOAD)).as_bytes()
    );
    assert_eq!(parsed.signature, b"sig");
}

#[test]
fn every_algorithm_of_the_list_is_taken_by_its_name() {
    for algorithm in Algorithm::ALL {
        let text = token(format!("{{\"alg\":\"{algorithm}\"}}"), PAYLOAD);
        assert_eq!(
            UnverifiedToken::parse(&text).unwrap().header.algorithm,
            algorithm
        );
    }
    let text = token(r#"{"alg":"Ed25519"}"#, PAYLOAD);
    assert_eq!(
        UnverifiedToken::parse(&text).unwrap().header.algorithm,
        Algorithm::Ed25519
    );
}

#[test]
fn a_key_that_comes_with_the_token_is_not_looked_at() {
    let header = json!({
        "alg": "RS256",
        "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        "jku": "https://attacker.example/jwks.json",
        "x5u": "https://attacker.example/chain.pem",
        "x5c": ["MIIB"],
    });
    let text = token(header.to_string(), PAYLOAD);
    let parsed = UnverifiedToken::parse(&text).unwrap().header;
    assert_eq!(parsed.algorithm, Algorithm::Rs256);
    assert_eq!((parsed.kid(), parsed.typ()), (None, None));
}

#[test]
fn other_shapes_than_three_parts_are_refused() {
    let (header, payload) = (encode(HEADER), encode(PAYLOAD));
    for text in [
        String::new(),
        header.clone(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.c2ln.c2ln"),
        format!("{header}.{payload}.c2ln."),
        format!(".{header}.{payload}.c2ln"),
        // The five parts of JWE.
        format!("{header}.a.b.c.d"),
    ] {
        check(&text, MalformedToken::NotThreeParts);
    }
    check("..", MalformedToken::EmptyPart(Part::Header));
    check(
        &format!(".{payload}.c2ln"),
        MalformedToken::EmptyPart(Part::Header),
    );
    check(
        &format!("{header}..c2ln"),
        MalformedToken::EmptyPart(Part::Payload),
    );
    check(
        &format!("{header}.{payload}."),
        MalformedToken::EmptyPart(Part::Signature),
    );
}

#[test]
fn an_unsecured_token_is_refused_whatever_its_case_and_signature() {
    for name in ["none", "None", "NONE", "nOnE"] {
        check_header(
            format!("{{\"alg\":\"{name}\"}}"),
            MalformedToken::AlgorithmRefused,
        );
    }
    // RFC 7519 section 6.1, as printed there.
    check(
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        MalformedToken::AlgorithmRefused,
    );
}

#[test]
fn algorithms_off_the_list_are_refused() {
    for name in [
        "HS256", "HS384", "HS512", "ES512", "ES256K", "Ed448", "RS1", "rs256", "RS256 ", "dir", "",
    ] {
        check_header(
            format!("{{\"alg\":\"{name}\"}}"),
            MalformedToken::AlgorithmRefused,
        );
    }
}

#[test]
fn alg_is_one_string() {
    check_header("{}", MalformedToken::AlgorithmMissing);
    check_header(r#"{"ALG":"RS256"}"#, MalformedToken::AlgorithmMissing);
    for alg in ["null", "1", "true", r#"["RS256"]"#, r#"{"alg":"RS256"}"#] {
        let wrong = MalformedToken::InvalidHeaderMember { member: "alg" };
        check_header(format!("{{\"alg\":{alg}}}"), wrong);
    }
}

#[test]
fn any_crit_and_any_b64_is_refused() {
    for member in [
        r#""crit":["exp"]"#,
        r#""crit":["b64"],"b64":false"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":"exp""#,
        r#""\u0063rit":["x"]"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""b64":null"#,
    ] {
        check_header(
            format!("{{\"alg\":\"RS256\",{member}}}"),
            MalformedToken::CriticalHeader,
        );
    }
}

#[test]
fn header_members_have_their_type() {
    for member in ["typ", "kid", "cty"] {
        for value in ["null", "1", "false", r#"["x"]"#, "{}"] {
            check_header(
                format!("{{\"alg\":\"RS256\",\"{member}\":{value}}}"),
                MalformedToken::InvalidHeaderMember { member },
            );
        }
    }
}

#[test]
fn a_kid_has_a_budget() {
    let with_kid = |length: usize| {
        token(
            json!({"alg": "RS256", "kid": "k".repeat(length)}).to_string(),
            PAYLOAD,
        )
    };
    assert!(UnverifiedToken::parse(&with_kid(MAX_KID_BYTES)).is_ok());
    assert!(UnverifiedToken::parse(&with_kid(0)).is_ok());
    check(
        &with_kid(MAX_KID_BYTES + 1),
        MalformedToken::InvalidHeaderMember { member: "kid" },
    );
}

#[test]
fn parts_are_strict_json_objects() {
    use InvalidJson::{ByteOrderMark, DuplicateName, NotAnObject, NotUtf8, Syntax, TooDeep};
    for (text, cause) in [
        (&b"[\"RS256\"]"[..], NotAnObject),
        (b"\"RS256\"", NotAnObject),
        (b"null", NotAnObject),
        (b"\xef\xbb\xbf{\"alg\":\"RS256\"}", ByteOrderMark),
        (b"{\"alg\":\"RS256\",\"kid\":\"\xff\"}", NotUtf8),
        (b"{\"alg\":\"RS256\"", Syntax),
        (b"{\"alg\":\"RS256\"}{}", Syntax),
        (b"{\"alg\":\"none\",\"alg\":\"RS256\"}", DuplicateName),
        (b"{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}", DuplicateName),
        (
            b"{\"alg\":\"RS256\",\"x\":{\"y\":1,\"y\":1}}",
            DuplicateName,
        ),
        (b"{\"alg\":\"RS256\",\"kid\":\"\\ud800\"}", Syntax),
    ] {
        check_header(text, MalformedToken::InvalidJson(Part::Header, cause));
    }
    for (text, cause) in [
        (r#"{"iss":"i","exp":1000,"iss":"j"}"#, DuplicateName),
        (
            r#"{"iss":"i","exp":1,"e\u0078p":9999999999}"#,
            DuplicateName,
        ),
        (r#"{"iss":"i","exp":1e999}"#, Syntax),
        (r#"{"iss":"i","exp":NaN}"#, Syntax),
        (r#"{"iss":"i","exp":Infinity}"#, Syntax),
        ("It’s a dangerous business, Frodo", Syntax),
        ("[]", NotAnObject),
    ] {
        check(
            &token(HEADER, text),
            MalformedToken::InvalidJson(Part::Payload, cause),
        );
    }
    let bomb = format!(
        "{{\"iss\":\"i\",\"exp\":1,\"x\":{}{}}}",
        "[".repeat(2_000),
        "]".repeat(2_000)
    );
    check(
        &token(HEADER, bomb),
        MalformedToken::InvalidJson(Part::Payload, TooDeep),
    );
}

#[test]
fn claims_are_typed() {
    for (payload, expected) in [
        (
            r#"{"exp":1000}"#,
            MalformedToken::ClaimMissing { claim: "iss" },
        ),
        (
            r#"{"iss":"i"}"#,
            MalformedToken::ClaimMissing { claim: "exp" },
        ),
        (
            r#"{"iss":"i","exp":"1000"}"#,
            MalformedToken::ClaimMalformed { claim: "exp" },
        ),
        (
            r#"{"iss":"i","exp":null}"#,
            MalformedToken::ClaimMalformed { claim: "exp" },
        ),
        (
            r#"{"iss":"i","exp":1,"aud":7}"#,
            MalformedToken::ClaimMalformed { claim: "aud" },
        ),
        (
            r#"{"iss":"i","exp":1,"cnf":{"jkt":"x"}}"#,
            MalformedToken::ProofOfPossession,
        ),
    ] {
        check(&token(HEADER, payload), expected);
    }
}

#[test]
fn other_spellings_of_the_same_bytes_are_refused() {
    let (header, payload) = (encode(HEADER), encode(PAYLOAD));
    for (text, part) in [
        (format!("{header}=.{payload}.c2ln"), Part::Header),
        (format!("{header} .{payload}.c2ln"), Part::Header),
        (format!(" {header}.{payload}.c2ln"), Part::Header),
        (format!("{header}.{payload}\n.c2ln"), Part::Payload),
        (format!("{header}.{payload}==.c2ln"), Part::Payload),
        (format!("{header}.{payload}.c2ln\n"), Part::Signature),
        (format!("{header}.{payload}.c2ln===="), Part::Signature),
        // "c2k" spells "si"; "c2l" does too, with a bit over.
        (format!("{header}.{payload}.c2l"), Part::Signature),
        (format!("{header}.{payload}.c2+n"), Part::Signature),
        (format!("{header}.{payload}.c2/n"), Part::Signature),
        (format!("{header}.{payload}.c2lnA"), Part::Signature),
        (format!("{header}.{payload}.c2ł"), Part::Signature),
    ] {
        check(&text, MalformedToken::InvalidBase64Url(part));
    }
    assert!(UnverifiedToken::parse(&format!("{header}.{payload}.c2k")).is_ok());
}

#[test]
fn a_token_has_a_budget() {
    let start = format!("{}.{}.", encode(HEADER), encode(PAYLOAD));
    // Characters in fours, so that only the length can be wrong.
    let room = (MAX_TOKEN_BYTES - start.len()) / 4 * 4;
    assert!(UnverifiedToken::parse(&format!("{start}{}", "A".repeat(room))).is_ok());
    check(
        &format!("{start}{}", "A".repeat(room + 4)),
        MalformedToken::TooLarge,
    );
    check(&"A".repeat(10_000_000), MalformedToken::TooLarge);
    check(&"A".repeat(MAX_TOKEN_BYTES), MalformedToken::NotThreeParts);
}

#[test]
fn tokens_do_not_print() {
    let text = token(r#"{"alg":"RS256","kid":"secret-kid"}"#, PAYLOAD);
    let parsed = UnverifiedToken::parse(&text).unwrap();
    assert_eq!(format!("{parsed:?}"), "UnverifiedToken { .. }");
    assert_eq!(
        format!("{:?}", parsed.header),
        "Header { algorithm: Rs256, .. }"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = UnverifiedToken::parse(&text);
    }

    #[test]
    fn any_parts_are_read_or_refused(
        header in r#"\{("(alg|kid|typ|crit|x)":("RS256"|"none"|1|null|\[\]|\{"a":1\}),?){0,4}\}"#,
        payload in r#"\{("(iss|exp|aud|nbf|cnf|sub)":("i"|-?[0-9]{1,25}|[0-9]e[0-9]{1,4}|null|\["a"\]),?){0,5}\}"#,
        signature in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let text = format!("{}.{}.{}", encode(&header), encode(&payload), encode(&signature));
        if let Ok(parsed) = UnverifiedToken::parse(&text) {
            prop_assert_eq!(&parsed.signature, &signature);
            prop_assert!(text.as_bytes().starts_with(parsed.signing_input));
        }
    }

    /// One text for one token: changing any single character changes what was signed, or what the signature is.
    #[test]
    fn no_two_texts_are_the_same_token(at in any::<prop::sample::Index>(), replacement in "[A-Za-z0-9_=. -]") {
        let original = token(HEADER, PAYLOAD);
        let mut text = original.clone();
        let at = at.index(text.len());
        text.replace_range(at..=at, &replacement);
        if let Ok(parsed) = UnverifiedToken::parse(&text) && text != original {
            let before = UnverifiedToken::parse(&original).unwrap();
            prop_assert!(parsed.signing_input != before.signing_input || parsed.signature != before.signature);
        }
    }
}

#[test]
fn what_is_wrong_is_told_in_words() {
    use MalformedToken as M;
    use Part::{Header, Payload, Signature};

    for (malformed, words) in [
        (M::TooLarge, "the token is longer than 8192 bytes"),
        (M::NotThreeParts, "the token does not have three parts"),
        (M::EmptyPart(Payload), "the token's payload is empty"),
        (
            M::InvalidBase64Url(Signature),
            "the token's signature is not canonical base64url",
        ),
        (
            M::InvalidJson(Header, InvalidJson::TooDeep),
            "the token's header cannot be read: the JSON value nests deeper than 32 levels",
        ),
        (M::AlgorithmMissing, "the token's header has no `alg`"),
        (
            M::InvalidHeaderMember { member: "kid" },
            "the header's `kid` is not one that we take",
        ),
        (
            M::AlgorithmRefused,
            "the token's `alg` is not one that we take",
        ),
        (
            M::CriticalHeader,
            "the token's header asks for an extension",
        ),
        (M::ClaimMissing { claim: "exp" }, "the token has no `exp`"),
        (
            M::ClaimMalformed { claim: "sub" },
            "the token's `sub` has the wrong type",
        ),
        (M::ProofOfPossession, "the token is bound to a key (`cnf`)"),
    ] {
        assert_eq!(malformed.to_string(), words);
    }
}
