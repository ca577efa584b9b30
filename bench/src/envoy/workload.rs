//! The loads: which tokens come, and in which order.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::json;

use crate::issuer::{Algorithm, Issuer};

/// A load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Load {
    /// One token, repeated.
    Rs256One,
    /// As [`Load::Rs256One`], on a policy of 1,000 routes.
    Routes1000,
    /// Distinct tokens in turn, three times as many as a token cache holds: in one that keeps the most recently used ones, none is there
    /// when it comes again.
    Rs256Distinct,
    /// Tokens as many users send them: the k-th of 10,000 comes with a probability that goes as 1/k.
    Rs256Zipf,
    Es256Distinct,
    EdDsaDistinct,
    Ps256Distinct,
    /// What is refused before any signature is looked at: no token, an expired one, one of an unknown issuer, and garbage, in turn.
    Refused,
}

/// How many tokens come in turn in the loads of distinct ones.
const DISTINCT: usize = 3000;

/// How often they come before the load repeats itself: for longer than any measurement takes.
const TURNS: usize = 200;

/// How many tokens there are in the load that goes by Zipf's law.
const USERS: usize = 10_000;

/// How long that load is before it repeats itself: some seconds of what Envoy answers.
const DRAWS: usize = 1 << 18;

/// How many tokens both token caches hold, about.
pub(crate) const CACHED: u64 = 1000;

impl Load {
    pub(crate) const ALL: [Self; 8] = [
        Self::Rs256One,
        Self::Routes1000,
        Self::Rs256Distinct,
        Self::Rs256Zipf,
        Self::Es256Distinct,
        Self::EdDsaDistinct,
        Self::Ps256Distinct,
        Self::Refused,
    ];

    /// The name in tables, in JSON and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256One => "rs256-one",
            Self::Routes1000 => "routes-1000",
            Self::Rs256Distinct => "rs256-distinct",
            Self::Rs256Zipf => "rs256-zipf",
            Self::Es256Distinct => "es256-distinct",
            Self::EdDsaDistinct => "eddsa-distinct",
            Self::Ps256Distinct => "ps256-distinct",
            Self::Refused => "refused",
        }
    }

    /// Whether no token comes again before all others have come.
    pub(crate) fn is_distinct(self) -> bool {
        self.tokens().is_some_and(|(_, count)| count == DISTINCT)
    }

    /// Whether more tokens come than the token caches hold.
    pub(crate) fn fills_caches(self) -> bool {
        self.tokens().is_some()
    }

    /// What its good tokens are signed with.
    pub(crate) fn algorithm(self) -> Algorithm {
        self.tokens()
            .map_or(Algorithm::Rs256, |(algorithm, _)| algorithm)
    }

    /// Its tokens, where there are many: the algorithm, and how many.
    fn tokens(self) -> Option<(Algorithm, usize)> {
        match self {
            Self::Rs256Distinct => Some((Algorithm::Rs256, DISTINCT)),
            Self::Rs256Zipf => Some((Algorithm::Rs256, USERS)),
            Self::Es256Distinct => Some((Algorithm::Es256, DISTINCT)),
            Self::EdDsaDistinct => Some((Algorithm::EdDsa, DISTINCT)),
            Self::Ps256Distinct => Some((Algorithm::Ps256, DISTINCT)),
            Self::Rs256One | Self::Routes1000 | Self::Refused => None,
        }
    }
}

/// The requests of a load: what is sent, and in which order.
pub(crate) struct Requests {
    heads: Vec<Vec<u8>>,
    /// Indices of heads; from the start again at its end.
    order: Vec<usize>,
}

impl Requests {
    pub(crate) fn in_turn(heads: Vec<Vec<u8>>) -> Self {
        let order = (0..heads.len()).collect();
        Self { heads, order }
    }

    /// The request of that number.
    pub(crate) fn at(&self, number: usize) -> &[u8] {
        &self.heads[self.order[number % self.order.len()]]
    }

    /// The requests of these loads, in their order. `good` is the token that is repeated.
    pub(crate) fn of(loads: &[Load], issuer: &Issuer, good: &str) -> Result<Vec<Self>> {
        let tokens = sign(loads, issuer)?;
        let some = |algorithm, count| {
            let tokens = tokens.get(&algorithm).map_or(&[][..], Vec::as_slice);
            let tokens = tokens.iter().take(count);
            tokens.map(|token| head(Some(token))).collect()
        };
        loads
            .iter()
            .map(|load| match (load, load.tokens()) {
                (Load::Refused, _) => Ok(Self::in_turn(refused(issuer)?)),
                (Load::Rs256Zipf, Some((algorithm, count))) => Ok(Self {
                    heads: some(algorithm, count),
                    order: zipf(count, DRAWS),
                }),
                (_, Some((algorithm, count))) => Ok(Self {
                    heads: some(algorithm, count),
                    order: in_turns(count, TURNS),
                }),
                (_, None) => Ok(Self::in_turn(vec![head(Some(good))])),
            })
            .collect()
    }
}

/// The tokens of these loads. Those of one algorithm begin with the same ones.
fn sign(loads: &[Load], issuer: &Issuer) -> Result<BTreeMap<Algorithm, Vec<String>>> {
    let mut wanted: BTreeMap<Algorithm, usize> = BTreeMap::new();
    for (algorithm, count) in loads.iter().filter_map(|load| load.tokens()) {
        let most = wanted.entry(algorithm).or_default();
        *most = count.max(*most);
    }
    let signed = wanted.into_iter().map(|(algorithm, count)| {
        eprintln!("signing {count} tokens with {}", algorithm.name());
        Ok((algorithm, issuer.distinct(algorithm, count)?))
    });
    signed.collect()
}

/// Requests that no gate lets pass, whatever its keys.
pub(crate) fn refused(issuer: &Issuer) -> Result<Vec<Vec<u8>>> {
    let expired = json!({ "iat": -7200, "exp": -3600 });
    let expired = issuer.mint(Algorithm::Rs256, "expired", &expired)?;
    let unknown = json!({ "iss": "https://unknown.example/" });
    let unknown = issuer.mint(Algorithm::Rs256, "unknown", &unknown)?;
    let garbage = "g4rb4ge.".repeat(expired.len() / 8);
    let garbage = garbage.trim_end_matches('.');
    Ok(
        [None, Some(expired.as_str()), Some(&unknown), Some(garbage)]
            .map(head)
            .into(),
    )
}

/// A request as a browser's script sends it, with fewer fields.
pub(crate) fn head(token: Option<&str>) -> Vec<u8> {
    head_to("timesheets.example.com", token)
}

/// The same to another host.
pub(crate) fn head_to(host: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    format!(
        "GET /timesheets HTTP/1.1\r\nhost: {host}\r\nuser-agent: bench/0.1\r\naccept: application/json\r\n\
         accept-language: en\r\norigin: https://app.example.com\r\n{}\r\n",
        authorization.unwrap_or_default()
    )
    .into_bytes()
}

/// So many in turn, that often, the first time in another order.
///
/// Of tokens in turn the gate's cache keeps those that came first. In one order they would follow each other for good, and of the measurements, which see
/// but a part of a turn, some would find all tokens known and the others none. So each third one comes first, and each part of a turn then has
/// as many that are known as another.
fn in_turns(count: usize, turns: usize) -> Vec<usize> {
    const APART: usize = 3;
    let first = (0..APART).flat_map(|first| (first..count).step_by(APART));
    let others = (1..turns).flat_map(|_| 0..count);
    first.chain(others).collect()
}

/// Draws from so many by Zipf's law with exponent 1; the same ones each time.
fn zipf(users: usize, draws: usize) -> Vec<usize> {
    let mut sums = Vec::with_capacity(users);
    let mut sum = 0.0;
    for rank in 1..=users {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 users")]
        let rank = rank as f64;
        sum += 1.0 / rank;
        sums.push(sum);
    }
    let mut state = 0x5eed;
    (0..draws)
        .map(|_| {
            let drawn = next(&mut state) * sum;
            sums.partition_point(|below| *below <= drawn).min(users - 1)
        })
        .collect()
}

/// A number from 0 up to 1. Not for secrets: a generator whose numbers are the same in every run (SplitMix64).
fn next(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    let fraction = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_come_most_often_and_the_last_come_too() {
        let draws = zipf(1000, 100_000);
        let count = |rank: usize| draws.iter().filter(|drawn| **drawn == rank).count();
        // Of the harmonic number 7.49: one in 7.49, one in 15, one in 75.
        assert!((12_800..13_900).contains(&count(0)), "{}", count(0));
        assert!((6_300..7_100).contains(&count(1)), "{}", count(1));
        assert!((1_200..1_500).contains(&count(9)), "{}", count(9));
        assert!(draws.iter().any(|drawn| *drawn >= 990));
        assert!(draws.iter().all(|drawn| *drawn < 1000));
        assert_eq!(draws, zipf(1000, 100_000), "the same in every run");
    }

    #[test]
    fn every_turn_has_every_token_once_and_the_first_has_them_in_thirds() {
        let order = in_turns(7, 3);
        assert_eq!(order[..7], [0, 3, 6, 1, 4, 2, 5]);
        assert_eq!(order[7..], [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_is_refused_is_of_four_kinds() {
        let issuer = Issuer::start(&[Algorithm::Rs256]).unwrap();
        let heads = refused(&issuer).unwrap();
        let with_token = heads
            .iter()
            .filter(|head| String::from_utf8_lossy(head).contains("authorization"));
        assert_eq!((heads.len(), with_token.count()), (4, 3));
    }

    #[test]
    fn requests_begin_again_at_their_end() {
        let requests = Requests::in_turn(vec![b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(
            [0, 1, 2, 7].map(|number| requests.at(number)),
            [b"a", b"b", b"a", b"b"]
        );
    }
}
