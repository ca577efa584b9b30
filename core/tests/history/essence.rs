//! What a history comes to: all that its rest can depend on, relative to now.

use std::collections::BTreeSet;

use crate::issuer::Issuer;
use crate::knowledge::Knowledge;
use crate::support::START;
use crate::world::World;

/// Far from everything: no rule speaks of as much.
const AGES: u64 = 1_000_000_000;

/// Two histories that come to the same need to be gone on with only once.
pub fn essence(world: &World<'_>) -> Vec<u64> {
    // A token may be of the future.
    let ago = |moment: u64| AGES.min(world.now + AGES / 2 - moment);
    // A whole second of `iat` is any moment in it.
    let mut essence = vec![world.now % 1000];
    let known = world.instances.iter().flat_map(|instance| &instance.known);
    let left = world.store.iter().flatten().map(|left| &left.known);
    for known in known.chain(left) {
        essence.extend(knowledge(known, ago));
    }
    for its in &world.issuers {
        essence.extend(issuer(its, ago));
        essence.extend(its.since.values().map(|since| ago(*since)));
    }
    for ledger in world.ledgers.iter().flatten() {
        let (began, ended) = ledger.last.unwrap_or((0, 0));
        essence.extend([ledger.last.is_some().into(), ago(began), ago(ended)]);
    }
    for instance in &world.instances {
        let flying = instance.flying.iter();
        essence.extend(flying.flat_map(|flight| {
            let flight = flight.as_ref();
            flight.map_or([9, AGES], |flight| [flight.ask as u64, ago(flight.began)])
        }));
        // Who waits for the same with the same gets the same.
        let waiting: BTreeSet<_> = instance.waiting.iter().collect();
        essence.push(waiting.len() as u64);
        for token in waiting {
            let issued = token
                .issued
                .map_or(AGES, |second| ago((second - START) * 1000));
            essence.extend([token.issuer as u64, token.kid.into(), issued]);
        }
    }
    // What the token caches hold.
    for (at, issuer, kid) in &world.passed {
        essence.extend([*at as u64, *issuer as u64, u64::from(*kid)]);
    }
    essence
}

fn knowledge(known: &Knowledge, ago: impl Fn(u64) -> u64) -> [u64; 9] {
    let (fetched, as_of) = known.set.as_ref().map_or((AGES, AGES), |set| {
        (ago(set.fetched), ago(set.as_of.min(set.fetched)))
    });
    let (keys, age) = known
        .set
        .as_ref()
        .map_or((0, 0), |set| (bits(&set.keys), set.age_allowed));
    let attempt = known
        .attempt
        .map_or((AGES, false), |(at, failed)| (ago(at), failed));
    let (place, read) = known
        .named
        .map_or((9, AGES), |(place, read)| (place, ago(read)));
    let flags = u64::from(attempt.1) + 2 * u64::from(known.in_doubt);
    let next = known.next.map_or(9, |ask| ask as u64);
    [
        fetched,
        as_of,
        keys,
        age,
        attempt.0,
        flags,
        place.into(),
        read,
        next,
    ]
}

fn issuer(its: &Issuer, ago: impl Fn(u64) -> u64) -> [u64; 6] {
    [
        bits(&its.keys) + (u64::from(its.signs_with) << 8),
        its.health as u64 + 8 * its.metadata as u64,
        its.place.into(),
        its.left_behind.as_ref().map_or(0, |left| 1 + bits(left)),
        its.max_age.unwrap_or(AGES),
        ago(its.changed),
    ]
}

fn bits(keys: &BTreeSet<u8>) -> u64 {
    keys.iter().map(|key| 1 << key).sum()
}
