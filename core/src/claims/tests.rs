use serde_json::{Value, json};

use super::*;

fn object(members: Value) -> Object {
    Object::parse(members.to_string().as_bytes()).unwrap()
}

/// The claims of a good token, with `claim` set to `value`.
fn with(claim: &str, value: Value) -> Result<Claims, InvalidClaims> {
    let mut members = json!({"iss": "https://issuer.example/", "exp": 1_000});
    members[claim] = value;
    Claims::from_object(object(members))
}

#[test]
fn issuer_and_expiry_are_required() {
    let check = |members: Value, claim| {
        let missing = Claims::from_object(object(members));
        assert_eq!(missing, Err(InvalidClaims::Missing { claim }));
    };
    check(json!({}), "iss");
    check(json!({"exp": 1_000}), "iss");
    check(json!({"iss": "i"}), "exp");
    check(json!({"iss": "i", "EXP": 1_000, "nbf": 1, "iat": 1}), "exp");
    assert!(Claims::from_object(object(json!({"iss": "", "exp": 0}))).is_ok());
}

#[test]
fn a_claim_of_the_wrong_type_is_never_taken_for_an_absent_one() {
    for (claim, values) in [
        (
            "iss",
            vec![
                json!(null),
                json!(1),
                json!(["i"]),
                json!({"iss": "i"}),
                json!(true),
            ],
        ),
        (
            "sub",
            vec![json!(null), json!(1), json!(["s"]), json!({}), json!(false)],
        ),
        (
            "aud",
            vec![
                json!(null),
                json!(1),
                json!({}),
                json!(["a", 1]),
                json!(["a", null]),
                json!([["a"]]),
            ],
        ),
        (
            "exp",
            vec![
                json!(null),
                json!("1000"),
                json!([1000]),
                json!(true),
                json!({}),
            ],
        ),
        (
            "nbf",
            vec![json!(null), json!("0"), json!([]), json!(false)],
        ),
        (
            "iat",
            vec![
                json!(null),
                json!("0"),
                json!("2026-01-01T00:00:00Z"),
                json!({}),
            ],
        ),
    ] {
        for value in values {
            let shown = format!("{claim}: {value}");
            assert_eq!(
                with(claim, value),
                Err(InvalidClaims::WrongType { claim }),
                "{shown}"
            );
        }
    }
}

#[test]
fn a_token_bound_to_a_key_is_refused_in_whatever_form() {
    for value in [
        json!({"jkt": "x"}),
        json!({"x5t#S256": "x"}),
        json!({}),
        json!(null),
        json!(false),
        json!(""),
    ] {
        assert_eq!(with("cnf", value), Err(InvalidClaims::ProofOfPossession));
    }
    // Also when everything else about it is wrong.
    let members = object(json!({"cnf": {}}));
    assert_eq!(
        Claims::from_object(members),
        Err(InvalidClaims::ProofOfPossession)
    );
}

#[test]
fn the_audience_may_be_one_string_or_many_or_nobody() {
    for value in [json!("a"), json!(""), json!(["a", "b", "a"]), json!([])] {
        assert!(with("aud", value.clone()).is_ok(), "{value}");
    }
    assert!(with("sub", json!("s")).is_ok());
}

#[test]
fn dates_are_numbers_of_any_size_and_fractions_round_down() {
    for (seconds, millis) in [
        (json!(0), 0),
        (json!(1), 1_000),
        (json!(1.5), 1_500),
        (json!(1.0019), 1_001),
        (json!(1_700_000_000.25), 1_700_000_000_250),
        (json!(1e3), 1_000_000),
        (json!(-0.0), 0),
        (json!(-1), -1_000),
        (json!(-0.0001), -1),
        (json!(i64::MAX), i64::MAX),
        (json!(i64::MIN), i64::MIN),
        (json!(u64::MAX), i64::MAX),
        (json!(1e300), i64::MAX),
        (json!(-1e300), i64::MIN),
        (json!(1e-300), 0),
    ] {
        let shown = seconds.to_string();
        assert_eq!(
            with("exp", seconds).unwrap().expires,
            NumericDate(millis),
            "{shown}"
        );
    }
}

#[test]
fn expiry_counts_to_the_millisecond_and_the_leeway_lengthens_it() {
    let expires = |seconds: f64, now: u64, leeway: u64| {
        let date = with("exp", json!(seconds)).unwrap().expires;
        !date.is_after(Timestamp::from_millis(now), Duration::from_secs(leeway))
    };
    for (seconds, now, leeway, expired) in [
        (1_000.0, 999_999, 0, false),
        (1_000.0, 1_000_000, 0, true),
        (1_000.0, 1_029_999, 30, false),
        (1_000.0, 1_030_000, 30, true),
        (1_000.5, 1_000_499, 0, false),
        (1_000.5, 1_000_500, 0, true),
        (-1.0, 0, 0, true),
        (-1e300, 0, 0, true),
        (0.0, 0, 0, true),
        (0.0, 29_999, 30, false),
        // Ends of time do not wrap round.
        (1e300, 1_000_000, 120, false),
        (-1e300, 1_000_000, 120, true),
    ] {
        assert_eq!(
            expires(seconds, now, leeway),
            expired,
            "{seconds} at {now}, leeway {leeway}"
        );
    }
}

#[test]
fn not_before_has_come_from_that_millisecond_on_or_a_leeway_earlier() {
    for (seconds, now, leeway, come) in [
        (1_000.0, 1_000_000, 0, true),
        (1_000.0, 999_999, 0, false),
        (1_000.0, 970_000, 30, true),
        (1_000.0, 969_999, 30, false),
        (-5.0, 0, 0, true),
        (1e300, u64::MAX / 4, 120, false),
        (-1e300, 0, 0, true),
    ] {
        let date = with("nbf", json!(seconds)).unwrap().not_before.unwrap();
        let has_come = date.has_come(Timestamp::from_millis(now), Duration::from_secs(leeway));
        assert_eq!(has_come, come, "{seconds} at {now}, leeway {leeway}");
    }
}

#[test]
fn rfc9068_wants_every_one_of_its_claims_with_its_type() {
    let complete = json!({
        "iss": "i", "exp": 1_000, "aud": "a", "sub": "s", "client_id": "c", "iat": 0, "jti": "j",
    });
    let check = |members: &Value, expected: bool| {
        let claims = Claims::from_object(object(members.clone())).unwrap();
        assert_eq!(claims.has_rfc9068_claims(), expected, "{members}");
    };
    check(&complete, true);
    for claim in ["aud", "sub", "client_id", "iat", "jti"] {
        let mut without = complete.clone();
        without.as_object_mut().unwrap().remove(claim);
        check(&without, false);
    }
    for (claim, value) in [
        ("aud", json!([])),
        ("client_id", json!(1)),
        ("client_id", json!(null)),
        ("jti", json!(["j"])),
        ("jti", json!(7)),
    ] {
        let mut changed = complete.clone();
        changed[claim] = value;
        check(&changed, false);
    }
}

#[test]
fn a_path_goes_through_objects_only() {
    let claims = with("realm_access", json!({"roles": ["a"], "x": {"y": null}})).unwrap();
    let at = |path: &[&str]| {
        let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
        claims.at_path(&path).map(|value| value.to_json())
    };
    assert_eq!(at(&["realm_access", "roles"]), Some(json!(["a"])));
    assert_eq!(at(&["realm_access", "x"]), Some(json!({"y": null})));
    assert_eq!(at(&["realm_access", "x", "y"]), Some(json!(null)));
    assert_eq!(at(&["iss"]), Some(json!("https://issuer.example/")));
    assert_eq!(at(&[]), None);
    assert_eq!(at(&["roles"]), None);
    assert_eq!(at(&["realm_access", "roles", "0"]), None);
    assert_eq!(at(&["realm_access", "x", "y", "z"]), None);
    assert_eq!(at(&["iss", "length"]), None);
    assert_eq!(at(&["realm_access.roles"]), None);
}

#[test]
fn claims_do_not_print() {
    let claims = with("sub", json!("auth0|secret-subject")).unwrap();
    assert_eq!(format!("{claims:?}"), "Claims { .. }");
}
