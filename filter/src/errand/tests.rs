//! Every interleaving of the calls of workers in small histories, long random histories, and single errands.

#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

mod world;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use world::{Move, World};

/// Every history with that many workers, crashes, passed leases and rotations. Says how many states there are.
fn explore(workers: usize, crashes: u8, waits: u8, rotations: u8) -> usize {
    let mut seen = BTreeSet::new();
    let mut open = vec![(World::new(workers), crashes, waits, rotations)];
    while let Some(state) = open.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        let (world, crashes, waits, rotations) = state;
        world.clone().all_are_served_in_the_end();
        let mut then = |what: Move, crashes: u8, waits: u8, rotations: u8| {
            let mut next = world.clone();
            next.happens(what);
            open.push((next, crashes, waits, rotations));
        };
        for (at, worker) in world
            .workers
            .iter()
            .enumerate()
            .filter(|(_, worker)| worker.is_alive)
        {
            if worker.fetching.is_some() {
                then(Move::Land(at), crashes, waits, rotations);
            } else if worker.is_busy(&world) {
                then(Move::Step(at), crashes, waits, rotations);
            }
            if crashes > 0 {
                then(Move::Crash(at), crashes - 1, waits, rotations);
            }
        }
        if waits > 0 {
            then(Move::Wait, crashes, waits - 1, rotations);
        }
        if rotations > 0 {
            then(Move::Rotate, crashes, waits, rotations - 1);
            for at in 0..world.workers.len() {
                then(Move::Notice(at), crashes, waits, rotations - 1);
            }
        }
    }
    seen.len()
}

#[test]
fn every_small_history_has_one_fetch_in_flight_and_none_too_many() {
    for (workers, crashes, waits, rotations, at_least) in [
        (2, 0, 0, 2, 9_000),
        (2, 1, 0, 1, 2_000),
        (2, 0, 1, 1, 40_000),
        (2, 2, 1, 0, 5_000),
        (3, 1, 0, 0, 2_000),
        (3, 0, 0, 1, 30_000),
        (4, 0, 0, 0, 5_000),
    ] {
        let states = explore(workers, crashes, waits, rotations);
        // The search itself is worth nothing if it ends at once.
        assert!(states >= at_least, "{states} states with {workers} workers");
    }
}

fn moves(workers: usize) -> impl Strategy<Value = Vec<Move>> {
    let one = (0..workers, 0..100_u8).prop_map(|(at, chance)| match chance {
        0..80 => Move::Step(at),
        80..92 => Move::Land(at),
        92..94 => Move::Crash(at),
        94..97 => Move::Restart(at),
        97..98 => Move::Wait,
        98..99 => Move::Notice(at),
        _ => Move::Rotate,
    });
    prop::collection::vec(one, 0..2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn long_histories_have_one_fetch_in_flight_and_none_too_many(moves in moves(5)) {
        let mut world = World::new(5);
        for what in moves {
            match what {
                Move::Step(at) if world.workers[at].fetching.is_some() => {}
                Move::Step(at) | Move::Land(at) | Move::Crash(at) if !world.workers[at].is_alive => {}
                Move::Restart(at) if world.workers[at].is_alive => {}
                // The bound is on the fetches of one set: nobody is still busy with the last one.
                Move::Notice(at) if !world.workers[at].is_alive => {}
                Move::Rotate | Move::Notice(_) if world.served == u8::MAX => {}
                _ => world.happens(what),
            }
        }
        world.all_are_served_in_the_end();
    }
}

/// What each call of an errand came to, the last one included; then what the errand did.
fn run(mut errand: Errand, replies: &[Reply]) -> Outcome {
    for reply in replies {
        assert!(
            !matches!(errand.call(), Call::End(_)),
            "it ended before {reply:?}"
        );
        errand = errand.after(*reply);
    }
    match errand.call() {
        Call::End(outcome) => outcome,
        call => panic!("it goes on with {call:?}"),
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_000);
const UNTIL: Timestamp = Timestamp::from_secs(1_005);

#[test]
fn where_the_host_shares_nothing_each_worker_fetches_for_itself() {
    let absent = Reply::Turn(None, None);
    let fetch = || Errand::fetch(1, 0, UNTIL, NOW);
    for replies in [
        &[Reply::Failed][..],
        &[absent, Reply::Failed],
        &[absent, Reply::Swapped(true), Reply::Failed],
    ] {
        assert_eq!(run(fetch(), replies), Outcome::Alone);
    }
    // What cannot be left is not announced, and the others may try.
    let taken = Turn::new(0).taken(1, UNTIL);
    let seen = Reply::Turn(Some(taken), Some(Version(1)));
    let mut errand = Errand::leave(1, 0, NOW).after(Reply::Failed);
    assert_eq!(errand.call(), Call::ReadTurn);
    errand = errand.after(seen);
    let turn = Turn::new(0);
    let replaced = Some(Version(1));
    assert_eq!(errand.call(), Call::SwapTurn(Swap { turn, replaced }));
    assert_eq!(run(errand, &[Reply::Swapped(true)]), Outcome::Alone);
}

#[test]
fn an_entry_that_cannot_be_read_is_replaced_and_its_successor_is_news() {
    let seen = Reply::Turn(None, Some(Version(9)));
    let errand = Errand::leave(1, 4, NOW).after(Reply::Merged).after(seen);
    let turn = Turn::new(4).announced();
    let replaced = Some(Version(9));
    assert_eq!(errand.call(), Call::SwapTurn(Swap { turn, replaced }));
}

#[test]
fn a_lease_is_made_longer_for_the_next_step() {
    let own = Turn::new(0).taken(1, UNTIL);
    let later = Timestamp::from_secs(1_010);
    let errand = Errand::fetch(1, 0, later, Timestamp::from_secs(1_004));
    let errand = errand.after(Reply::Turn(Some(own), Some(Version(1))));
    let turn = Turn::new(0).taken(1, later);
    let replaced = Some(Version(1));
    assert_eq!(errand.call(), Call::SwapTurn(Swap { turn, replaced }));
}

#[test]
fn whoever_is_always_late_gives_up_until_the_next_tick() {
    let mut errand = Errand::fetch(1, 0, UNTIL, NOW);
    for _ in 0..TRIES {
        errand = errand
            .after(Reply::Turn(None, None))
            .after(Reply::Swapped(false));
    }
    assert_eq!(errand.call(), Call::End(Outcome::Wait));
}
