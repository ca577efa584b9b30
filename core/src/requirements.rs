//! What a route and its issuer want of a token, and whether its claims have it.

use serde_json::Number;

use crate::claims::Claims;
use crate::json::{EXACT_INTEGERS, Elements, Value};
use crate::octets::are_same;
use crate::policy::{ClaimRule, ClaimTest, Issuer, Requirements, ScopeDemand, TokenType};
use crate::reason::Reason;
use crate::time::Timestamp;

/// The claims that refuse a token whoever signed it: time and audience.
///
/// Asked before the signature is checked, so that a token that cannot pass costs no key fetch. It can only say no: what it lets through is
/// not yet believed. A hit of the token cache is asked for time by itself, and for the audience where that may be another one.
pub(crate) fn check_validity(
    claims: &Claims,
    issuer: &Issuer,
    wanted: &Requirements,
    now: Timestamp,
) -> Result<(), Reason> {
    check_time(claims, issuer, now)?;
    check_audience(claims, issuer, wanted)
}

/// Whether a token's time has come and has not passed: another answer each second, for the same token.
pub(crate) fn check_time(claims: &Claims, issuer: &Issuer, now: Timestamp) -> Result<(), Reason> {
    // RFC 7519 section 4.1.4: the current time must be before `exp`; the skew is the "small leeway".
    if !claims.expires.is_after(now, issuer.clock_skew) {
        return Err(Reason::TokenExpired);
    }
    if claims
        .not_before
        .is_some_and(|start| !start.has_come(now, issuer.clock_skew))
    {
        return Err(Reason::TokenNotYetValid);
    }
    Ok(())
}

/// Whether a token is meant for the upstream of a route.
pub(crate) fn check_audience(
    claims: &Claims,
    issuer: &Issuer,
    wanted: &Requirements,
) -> Result<(), Reason> {
    let audiences = wanted.audiences.as_deref().unwrap_or(&issuer.audiences);
    if !names_an_audience(claims, &issuer.audience_claim, audiences) {
        return Err(Reason::AudienceMismatch);
    }
    Ok(())
}

/// Whether the header's `typ` and the claims are those of an access token (RFC 9068 sections 2.1 and 4).
pub(crate) fn check_type(
    typ: Option<&str>,
    claims: &Claims,
    wanted: TokenType,
) -> Result<(), Reason> {
    let is_one_of = |names: &[&str]| {
        typ.is_some_and(|typ| names.iter().any(|name| typ.eq_ignore_ascii_case(name)))
    };
    let fits = match wanted {
        TokenType::Any => typ.is_none() || is_one_of(&["JWT", "at+jwt", "application/at+jwt"]),
        TokenType::AtJwt => is_one_of(&["at+jwt", "application/at+jwt"]),
    };
    if !fits {
        return Err(Reason::TypeRefused);
    }
    if wanted == TokenType::AtJwt && !claims.has_rfc9068_claims() {
        return Err(Reason::ClaimMalformed);
    }
    Ok(())
}

/// The first claim rule that does not hold.
pub(crate) fn refusing_rule<'a>(claims: &Claims, rules: &'a [ClaimRule]) -> Option<&'a ClaimRule> {
    rules
        .iter()
        .find(|rule| !holds(claims.at_path(&rule.claim), &rule.test))
}

/// The scopes to name in the challenge when the token's do not suffice (RFC 6750 section 3).
pub(crate) fn missing_scopes<'a>(
    claims: &Claims,
    scope_claims: &[String],
    demand: &'a ScopeDemand,
) -> Option<Vec<&'a str>> {
    let granted = Granted::of(claims, scope_claims);
    match demand {
        ScopeDemand::None => None,
        ScopeDemand::All(scopes) if scopes.iter().all(|scope| granted.has(scope)) => None,
        ScopeDemand::All(scopes) => Some(scopes.iter().map(String::as_str).collect()),
        ScopeDemand::Any(scopes) if scopes.iter().any(|scope| granted.has(scope)) => None,
        ScopeDemand::Any(scopes) => Some(scopes.iter().take(1).map(String::as_str).collect()),
    }
}

/// The scopes that a token carries.
enum Granted<'a> {
    /// RFC 6749 section 3.3: separated by spaces, and by nothing else.
    Text(&'a str),
    /// Taken as they are: a space inside one is part of it.
    List(Elements<'a>),
    Nothing,
}

impl<'a> Granted<'a> {
    /// The first claim that is *present* counts, whatever it holds: falling back from one that is empty
    /// or of the wrong type to the next would grant what the issuer took away.
    fn of(claims: &'a Claims, scope_claims: &[String]) -> Self {
        match scope_claims.iter().find_map(|name| claims.get(name)) {
            Some(Value::String(text)) => Self::Text(text),
            Some(Value::Array(list)) if list.are_strings() => Self::List(list),
            _ => Self::Nothing,
        }
    }

    fn has(&self, scope: &str) -> bool {
        match *self {
            Self::Text(text) => {
                let mut granted = text.as_bytes().split(|octet| *octet == b' ');
                granted.any(|granted| are_same(granted, scope.as_bytes()))
            }
            Self::List(mut list) => list.any(|granted| granted.as_str() == Some(scope)),
            Self::Nothing => false,
        }
    }
}

fn names_an_audience(claims: &Claims, audience_claim: &str, wanted: &[String]) -> bool {
    let is_wanted = |named: &str| {
        let mut wanted = wanted.iter();
        wanted.any(|audience| are_same(audience.as_bytes(), named.as_bytes()))
    };
    match claims.get(audience_claim) {
        Some(Value::String(named)) => is_wanted(named),
        Some(Value::Array(list)) => {
            list.are_strings() && list.filter_map(Value::as_str).any(is_wanted)
        }
        _ => false,
    }
}

fn holds(claim: Option<Value<'_>>, test: &ClaimTest) -> bool {
    match (test, claim) {
        (ClaimTest::Exists(expected), claim) => claim.is_some() == *expected,
        (_, None) => false,
        (ClaimTest::Equals(expected), Some(claim)) => is_same_scalar(&claim, expected),
        (ClaimTest::OneOf(expected), Some(claim)) => {
            expected.iter().any(|one| is_same_scalar(&claim, one))
        }
        (ClaimTest::Contains(expected), Some(Value::Array(mut list))) => {
            list.any(|element| is_same_scalar(&element, expected))
        }
        // A string contains no roles: `contains` on it would be a search for part of a word.
        (ClaimTest::Contains(_), Some(_)) => false,
    }
}

/// Equality of JSON scalars with their type: `1` is `1.0`, but neither is `"1"` or `true`.
fn is_same_scalar(claim: &Value<'_>, expected: &serde_json::Value) -> bool {
    match (claim, expected) {
        (Value::Bool(claim), serde_json::Value::Bool(expected)) => claim == expected,
        (Value::String(claim), serde_json::Value::String(expected)) => claim == expected,
        (Value::Number(claim), serde_json::Value::Number(expected)) => {
            claim == expected || is_same_integer(claim, expected)
        }
        _ => false,
    }
}

/// Whether one is an integer and the other the same one written as a fraction, as in `1` and `1.0`. Where a fraction no longer
/// tells an integer from its neighbour, it is none.
fn is_same_integer(left: &Number, right: &Number) -> bool {
    let (Some(one), Some(other)) = (left.as_f64(), right.as_f64()) else {
        return false;
    };
    left.is_f64() != right.is_f64() && one == other && one.abs() < EXACT_INTEGERS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::Object;

    fn claims(members: serde_json::Value) -> Claims {
        let mut all = members;
        all["iss"] = json!("https://issuer.example/");
        all["exp"] = json!(1_000);
        Claims::from_object(Object::parse(all.to_string().as_bytes()).unwrap()).unwrap()
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn scopes_granted() {
        let names = strings(&["scope", "scp"]);
        let demand = ScopeDemand::All(strings(&["read:x"]));
        for (shown, members, expected) in [
            ("a scope", json!({"scope": "read:x"}), true),
            ("one of several", json!({"scope": "a read:x b"}), true),
            ("doubled spaces", json!({"scope": "a  read:x"}), true),
            ("an array", json!({"scp": ["read:x"]}), true),
            ("a longer scope", json!({"scope": "read:xy"}), false),
            ("another case", json!({"scope": "READ:X"}), false),
            ("a tab between", json!({"scope": "a\tread:x"}), false),
            ("a comma between", json!({"scope": "a,read:x"}), false),
            ("a wildcard", json!({"scope": "*"}), false),
            (
                "an array element with a space",
                json!({"scp": ["a read:x"]}),
                false,
            ),
            (
                "an array with a number in it",
                json!({"scp": ["read:x", 1]}),
                false,
            ),
            ("an object", json!({"scope": {"read:x": true}}), false),
            (
                "an empty first claim hides the second",
                json!({"scope": "", "scp": "read:x"}),
                false,
            ),
            (
                "a null first claim hides the second",
                json!({"scope": null, "scp": "read:x"}),
                false,
            ),
            (
                "permissions are not scopes",
                json!({"permissions": ["read:x"]}),
                false,
            ),
        ] {
            let missing = missing_scopes(&claims(members), &names, &demand);
            assert_eq!(missing.is_none(), expected, "{shown}");
        }
    }

    #[test]
    fn the_challenge_names_all_or_the_first_of_any() {
        let none = claims(json!({}));
        let names = strings(&["scope"]);
        let all = ScopeDemand::All(strings(&["a", "b"]));
        let any = ScopeDemand::Any(strings(&["a", "b"]));
        assert_eq!(missing_scopes(&none, &names, &all), Some(vec!["a", "b"]));
        assert_eq!(missing_scopes(&none, &names, &any), Some(vec!["a"]));
        assert_eq!(missing_scopes(&none, &names, &ScopeDemand::None), None);
    }

    #[test]
    fn the_audience_is_one_string_or_many() {
        let wanted = strings(&["a", "b"]);
        for (named, expected) in [
            (json!("a"), true),
            (json!("b"), true),
            (json!("c"), false),
            (json!("a b"), false),
            (json!("A"), false),
            (json!(""), false),
            (json!(["a"]), true),
            (json!(["c", "b", "c"]), true),
            (json!(["c"]), false),
            (json!([]), false),
        ] {
            for claim in ["aud", "client_id"] {
                let claims = claims(json!({ claim: named }));
                let names = names_an_audience(&claims, claim, &wanted);
                assert_eq!(names, expected, "{claim}: {named}");
            }
        }
        // Of another type, which `aud` cannot be.
        for named in [json!(["a", 1]), json!({"a": 1}), json!(null), json!(true)] {
            let claims = claims(json!({"client_id": named}));
            assert!(!names_an_audience(&claims, "client_id", &wanted), "{named}");
        }
        assert!(!names_an_audience(&claims(json!({})), "aud", &wanted));
    }

    #[test]
    fn claim_tests() {
        let claim = json!({"a": "x", "n": 1, "t": true, "z": null, "l": ["x", 2]});
        let claims = claims(claim);
        let test = |name: &str, test: ClaimTest| holds(claims.get(name), &test);
        assert!(test("a", ClaimTest::Equals(json!("x"))));
        assert!(!test("a", ClaimTest::Equals(json!("X"))));
        assert!(test("n", ClaimTest::Equals(json!(1.0))));
        assert!(!test("n", ClaimTest::Equals(json!("1"))));
        assert!(!test("n", ClaimTest::Equals(json!(true))));
        assert!(test("t", ClaimTest::Equals(json!(true))));
        assert!(!test("t", ClaimTest::Equals(json!("true"))));
        assert!(test("n", ClaimTest::OneOf(vec![json!(3), json!(1)])));
        assert!(!test("missing", ClaimTest::OneOf(vec![json!(null)])));
        assert!(test("l", ClaimTest::Contains(json!(2))));
        assert!(!test("l", ClaimTest::Contains(json!("2"))));
        assert!(!test("a", ClaimTest::Contains(json!("x"))));
        assert!(test("z", ClaimTest::Exists(true)));
        assert!(test("missing", ClaimTest::Exists(false)));
        assert!(!test("missing", ClaimTest::Exists(true)));
    }

    #[test]
    fn types() {
        let plain = claims(json!({}));
        let full = claims(json!({
            "aud": "api", "sub": "me", "client_id": "app", "iat": 1, "jti": "id"
        }));
        let any = |typ| check_type(typ, &plain, TokenType::Any).is_ok();
        assert!(
            any(None) && any(Some("JWT")) && any(Some("jwt")) && any(Some("Application/AT+jwt"))
        );
        assert!(!any(Some("")) && !any(Some("id+jwt")) && !any(Some("logout+jwt")));
        let strict = |typ| check_type(typ, &full, TokenType::AtJwt);
        assert_eq!(strict(Some("at+JWT")), Ok(()));
        assert_eq!(strict(None), Err(Reason::TypeRefused));
        assert_eq!(strict(Some("JWT")), Err(Reason::TypeRefused));
        assert_eq!(
            check_type(Some("at+jwt"), &plain, TokenType::AtJwt),
            Err(Reason::ClaimMalformed)
        );
    }
}
