//! How a worker gets keys that it shares with others: which shared values it reads and swaps, in which order. Plain data: it
//! names each host call, is told what came of it, and names the next ([`Errand::call`], [`Errand::after`]).
//!
//! Between any two calls other workers do theirs. Those that change an entry do so only if it still is what was read.

use scopegate_core::Timestamp;

use crate::host::Version;
use crate::turn::Turn;

/// How often one errand tries again because others were faster. Each time one of them got on; the next tick is soon.
const TRIES: u8 = 8;

/// A worker on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Errand {
    /// The worker's own number, never 0.
    worker: u64,
    /// The generation of the record that it read last.
    pub(crate) known: u64,
    now: Timestamp,
    /// How long it wants the lease, if it wants it.
    until: Option<Timestamp>,
    tries: u8,
    at: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Looking,
    Restoring { generation: u64 },
    Clearing(Swap),
    Taking(Swap),
    Checking,
    Merging,
    Announcing,
    Announced { swap: Swap, known: u64 },
    Returning(Outcome),
    Returned(Swap, Outcome),
    Done(Outcome),
}

/// A change of the entry, if it still is that version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Swap {
    pub(crate) turn: Turn,
    pub(crate) replaced: Option<Version>,
}

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Read the entry.
    ReadTurn,
    /// Change the entry.
    SwapTurn(Swap),
    /// Read the record, and take in what it holds.
    ReadRecord,
    /// Read the record, take in what it holds, and write what is known now; from the start if another did in between.
    MergeRecord,
    /// Nothing any more.
    End(Outcome),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The entry, where there is one that can be read, and what would be replaced.
    Turn(Option<Turn>, Option<Version>),
    /// Whether the entry was changed.
    Swapped(bool),
    /// Whether the record brought anything new.
    Record { is_news: bool },
    /// The record holds what is known.
    Merged,
    /// The host failed.
    Failed,
}

/// What the whole came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Nothing is new, or all is left as it was to be.
    Quiet,
    /// Another worker brought something: whoever waits must ask again before anything is fetched.
    News,
    /// Another worker is fetching.
    Wait,
    /// It is this worker's turn to fetch.
    Fetch,
    /// The host shares nothing: each worker is on its own.
    Alone,
}

impl Errand {
    /// To see whether others have left something.
    pub(crate) const fn look(worker: u64, known: u64, now: Timestamp) -> Self {
        Self::new(worker, known, now, None, Stage::Looking)
    }

    /// To fetch, if nobody does and nobody has. Its lease lasts until then; its own from the step before is made longer.
    pub(crate) const fn fetch(worker: u64, known: u64, until: Timestamp, now: Timestamp) -> Self {
        Self::new(worker, known, now, Some(until), Stage::Looking)
    }

    /// To leave for the others what a fetch has brought, and the lease with it.
    pub(crate) const fn leave(worker: u64, known: u64, now: Timestamp) -> Self {
        Self::new(worker, known, now, None, Stage::Merging)
    }

    /// To give the lease back without anything else.
    pub(crate) const fn give_up(worker: u64, known: u64, now: Timestamp) -> Self {
        Self::new(worker, known, now, None, Stage::Returning(Outcome::Quiet))
    }

    const fn new(
        worker: u64,
        known: u64,
        now: Timestamp,
        until: Option<Timestamp>,
        at: Stage,
    ) -> Self {
        Self {
            worker,
            known,
            now,
            until,
            tries: 0,
            at,
        }
    }

    /// What to do next.
    pub(crate) const fn call(&self) -> Call {
        match self.at {
            Stage::Looking | Stage::Announcing | Stage::Returning(_) => Call::ReadTurn,
            Stage::Restoring { .. } | Stage::Checking => Call::ReadRecord,
            Stage::Clearing(swap)
            | Stage::Taking(swap)
            | Stage::Announced { swap, .. }
            | Stage::Returned(swap, _) => Call::SwapTurn(swap),
            Stage::Merging => Call::MergeRecord,
            Stage::Done(outcome) => Call::End(outcome),
        }
    }

    /// The same errand after the call that it named came to this.
    #[must_use]
    pub(crate) fn after(mut self, reply: Reply) -> Self {
        self.at = match (self.at, reply) {
            (Stage::Looking, Reply::Turn(turn, replaced)) => {
                let turn = turn.unwrap_or(Turn::new(self.known));
                self.looked_at(turn, replaced)
            }
            // The number was read before the record: whoever changes the record later changes the number later.
            (Stage::Restoring { generation }, Reply::Record { is_news }) => {
                self.known = generation;
                match (is_news, self.until) {
                    (true, _) => Stage::Done(Outcome::News),
                    (false, Some(_)) => Stage::Looking,
                    (false, None) => Stage::Done(Outcome::Quiet),
                }
            }
            (Stage::Clearing(_), Reply::Swapped(_)) => self.again(Stage::Looking, Outcome::Wait),
            (Stage::Taking(_), Reply::Swapped(true)) => Stage::Checking,
            (Stage::Taking(_), Reply::Swapped(false)) => self.again(Stage::Looking, Outcome::Wait),
            // A worker may have left a record and ended before it could say so, or be slow to.
            (Stage::Checking, Reply::Record { is_news: true }) => Stage::Returning(Outcome::News),
            (Stage::Checking, Reply::Record { is_news: false }) => Stage::Done(Outcome::Fetch),
            (Stage::Merging, Reply::Merged) => Stage::Announcing,
            // What could not be left is not spoken of: the others fetch for themselves, one after the other.
            (Stage::Merging, _) => Stage::Returning(Outcome::Alone),
            (Stage::Announcing, Reply::Turn(turn, replaced)) => {
                let turn = turn.unwrap_or(Turn::new(self.known));
                self.announcing(turn, replaced)
            }
            (Stage::Announced { known, .. }, Reply::Swapped(true)) => {
                self.known = known;
                Stage::Done(Outcome::Quiet)
            }
            (Stage::Announced { .. }, Reply::Swapped(false)) => {
                self.again(Stage::Announcing, Outcome::Quiet)
            }
            (Stage::Returning(outcome), Reply::Turn(Some(turn), replaced)) => {
                match turn.given_back(self.worker) {
                    unchanged if unchanged == turn => Stage::Done(outcome),
                    turn => Stage::Returned(Swap { turn, replaced }, outcome),
                }
            }
            (Stage::Returning(outcome), Reply::Turn(None, _)) => Stage::Done(outcome),
            (Stage::Returned(_, outcome), Reply::Swapped(true)) => Stage::Done(outcome),
            (Stage::Returned(_, outcome), Reply::Swapped(false)) => {
                self.again(Stage::Returning(outcome), outcome)
            }
            (Stage::Returning(outcome) | Stage::Returned(_, outcome), _) => Stage::Done(outcome),
            _ => Stage::Done(Outcome::Alone),
        };
        self
    }

    fn looked_at(&self, turn: Turn, replaced: Option<Version>) -> Stage {
        if turn.generation != self.known {
            return Stage::Restoring {
                generation: turn.generation,
            };
        }
        if turn.has_lapsed(self.now) {
            // Its worker came to an end before it could give the lease back, perhaps between writing a record and saying so.
            return Stage::Clearing(Swap {
                turn: turn.cleared(),
                replaced,
            });
        }
        match self.until {
            None => Stage::Done(Outcome::Quiet),
            Some(_) if turn.is_anothers(self.worker, self.now) => Stage::Done(Outcome::Wait),
            Some(until) => Stage::Taking(Swap {
                turn: turn.taken(self.worker, until),
                replaced,
            }),
        }
    }

    fn announcing(&self, turn: Turn, replaced: Option<Version>) -> Stage {
        let announced = turn.given_back(self.worker).announced();
        // Others that left something in between may have done so after this worker read the record: then it reads it again.
        let known = match turn.generation == self.known {
            true => announced.generation,
            false => self.known,
        };
        Stage::Announced {
            swap: Swap {
                turn: announced,
                replaced,
            },
            known,
        }
    }

    fn again(&mut self, at: Stage, otherwise: Outcome) -> Stage {
        self.tries = self.tries.saturating_add(1);
        match self.tries < TRIES {
            true => at,
            false => Stage::Done(otherwise),
        }
    }
}

#[cfg(test)]
mod tests;
