//! What jwt-simple says of the same tokens: it reads the key from the DER that we made, and the token by itself.

use jwt_simple::prelude::Claims;
use jwt_simple::prelude::*;

use super::*;

const CLAIMS: &str =
    r#"{"iss":"https://issuer.example/","exp":4102444800,"iat":1000,"sub":"s","n":1}"#;

/// Whether jwt-simple finds the token good. Its claim policy has nothing to object to these claims.
fn second_opinion(algorithm: Algorithm, key: &PublicKey, token: &str) -> bool {
    let der = key.spki_der();
    macro_rules! verified {
        ($key:ident) => {
            $key::from_der(der)
                .unwrap()
                .verify_token::<NoCustomClaims>(token, None)
                .is_ok()
        };
    }
    match algorithm {
        Algorithm::Rs256 => verified!(RS256PublicKey),
        Algorithm::Rs384 => verified!(RS384PublicKey),
        Algorithm::Rs512 => verified!(RS512PublicKey),
        Algorithm::Ps256 => verified!(PS256PublicKey),
        Algorithm::Ps384 => verified!(PS384PublicKey),
        Algorithm::Ps512 => verified!(PS512PublicKey),
        Algorithm::Es256 => verified!(ES256PublicKey),
        Algorithm::Es384 => verified!(ES384PublicKey),
        Algorithm::Ed25519 => verified!(Ed25519PublicKey),
    }
}

fn our_opinion(key: &PublicKey, token: &str) -> Option<Value> {
    let token = UnverifiedToken::parse(token).ok()?;
    let claims = verify(&Portable, key, token).ok()?;
    Some(claims.to_json())
}

#[test]
fn both_agree_on_each_algorithm() {
    let claims: Value = serde_json::from_str(CLAIMS).unwrap();
    for algorithm in Algorithm::ALL {
        let key = public_key(&jwk(algorithm));
        let token = mint(algorithm, json!({"typ": "JWT", "kid": "k"}), &claims);
        assert!(second_opinion(algorithm, &key, &token), "{algorithm}");
        assert_eq!(our_opinion(&key, &token), Some(claims.clone()));
        let (signing_input, mut signature) = split(&token);
        signature[20] ^= 4;
        let forged = format!("{signing_input}.{}", encode(&signature));
        assert!(!second_opinion(algorithm, &key, &forged), "{algorithm}");
        assert_eq!(our_opinion(&key, &forged), None, "{algorithm}");
    }
}

#[test]
fn tokens_of_jwt_simple_verify() {
    let pair = ES256KeyPair::generate().with_key_id("k");
    let issued = Claims::create(Duration::from_mins(5))
        .with_issuer("https://issuer.example/")
        .with_subject("s");
    let text = pair.sign(issued).unwrap();
    let jwk = pair.public_key().to_jwk();
    let key = public_key(&testing::public_members(
        &serde_json::from_str(&jwk).unwrap(),
    ));
    let token = UnverifiedToken::parse(&text).unwrap();
    assert_eq!(token.header.kid(), Some("k"));
    assert_eq!(our_opinion(&key, &text).unwrap()["sub"], "s");
}

/// What happens to a token on its way: to its JSON before it is signed, or to its text afterwards.
#[derive(Clone, Debug)]
enum Change {
    /// Something is put into header or claims.
    Member { in_header: bool, text: &'static str },
    /// A character takes another's place.
    Replace(prop::sample::Index, char),
    /// A character comes in.
    Insert(prop::sample::Index, char),
    /// A character goes.
    Remove(prop::sample::Index),
    /// One of the three parts takes another's place.
    Exchange(usize, usize),
    /// A signature of the same key, over something else.
    OtherSignature,
}

fn change() -> impl Strategy<Value = Change> {
    let member = prop::sample::select(vec![
        " ",
        "\n",
        "\"x\":{\"y\":[1]},",
        "\"alg\":\"none\",",
        "\"kid\":\"j\",",
        "\"typ\":\"JWT\",",
        "\"crit\":[],",
        "\"b64\":false,",
        "\"iss\":\"other\",",
        "\"sub\":\"t\",",
        "\"nbf\":5,",
    ]);
    let character = prop::sample::select(('!'..='~').collect::<Vec<_>>());
    prop_oneof![
        3 => (any::<bool>(), member).prop_map(|(in_header, text)| Change::Member { in_header, text }),
        1 => (any::<prop::sample::Index>(), character.clone()).prop_map(|(at, to)| Change::Replace(at, to)),
        1 => (any::<prop::sample::Index>(), character).prop_map(|(at, new)| Change::Insert(at, new)),
        1 => any::<prop::sample::Index>().prop_map(Change::Remove),
        1 => (0..3_usize, 0..3_usize).prop_map(|(one, other)| Change::Exchange(one, other)),
        1 => Just(Change::OtherSignature),
    ]
}

/// A token that went through all that. `signed` is an algorithm, `named` what its header says.
fn changed(signed: Algorithm, named: Algorithm, changes: &[Change]) -> String {
    let (mut header, mut claims) = (
        format!(r#"{{"alg":"{}"}}"#, named.name()),
        CLAIMS.to_owned(),
    );
    for change in changes {
        if let Change::Member { in_header, text } = change {
            let part = if *in_header { &mut header } else { &mut claims };
            part.insert_str(1, text);
        }
    }
    let input = format!("{}.{}", encode(header), encode(claims));
    let mut token = format!("{input}.{}", encode(sign(signed, input.as_bytes())));
    for change in changes {
        match change {
            Change::Member { .. } => {}
            Change::Replace(at, to) => {
                let at = at.index(token.len());
                token.replace_range(at..=at, &to.to_string());
            }
            Change::Insert(at, new) => token.insert(at.index(token.len() + 1), *new),
            Change::Remove(at) => {
                token.remove(at.index(token.len()));
            }
            Change::Exchange(one, other) => {
                let mut parts: Vec<&str> = token.split('.').collect();
                if parts.len() > *one.max(other) {
                    parts.swap(*one, *other);
                }
                token = parts.join(".");
            }
            Change::OtherSignature => {
                let other = sign(signed, b"something else");
                let (input, _) = token.rsplit_once('.').unwrap_or((&token, ""));
                token = format!("{input}.{}", encode(other));
            }
        }
    }
    token
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever happens to a token, we take none that jwt-simple calls bad.
    #[test]
    fn nothing_passes_that_a_second_reader_calls_bad(
        signed in prop::sample::select(vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519, Algorithm::Ps256]),
        named in prop::option::weighted(0.2, prop::sample::select(Algorithm::ALL.to_vec())),
        changes in prop::collection::vec(change(), 0..4),
    ) {
        let named = named.unwrap_or(signed);
        let token = changed(signed, named, &changes);
        let key = public_key(&jwk(named));
        if our_opinion(&key, &token).is_some() {
            prop_assert!(second_opinion(named, &key, &token), "{token}");
        }
        // Most of what is not touched, or touched before it was signed alone, passes here: the property is not empty.
        if changes.is_empty() && named == signed {
            prop_assert!(our_opinion(&key, &token).is_some());
        }
    }
}
