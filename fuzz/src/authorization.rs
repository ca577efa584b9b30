//! Whatever stands in the `Authorization` fields: one good bearer credential passes, and nothing else does.
//!
//! Each line of an input is the value of one such field, with `${read}` and its like for tokens.

use crate::gate::{ANY_TOKEN, Asked, Gate, Verdict};
use crate::issuer::{self, Known, MAIN, OTHER, Signer};

/// The names under which the fields go, in turn.
const NAMES: [&[u8]; 3] = [b"authorization", b"Authorization", b"AUTHORIZATION"];

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let input = issuer::fill(input);
    let values = input.split(|octet| *octet == b'\n');
    let fields = values
        .zip(NAMES.iter().cycle())
        .map(|(value, name)| (name.to_vec(), value.to_vec()));
    let asked = Asked {
        method: b"GET".to_vec(),
        path: ANY_TOKEN.as_bytes().to_vec(),
        fields: fields.collect(),
    };
    let mut gate = Gate::ready();
    let now = gate.now;
    let good = |known: &&Known| {
        known.issuer == MAIN && known.signer == Signer::Main && known.is_valid_at(now)
    };
    let credential = only_bearer(&asked.values("authorization"));
    let known = credential.and_then(known_token);
    match gate.ask_in_vain(&asked) {
        Verdict::Allow(passed) => {
            let known = known
                .filter(good)
                .expect("a credential that passes is one good token");
            assert!(
                passed
                    .set
                    .contains(&("x-auth-sub".to_owned(), known.name.to_owned()))
            );
        }
        Verdict::Deny(reason, _) => {
            assert!(
                known.is_none_or(|known| !good(&known)),
                "{} for a good token",
                reason.code()
            );
        }
        Verdict::NeedKeys(keys) => {
            // An octet more at its end leaves a token that may still name the other issuer, so it need not be a known one.
            assert!(
                credential.is_some(),
                "keys are asked for without one credential"
            );
            assert_eq!(keys.location.to_string(), "https://other.example/jwks.json");
            assert!(known.is_none_or(|known| known.issuer == OTHER));
        }
    }
    check_public(&mut gate, asked);
}

/// On a public route nothing is wanted, and no credential goes on.
fn check_public(gate: &mut Gate, asked: Asked) {
    let asked = Asked {
        path: b"/open".to_vec(),
        ..asked
    };
    let Verdict::Allow(passed) = gate.ask(&asked) else {
        panic!("a public route is refused");
    };
    for (name, _) in &asked.fields {
        assert!(
            passed.strip.contains(name),
            "a credential that nobody checked goes on"
        );
    }
}

/// The one credential, if there is one and its scheme is Bearer: what stands behind the spaces.
pub fn only_bearer<'a>(values: &[&'a [u8]]) -> Option<&'a [u8]> {
    let mut given = values
        .iter()
        .map(|value| without_blanks(value))
        .filter(|value| !value.is_empty());
    let (value, others) = (given.next()?, given.next());
    if others.is_some() || value.contains(&b',') || value.contains(&b'\t') {
        return None;
    }
    let (scheme, rest) = value.split_at_checked("bearer".len())?;
    if !scheme.eq_ignore_ascii_case(b"bearer") || rest.first() != Some(&b' ') {
        return None;
    }
    let spaces = rest.iter().take_while(|octet| **octet == b' ').count();
    rest.get(spaces..)
}

/// A field value without the spaces and tabs around it (RFC 9110 section 5.5).
fn without_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', inner @ ..] | [inner @ .., b' ' | b'\t'] = value {
        value = inner;
    }
    value
}

/// The known token of exactly these octets.
pub fn known_token(token: &[u8]) -> Option<&'static Known> {
    issuer::known()
        .iter()
        .find(|known| known.token.as_bytes() == token)
}
