//! What steps of an explanation say in words.

use crate::claims::NumericDate;
use crate::decision::in_one_line;
use crate::json::Value;
use crate::policy::{Access, Mode, Policy, Route, ScopeDemand, TokenType};
use crate::time::Timestamp;
use crate::token::{MalformedToken, Part};

/// A claim's value as JSON, or that there is none.
pub(super) fn json(value: Option<Value<'_>>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(value) => in_one_line(&value.to_json().to_string()),
    }
}

/// A date of a token: seconds since the epoch, and how far that is from now.
pub(super) fn numeric_date(date: NumericDate, now: Timestamp) -> [String; 2] {
    let at = date.timestamp();
    let distance = at.distance(now).as_secs();
    let from_now = match at > now {
        true => format!("in {distance} s"),
        false => format!("{distance} s ago"),
    };
    let seconds = at.millis().checked_div(1_000).unwrap_or_default();
    [seconds.to_string(), from_now]
}

/// What a route says about methods and mode.
pub(super) fn pattern_words(policy: &Policy, route: &Route) -> Vec<String> {
    let methods = match route.methods.as_slice() {
        [] => "any method".to_owned(),
        methods => methods.join(", "),
    };
    let access = match &route.access {
        Access::Public => "public".to_owned(),
        Access::Protected(wanted) => match &wanted.scopes {
            ScopeDemand::None => "any valid token".to_owned(),
            demand => scopes(demand).join(" "),
        },
    };
    let is_shadow = route.mode.unwrap_or(policy.mode) == Mode::Shadow;
    let mode = is_shadow.then(|| "in shadow mode".to_owned());
    [methods, access].into_iter().chain(mode).collect()
}

/// All of them, or any of them.
pub(super) fn scopes(demand: &ScopeDemand) -> Vec<String> {
    let (word, scopes) = match demand {
        ScopeDemand::None => return Vec::new(),
        ScopeDemand::All(scopes) => ("all of", scopes),
        ScopeDemand::Any(scopes) => ("any of", scopes),
    };
    vec![format!("{word} {}", scopes.join(" "))]
}

/// The `typ` that tokens may have.
pub(super) fn types(wanted: TokenType) -> Vec<String> {
    let names: &[&str] = match wanted {
        TokenType::Any => &["absent", "JWT", "at+jwt", "application/at+jwt"],
        TokenType::AtJwt => &[
            "at+jwt",
            "application/at+jwt",
            "with iss, exp, aud, sub, client_id, iat and jti (RFC 9068)",
        ],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What is wrong with a token's form.
pub(super) fn malformed(what: MalformedToken) -> String {
    let part = |part: Part| match part {
        Part::Header => "its header",
        Part::Payload => "its payload",
        Part::Signature => "its signature",
    };
    match what {
        MalformedToken::TooLarge => "longer than 8 KiB".into(),
        MalformedToken::NotThreeParts => {
            "not three parts: an opaque token, or an encrypted one".into()
        }
        MalformedToken::EmptyPart(which) => format!("{} is empty", part(which)),
        MalformedToken::InvalidBase64Url(which) => {
            format!("{} is not canonical base64url without padding", part(which))
        }
        MalformedToken::InvalidJson(which, cause) => format!("{}: {cause}", part(which)),
        MalformedToken::AlgorithmMissing => "its header has no `alg`".into(),
        MalformedToken::InvalidHeaderMember { member } => {
            format!("`{member}` in its header is not what it should be")
        }
        MalformedToken::AlgorithmRefused => "its `alg` is none that is verified here".into(),
        MalformedToken::CriticalHeader => {
            "its header asks for an extension (`crit` or `b64`)".into()
        }
        MalformedToken::ClaimMissing { claim } => format!("it has no `{claim}`"),
        MalformedToken::ClaimMalformed { claim } => {
            format!("its `{claim}` is not of the type that it should be")
        }
        MalformedToken::ProofOfPossession => {
            "it is bound to a key (`cnf`), and whether the client holds that cannot be checked"
                .into()
        }
    }
}
