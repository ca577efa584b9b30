//! The token cache by itself: what it counts, what it drops, and what it comes to know.

use serde_json::json;

use super::*;
use crate::policy::IssuerId;
use crate::token::UnverifiedToken;
use crate::verify::testing::{jwk, mint, public_key};
use crate::verify::{Algorithm, Portable, verify};

fn verified(number: u8) -> (String, Entry) {
    let claims =
        json!({"iss": "https://issuer.example/", "exp": 1_000, "sub": format!("s{number}")});
    let token = mint(Algorithm::Ed25519, json!({}), &claims);
    let key = public_key(&jwk(Algorithm::Ed25519));
    let claims = verify(&Portable, &key, UnverifiedToken::parse(&token).unwrap()).unwrap();
    (token, entry(number, claims))
}

fn entry(number: u8, claims: Verified<Claims>) -> Entry {
    let by = SignedBy {
        issuer: IssuerId(0),
        kid: Some("k".repeat(100).into()),
        algorithm: Algorithm::Ed25519,
        key: [number; 32],
    };
    let identity = IdentityValues::of(&[], &claims);
    Entry {
        by,
        claims,
        identity,
        met: None,
    }
}

/// A cache that is full to the last octet with that many tokens of one size.
fn full_with(tokens: usize) -> (TokenCache, usize) {
    let (token, entry) = verified(1);
    let each = cost(token.as_bytes(), &entry);
    (cache_of(each * tokens), each)
}

fn cache_of(limit: usize) -> TokenCache {
    let policy = "{ version: 1, realm: t, routes: [{ path: /, public: true }] }";
    let mut policy = Policy::parse(policy).unwrap();
    policy.token_cache_bytes = limit;
    TokenCache::new(&policy, 7)
}

fn insert(cache: &mut TokenCache, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        let (token, entry) = verified(number);
        let key = cache.key(token.as_bytes());
        cache.insert(key, entry);
    }
}

fn holds(cache: &TokenCache, number: u8) -> bool {
    let (token, _) = verified(number);
    let key: &dyn Text = &cache.key(token.as_bytes());
    cache.entries.contains(key)
}

#[test]
fn a_token_costs_more_than_its_text() {
    let (token, entry) = verified(1);
    let least = token.len() + entry.claims.size() + 100;
    assert!(cost(token.as_bytes(), &entry) > least);
}

#[test]
fn a_token_that_is_kept_holds_no_more_than_it_is_accounted_with() {
    let (mut cache, _) = full_with(1);
    let (_, before) = verified(1);
    assert!(before.claims.capacity() > before.claims.size());
    insert(&mut cache, [1]);
    let (_, Held { entry, .. }) = cache.entries.peek_mru().unwrap();
    assert_eq!(entry.claims.capacity(), entry.claims.size());
}

#[test]
fn a_limit_is_filled_to_the_last_octet_and_not_beyond() {
    let (mut cache, each) = full_with(3);
    assert!(cache.is_empty());
    insert(&mut cache, 1..=3);
    assert_eq!((cache.len(), cache.used_bytes()), (3, 3 * each));
    assert!(!cache.is_empty());
    // The first time nothing makes room for it; then the least recently used one does, and only that one.
    insert(&mut cache, [4]);
    assert!(!holds(&cache, 4));
    insert(&mut cache, [4]);
    assert_eq!((cache.len(), cache.used_bytes()), (3, 3 * each));
    assert!(!holds(&cache, 1));
    assert!(holds(&cache, 2));
    // The same again takes no place twice.
    insert(&mut cache, [4, 4]);
    assert_eq!((cache.len(), cache.used_bytes()), (3, 3 * each));
    cache.retain(|by| by.key == [3; 32]);
    assert_eq!((cache.len(), cache.used_bytes()), (1, each));
}

#[test]
fn a_token_as_large_as_the_limit_is_kept_and_a_larger_one_is_not() {
    let (mut cache, each) = full_with(1);
    insert(&mut cache, [1]);
    assert_eq!(cache.used_bytes(), each);
    cache.limit = each - 1;
    cache.retain(|_| false);
    insert(&mut cache, [1]);
    assert!(cache.is_empty());
}

/// Nobody can have two such signed. If somebody could, they would share a slot of the table, and nothing else.
#[test]
fn tokens_that_end_alike_are_told_apart() {
    let mut cache = cache_of(100_000);
    let signature = "s".repeat(HASHED);
    let texts = ["a", "b"].map(|start| format!("{start}.{signature}"));
    let [one, other] = texts.each_ref().map(|text| cache.key(text.as_bytes()));
    assert_eq!(one.hash, other.hash);
    let holds =
        |cache: &TokenCache| [one, other].map(|key| cache.entries.contains(&key as &dyn Text));
    cache.insert(one, verified(1).1);
    assert_eq!(holds(&cache), [true, false]);
    cache.insert(other, verified(2).1);
    assert_eq!(holds(&cache), [true, true]);
}

/// A cache for 100 tokens of the usual size.
fn cache_for_100() -> TokenCache {
    let (_, entry) = verified(1);
    cache_of(100 * cost(text(0).as_bytes(), &entry))
}

/// What stands for a token: nothing but its text tells one from another here.
fn text(number: u32) -> String {
    format!("{number:01000}")
}

/// How many in a hundred of these tokens the cache knows.
fn known(cache: &mut TokenCache, tokens: impl IntoIterator<Item = u32>) -> usize {
    let (_, Entry { claims, .. }) = verified(1);
    let (mut asked, mut known) = (0, 0);
    for token in tokens {
        asked += 1;
        let text = text(token);
        let key = cache.key(text.as_bytes());
        match cache.look_up(key) {
            Some(_) => known += 1,
            None => cache.insert(key, entry(1, claims.clone())),
        }
    }
    100 * known / asked
}

/// Numbers below 1,000, of which `k` comes with a probability that goes as 1/k: the logarithm is uniform.
fn zipf() -> impl Iterator<Item = u32> {
    let mut state = 1_u32;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let uniform = f64::from(state) / f64::from(u32::MAX);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(1_000_f64.powf(uniform) as u32)
    })
}

#[test]
fn what_comes_once_pushes_out_nothing() {
    // The least recently used one alone would make it 54.
    assert!(known(&mut cache_for_100(), zipf().take(3_000)) > 57);
    // Every other token never comes again, and the fifty between them come in turn.
    let mut cache = cache_for_100();
    let mixed = |place: u32| (place % 2 * (1_000 + place)).max(place % 100);
    known(&mut cache, (0..1_500).map(mixed));
    assert!(known(&mut cache, (1_500..2_500).map(mixed)) > 45);
}

#[test]
fn of_tokens_in_turn_those_that_fit_stay_known() {
    let mut cache = cache_for_100();
    let mut rounds = |first: u32| [(); 5].map(|()| known(&mut cache, first..first + 130));
    let [first, others @ ..] = rounds(0);
    assert!(first == 0 && others.iter().all(|known| *known > 70));
    // Others, which find the cache full of tokens that never come again.
    for first in [1_000, 2_000] {
        let [_, _, third, others @ ..] = rounds(first);
        assert!(
            third > 40 && others.iter().all(|known| *known > 70),
            "{third} {others:?}"
        );
    }
}

#[test]
fn a_token_has_to_come_again_sooner_by_a_quarter() {
    for (came_after, unused, expected) in [
        (0, 1, true),
        (1, 1, false),
        (2, 3, true),
        (3, 4, false),
        (2, 4, true),
        (74, 100, true),
        (75, 100, false),
        (u32::MAX, u32::MAX, false),
    ] {
        assert_eq!(
            is_sooner(came_after, unused),
            expected,
            "{came_after}, {unused}"
        );
    }
}
