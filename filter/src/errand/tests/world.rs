//! Workers that share keys, on a simulated host.

use scopegate_core::Timestamp;

use crate::errand::{Call, Errand, Outcome, Reply};
use crate::host::Version;
use crate::turn::Turn;

/// How long a lease lasts here.
const LEASE_MS: u64 = 2_000;

/// All there is. Keys are a number: that of the set which the issuer served when they were fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct World {
    now_ms: u64,
    /// What the issuer serves.
    pub(super) served: u8,
    turn: Option<(Vec<u8>, Version)>,
    record: Option<u8>,
    versions: u32,
    pub(super) workers: Vec<Worker>,
    /// The fetches of the set that is served, and what excuses more than one.
    fetches: u8,
    excuses: u8,
    /// Whether a VM has come to its end, and whether a lease may have.
    has_crashed: bool,
    has_waited: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worker {
    number: u64,
    wants: u8,
    has: u8,
    known: u64,
    errand: Option<Errand>,
    /// The fetch under way: which set, and the end of its lease.
    pub(super) fetching: Option<(u8, u64)>,
    pub(super) is_alive: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
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
    pub(super) fn new(workers: usize) -> Self {
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

    pub(super) fn happens(&mut self, what: Move) {
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
    pub(super) fn all_are_served_in_the_end(mut self) {
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
    pub(super) fn new(number: u64) -> Self {
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
    pub(super) fn is_busy(&self, world: &World) -> bool {
        let turn = world.turn.as_ref();
        let turn = turn.and_then(|(octets, _)| Turn::read(octets));
        let has_seen_all = turn.is_none_or(|turn| turn.generation == self.known);
        self.errand.is_some() || self.has < self.wants || !has_seen_all
    }
}
