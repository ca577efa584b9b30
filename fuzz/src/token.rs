//! Whatever the octets of a token: it passes only if an issuer's key signed these very octets, and they say what the
//! route wants.
//!
//! An input of one line is a token as it is, in which `${read}` stands for a good one. Otherwise the first line is the
//! header, the second one the claims, and what follows says who signs and what is then done to the token.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::Value;

use crate::gate::{ANY_TOKEN, Asked, Gate, TO_READ, Verdict};
use crate::issuer::{self, AUDIENCE, MAIN, OTHER, READ, SKEW, START, Signer};

/// The most that is done to one token.
const MAX_EDITS: usize = 8;

/// What happens to a token on its way.
#[derive(Arbitrary, Debug)]
struct Tampering {
    signer: Signer,
    edits: Vec<Edit>,
}

#[derive(Arbitrary, Debug)]
enum Edit {
    /// One bit of one octet turns.
    Flip { at: u16, bit: u8 },
    /// An octet comes in.
    Insert { at: u16, octet: u8 },
    /// An octet goes.
    Remove { at: u16 },
    /// Everything from there goes.
    Truncate { at: u16 },
    /// The part between two dots comes from a good token.
    Transplant { part: u8 },
    /// A part gets an end of its own, such as `=`.
    Pad { part: u8, octet: u8 },
    /// The group's order is added to the signature's scalar: malleable, were it not refused (RFC 8032 section 8.4).
    AddOrder,
}

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let mut gate = Gate::ready();
    let good = &issuer::named("read").expect("a known token").token;
    let mut lines = input.splitn(3, |octet| *octet == b'\n');
    let (token, signed) = match (lines.next(), lines.next()) {
        (Some(header), Some(claims)) => {
            let rest = lines.next().unwrap_or_default();
            let Ok(tampering) = Tampering::arbitrary(&mut Unstructured::new(rest)) else {
                return;
            };
            let made = issuer::sign(header, claims, tampering.signer);
            let mut token = made.clone().into_bytes();
            for edit in tampering.edits.iter().take(MAX_EDITS) {
                edit.apply(&mut token, good);
            }
            let signed = (tampering.signer == Signer::Main).then_some((made, header, claims));
            (token, signed)
        }
        _ => (issuer::fill(input), None),
    };
    for (path, scope) in [(ANY_TOKEN, ""), (TO_READ, READ)] {
        let asked = Asked::with_token(path, &token);
        match gate.ask_in_vain(&asked) {
            Verdict::Deny(..) => {}
            Verdict::NeedKeys(keys) => check_wanted(&token, &keys.location.to_string()),
            Verdict::Allow(passed) => {
                assert_eq!(passed.issuer.as_deref(), Some("main"));
                // White space around the value of a field is no part of it, nor are spaces behind the scheme.
                let sent = token.trim_ascii();
                let known = issuer::known()
                    .iter()
                    .find(|known| known.token.as_bytes() == sent);
                if let Some(known) = known {
                    let fits = known.issuer == MAIN && known.signer == Signer::Main;
                    assert!(
                        fits && known.is_valid_at(gate.now) && known.holds(scope),
                        "{known:?}"
                    );
                    continue;
                }
                match &signed {
                    Some((made, header, claims)) if made.as_bytes() == sent => {
                        check_said(header, claims, scope, &passed.set);
                    }
                    _ => panic!("nobody signed {}", sent.escape_ascii()),
                }
            }
        }
    }
    let still = gate.ask(&Asked::with_token(TO_READ, good.as_bytes()));
    assert!(
        matches!(still, Verdict::Allow(_)),
        "a good token is refused: {still:?}"
    );
}

/// Keys are asked for in the name of the issuer that the token names, and of no other.
fn check_wanted(token: &[u8], url: &str) {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

    let payload = token.trim_ascii().split(|octet| *octet == b'.').nth(1);
    let payload = BASE64URL
        .decode(payload.expect("a payload"))
        .expect("base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("JSON");
    let expected = match claims["iss"].as_str() {
        Some(MAIN) => "https://tenant.example/jwks.json",
        Some(OTHER) => "https://other.example/jwks.json",
        other => panic!("keys are asked for in the name of {other:?}"),
    };
    assert_eq!(url, expected);
}

/// What a second reader finds in header and claims is enough to pass.
fn check_said(header: &[u8], claims: &[u8], scope: &str, set: &[(String, String)]) {
    let header: Value = serde_json::from_slice(header).expect("a JSON header");
    let claims: Value = serde_json::from_slice(claims).expect("JSON claims");
    assert_eq!(header["alg"], "EdDSA");
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    assert!(
        header.get("kid").is_none_or(|kid| kid == "k1"),
        "the key of another kid"
    );
    assert_eq!(claims["iss"], MAIN);
    assert!(
        claims.get("cnf").is_none(),
        "a bound token passes as a bearer's"
    );
    let audiences = match &claims["aud"] {
        Value::Array(names) => names.iter().any(|name| name == AUDIENCE),
        name => name == AUDIENCE,
    };
    assert!(audiences, "for {}", claims["aud"]);
    let (now, skew) = (START as f64, SKEW as f64);
    assert!(
        claims["exp"].as_f64().expect("a number") > now - skew,
        "{}",
        claims["exp"]
    );
    if let Some(start) = claims.get("nbf") {
        // What begins within a millisecond of the limit has begun.
        assert!(
            start.as_f64().expect("a number") < now + skew + 0.001,
            "{start}"
        );
    }
    let held = ["scope", "scp"].iter().any(|claim| match &claims[*claim] {
        Value::String(words) => words.split(' ').any(|word| word == scope),
        Value::Array(words) => words.iter().any(|word| word == scope),
        _ => false,
    });
    assert!(scope.is_empty() || held, "no {scope}");
    for (name, value) in set {
        let claim = &claims[name
            .strip_prefix("x-auth-")
            .expect("a header of the policy")];
        match claim {
            Value::String(text) => assert_eq!(value, text),
            Value::Number(_) | Value::Bool(_) => {}
            other => panic!("{other} becomes {value}"),
        }
    }
}

impl Edit {
    fn apply(&self, token: &mut Vec<u8>, good: &str) {
        let place = |at: u16, len: usize| usize::from(at) % len.max(1);
        match *self {
            Self::Flip { at, bit } => {
                let at = place(at, token.len());
                if let Some(octet) = token.get_mut(at) {
                    *octet ^= 1 << (bit % 8);
                }
            }
            Self::Insert { at, octet } => token.insert(place(at, token.len() + 1), octet),
            Self::Remove { at } => {
                if !token.is_empty() {
                    token.remove(place(at, token.len()));
                }
            }
            Self::Truncate { at } => token.truncate(place(at, token.len() + 1)),
            Self::Transplant { part } => {
                let part = usize::from(part % 3);
                if let Some(other) = good.split('.').nth(part) {
                    with_part(token, part, |_| other.as_bytes().to_vec());
                }
            }
            Self::Pad { part, octet } => {
                with_part(token, usize::from(part % 3), |old| [old, &[octet]].concat());
            }
            Self::AddOrder => with_part(token, 2, |old| add_order(old).unwrap_or(old.to_vec())),
        }
    }
}

fn with_part(token: &mut Vec<u8>, place: usize, change: impl Fn(&[u8]) -> Vec<u8>) {
    let mut parts: Vec<Vec<u8>> = token
        .split(|octet| *octet == b'.')
        .map(<[u8]>::to_vec)
        .collect();
    if let Some(part) = parts.get_mut(place) {
        *part = change(part);
    }
    *token = parts.join(&b'.');
}

/// The signature with S + L in place of S; nothing where it is no signature, or where that does not fit into 32 octets.
fn add_order(part: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

    /// 2^252 + 27742317777372353535851937790883648493, in little endian (RFC 8032 section 5.1).
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut signature = BASE64URL.decode(part).ok()?;
    let scalar = signature.get_mut(32..64)?;
    let mut carry = 0;
    for (octet, order) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*octet) + u16::from(order) + carry;
        *octet = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    (carry == 0).then(|| BASE64URL.encode(signature).into_bytes())
}
