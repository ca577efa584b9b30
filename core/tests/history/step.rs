//! What can happen in a history.

use crate::issuer::{Health, Metadata};
use crate::knowledge::Edge;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Time passes, up to the last millisecond before anything is otherwise by itself.
    Approach,
    Millisecond,
    /// Time passes, up to the last millisecond before that.
    Before(Edge),
    /// And up to the first one after it.
    Past(Edge),
    /// That many milliseconds pass.
    Wait(u64),
    /// The clock is set back by that many milliseconds.
    SetBack(u64),
    /// A client of that instance sends a token of that issuer.
    Ask {
        at: usize,
        issuer: usize,
        who: Who,
    },
    /// That instance looks for what is due.
    Tick(usize),
    /// What that instance has asked for comes, or fails.
    Arrive(usize),
    /// That instance is lost, and another begins in its place.
    Restart(usize),
    /// Something happens at that issuer.
    Issuer(usize, Event),
}

/// Who sends a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody with a token of the first key, without `iat`.
    Old,
    /// Who was the first to get one of the key that the issuer signs with now.
    Early,
    /// Who has got one just now.
    New,
    /// Who has got one of the future, beyond the skew.
    Ahead,
    /// Who invents a `kid`.
    Stranger,
    /// Who names a good key and has another one.
    Forger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Health(Health),
    /// It signs with a new key, and keeps the old ones in its set.
    Rotate,
    /// It takes all keys away with which it does not sign.
    Retire,
    /// It signs with a new key, and takes the others away at once.
    Replace,
    /// It publishes a set without keys.
    Empty,
    Metadata(Metadata),
    /// It publishes its keys at another address.
    Move {
        /// Whether the old one goes on to give what it gave.
        leaves_old: bool,
    },
    MaxAge(Option<u64>),
}
