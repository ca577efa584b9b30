//! Workers that share keys, on a simulated host: every interleaving of their calls in small histories, and long random ones.

#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// How long a lease lasts here.
const LEASE_MS: u64 = 5_500;

/// All there is. Keys are a number: that of the set which the issuer served when they were fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    now_ms: u64,
    /// What the issuer serves.
    served: u8,
    turn: Option<(Vec<u8>, Version)>,
    record: Option<u8>,
    versions: u32,
    workers: Vec<Worker>,
    /// The fetches of the set that is served, and what excuses more than one.
    fetches: u8,
    excuses: u8,
    /// Whether a VM has come to its end, and whether a lease may have.
    has_crashed: bool,
    has_waited: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Worker {
    number: u64,
    wants: u8,
    has: u8,
    known: u64,
    errand: Option<Errand>,
    /// The fetch under way: which set, and the end of its lease.
    fetching: Option<(u8, u64)>,
    is_alive: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    /// This worker makes its next call, or begins an errand if it has a reason.
    Step(usize),
    /// Its fetch ends.
    Land(usize),
    /// Its VM is no more, and its fetch with it.
    Crash(usize),
    /// A VM that knows nothing takes its place.
    Restart(usize),
    /// All leases run out.
    Wait,
    /// The issuer serves another set, and all want it.
    Rotate,
    /// The same, and this worker alone knows that it wants it: a token named a key that it does not know.
    Notice(usize),
}

impl World {
    fn new(workers: usize) -> Self {
        Self {
            now_ms: 1_000_000,
            served: 1,
            turn: None,
            record: None,
            versions: 0,
            workers: (0..workers).map(|at| Worker::new(at as u64 + 1)).collect(),
            fetches: 0,
            excuses: 0,
            has_crashed: false,
            has_waited: false,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }

    fn happens(&mut self, what: Move) {
        self.has_crashed |= matches!(what, Move::Crash(_));
        self.has_waited |= what == Move::Wait;
        match what {
            Move::Step(at) => self.step(at),
            Move::Land(at) => {
                let now = self.now();
                let worker = &mut self.workers[at];
                if let Some((set, _)) = worker.fetching.take() {
                    worker.has = set;
                    worker.errand = Some(Errand::leave(worker.number, worker.known, now));
                }
            }
            Move::Crash(at) => {
                let number = self.workers[at].number;
                self.workers[at] = Worker {
                    is_alive: false,
                    ..Worker::new(number)
                };
                self.excuses = self.excuses.saturating_add(1);
            }
            Move::Restart(at) => {
                let highest = self.workers.iter().map(|worker| worker.number).max();
                self.workers[at] = Worker::new(highest.unwrap() + 1);
            }
            Move::Wait => {
                self.now_ms += LEASE_MS;
                // Whoever was about something for that long comes late with it, and another may have been faster.
                let is_late =
                    |worker: &&Worker| worker.errand.is_some() || worker.fetching.is_some();
                let late = self.workers.iter().filter(is_late).count();
                self.excuses = self.excuses.saturating_add(u8::try_from(late).unwrap());
            }
            Move::Rotate => {
                self.serve_another();
                for worker in &mut self.workers {
                    worker.wants = self.served;
                }
            }
            Move::Notice(at) => {
                self.serve_another();
                self.workers[at].wants = self.served;
            }
        }
    }

    fn serve_another(&mut self) {
        // Whoever is about the last set still counts as about this one.
        self.excuses = if self.is_anyone_busy() { u8::MAX } else { 0 };
        self.served += 1;
        self.fetches = 0;
    }

    fn step(&mut self, at: usize) {
        let now = self.now();
        let mut worker = self.workers[at].clone();
        let Some(errand) = worker.errand.take() else {
            worker.errand = match worker.has < worker.wants {
                true => {
                    let until = Timestamp::from_millis(self.now_ms + LEASE_MS);
                    Some(Errand::fetch(worker.number, worker.known, until, now))
                }
                false => Some(Errand::look(worker.number, worker.known, now)),
            };
            self.workers[at] = worker;
            return;
        };
        let reply = match errand.call() {
            Call::ReadTurn => {
                let version = self.turn.as_ref().map(|(_, version)| *version);
                let turn = self
                    .turn
                    .as_ref()
                    .and_then(|(octets, _)| Turn::read(octets));
                Reply::Turn(turn, version)
            }
            Call::SwapTurn(swap) => {
                let is_same = swap.replaced == self.turn.as_ref().map(|(_, version)| *version);
                if is_same {
                    self.versions += 1;
                    self.turn = Some((swap.turn.write(), Version(self.versions)));
                }
                Reply::Swapped(is_same)
            }
            Call::ReadRecord => Reply::Record {
                is_news: worker.restore(self.record),
            },
            Call::MergeRecord => {
                worker.restore(self.record);
                self.record = Some(worker.has);
                Reply::Merged
            }
            Call::End(outcome) => {
                worker.known = errand.known;
                if outcome == Outcome::Fetch {
                    // Its lease counts from when it was taken: a worker may be held up between that and the fetch.
                    let until = errand.until.unwrap().millis();
                    self.fetch(&mut worker, until);
                }
                self.workers[at] = worker;
                return;
            }
        };
        worker.errand = Some(errand.after(reply));
        self.workers[at] = worker;
    }

    /// One fetch is in flight, or the lease of the other ran out; and there was none before, or it came to nothing.
    fn fetch(&mut self, worker: &mut Worker, until: u64) {
        // One that was held up until its own lease ran out comes late, and nothing can stop it.
        let is_in_time = self.now_ms < until;
        let others = self
            .workers
            .iter()
            .filter(|other| other.number != worker.number);
        for (_, others_until) in others.filter_map(|other| other.fetching) {
            let is_alone = others_until <= self.now_ms;
            assert!(is_alone || !is_in_time, "two fetches in flight: {self:?}");
        }
        if worker.has < self.served {
            self.fetches += 1;
            assert!(
                self.fetches <= self.excuses.saturating_add(1),
                "a fetch that nobody needs: {self:?}"
            );
        }
        worker.fetching = Some((self.served, until));
    }

    /// Whatever has happened, once all go on, all get what they want, and all of them the same: at once, or if a VM or a lease came to
    /// its end, when the leases have run out.
    fn all_are_served_in_the_end(mut self) {
        let began = self.clone();
        let is_calm = !self.has_crashed && !self.has_waited;
        let waits = if is_calm { 0 } else { 2 };
        // A VM that comes late with a record, and to its end before it can say so, leaves nothing that speaks of it: others find that
        // record when they next fetch.
        let has_lost_word = self.has_crashed && self.has_waited;
        for _ in 0..=waits {
            for _ in 0..100 {
                for at in 0..self.workers.len() {
                    self.goes_on(at);
                }
                if !self.is_anyone_busy() {
                    break;
                }
            }
            if waits > 0 {
                self.happens(Move::Wait);
            }
        }
        let latest = self.record.unwrap_or(0);
        for worker in self.workers.iter().filter(|worker| worker.is_alive) {
            let is_served = worker.has >= worker.wants && (has_lost_word || worker.has == latest);
            assert!(is_served, "{began:?} came to {self:?}");
        }
    }

    fn is_anyone_busy(&self) -> bool {
        let mut alive = self.workers.iter().filter(|worker| worker.is_alive);
        alive.any(|worker| worker.fetching.is_some() || worker.is_busy(self))
    }

    fn goes_on(&mut self, at: usize) {
        let worker = &self.workers[at];
        match (worker.is_alive, worker.fetching) {
            (false, _) => {}
            (true, Some(_)) => self.happens(Move::Land(at)),
            (true, None) => self.happens(Move::Step(at)),
        }
    }
}

impl Worker {
    fn new(number: u64) -> Self {
        Self {
            number,
            wants: 1,
            has: 0,
            known: 0,
            errand: None,
            fetching: None,
            is_alive: true,
        }
    }

    fn restore(&mut self, record: Option<u8>) -> bool {
        let is_news = record.is_some_and(|record| record > self.has);
        self.has = self.has.max(record.unwrap_or(0));
        is_news
    }

    /// Whether it would do anything but look at an entry that it knows.
    fn is_busy(&self, world: &World) -> bool {
        let turn = world.turn.as_ref();
        let turn = turn.and_then(|(octets, _)| Turn::read(octets));
        let has_seen_all = turn.is_none_or(|turn| turn.generation == self.known);
        self.errand.is_some() || self.has < self.wants || !has_seen_all
    }
}

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
