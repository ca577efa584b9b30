//! Keys that all workers of a process share: each of them reads what another has fetched, and one alone fetches.
//!
//! The record of an issuer's keys lies in Envoy's shared data under a name of the core's, and beside it a small entry, [`Turn`].
//! [`Errand`] says in which order they are read and written; here its calls are made. Both are parsed as strictly as an answer from
//! the network. What the host cannot share harms nobody: then each worker fetches for itself.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use scopegate_core::{IssuerId, KeyState, Timestamp};

use crate::errand::{Call, Errand, Outcome, Reply};
use crate::gate::Gate;
use crate::host::{self, HostError, Level, Version};
use crate::turn::{LEASE, LEASE_GRACE, Turn};

/// How often a record is written anew because others were faster.
const TRIES: usize = 8;

/// How long before its end a lease is made longer: many ticks, should a worker be held up.
const RENEWED_BEFORE: Duration = Duration::from_secs(2);

/// Where a worker stands towards the others.
pub(crate) struct Sharing {
    /// Its own number: no other worker and no other policy has it, and it is never 0.
    worker: u64,
    places: BTreeMap<IssuerId, Place>,
    /// Whether the log has been told that the host shares nothing.
    has_complained: Cell<bool>,
}

/// One issuer's entries.
struct Place {
    record: String,
    turn: String,
    /// The generation of the record that this worker read last.
    known: Cell<u64>,
    /// The state of the keys when this worker last looked.
    state: Cell<Option<KeyState>>,
    /// Until when this worker's last lease was to last.
    leased_until: Cell<Timestamp>,
}

impl Sharing {
    /// Nothing is known yet of the records with these names.
    pub(crate) fn new(worker: u64, records: impl IntoIterator<Item = (IssuerId, String)>) -> Self {
        let place = |(issuer, record): (IssuerId, String)| {
            let place = Place {
                turn: format!("{record}.turn"),
                record,
                known: Cell::new(0),
                state: Cell::new(None),
                leased_until: Cell::new(Timestamp::from_millis(0)),
            };
            (issuer, place)
        };
        let mut places = BTreeMap::new();
        places.extend(records.into_iter().map(place));
        Self {
            worker: worker.max(1),
            places,
            has_complained: Cell::new(false),
        }
    }

    /// The issuers whose keys are shared.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = IssuerId> {
        self.places.keys().copied()
    }
}

/// Takes in what others have left. Says whether there was any.
pub(crate) fn look(gate: &Gate, issuer: IssuerId, now: Timestamp) -> bool {
    let looked = perform(gate, issuer, now, |worker, known| {
        Errand::look(worker, known, now)
    });
    looked == Outcome::News
}

/// Asks for the turn to fetch, with a lease for a fetch of that length.
pub(crate) fn begin(gate: &Gate, issuer: IssuerId, timeout: Duration, now: Timestamp) -> Outcome {
    let lease = timeout.saturating_add(LEASE_GRACE).min(LEASE);
    let until = later(now, lease);
    let outcome = perform(gate, issuer, now, |worker, known| {
        Errand::fetch(worker, known, until, now)
    });
    if let (Outcome::Fetch, Some(place)) = (outcome, gate.sharing.places.get(&issuer)) {
        place.leased_until.set(until);
    }
    outcome
}

/// Makes the lease of a fetch under way longer, in time. Says what came of it where it was tried.
pub(crate) fn renew(
    gate: &Gate,
    issuer: IssuerId,
    timeout: Duration,
    now: Timestamp,
) -> Option<Outcome> {
    let until = gate.sharing.places.get(&issuer)?.leased_until.get();
    let is_near = until <= later(now, RENEWED_BEFORE);
    is_near.then(|| begin(gate, issuer, timeout, now))
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.millis().saturating_add(by))
}

/// Leaves what a fetch has brought, good or bad, for the others, and the turn with it.
pub(crate) fn leave(gate: &Gate, issuer: IssuerId, now: Timestamp) {
    perform(gate, issuer, now, |worker, known| {
        Errand::leave(worker, known, now)
    });
}

/// Gives the turn back: the fetch will never end.
pub(crate) fn give_up(gate: &Gate, issuer: IssuerId, now: Timestamp) {
    perform(gate, issuer, now, |worker, known| {
        Errand::give_up(worker, known, now)
    });
}

/// Notes the state of an issuer's keys. Gives the state before where that is for this worker to tell: each change is told once,
/// whatever the number of workers that see it.
///
/// A worker looks for changes of its own view alone, so that two policies that judge the same keys differently do not contradict
/// each other for ever.
pub(crate) fn note_state(gate: &Gate, issuer: IssuerId, state: KeyState) -> Option<KeyState> {
    let place = gate.sharing.places.get(&issuer)?;
    let before = place.state.get();
    if before == Some(state) {
        return None;
    }
    let told = number(state);
    let swapped = swap_turn(place, |turn| {
        (turn.told != told).then_some(Turn { told, ..turn })
    });
    let replaced = match swapped {
        // Something happens at this moment: the next tick sees what came of it.
        Ok(Swapped::Missed) => return None,
        Ok(Swapped::Unchanged) => None,
        Ok(Swapped::From(turn)) => Some(turn.told),
        Err(_) => before.map(number),
    };
    place.state.set(Some(state));
    STATES.get(usize::from(replaced?)).copied()
}

/// Notes whether the issuer's clock is off. Says whether that is for this worker to tell.
pub(crate) fn note_clock(gate: &Gate, issuer: IssuerId, is_clock_off: bool) -> bool {
    let Some(place) = gate.sharing.places.get(&issuer) else {
        return false;
    };
    let change = |turn: Turn| {
        let changed = Turn {
            is_clock_off,
            ..turn
        };
        (changed != turn).then_some(changed)
    };
    for _ in 0..TRIES {
        match swap_turn(place, change) {
            Ok(Swapped::Missed) => {}
            Ok(Swapped::Unchanged) => return false,
            Ok(Swapped::From(_)) => return true,
            // Then nobody else can tell.
            Err(_) => return is_clock_off,
        }
    }
    false
}

/// The states by their numbers in entries and gauges.
const STATES: [KeyState; 5] = [
    KeyState::Awaited,
    KeyState::Fresh,
    KeyState::Refreshing,
    KeyState::Stale,
    KeyState::Unavailable,
];

/// The number of a state in entries and gauges.
pub(crate) const fn number(state: KeyState) -> u8 {
    match state {
        KeyState::Awaited => 0,
        KeyState::Fresh => 1,
        KeyState::Refreshing => 2,
        KeyState::Stale => 3,
        KeyState::Unavailable => 4,
    }
}

enum Swapped {
    From(Turn),
    Unchanged,
    /// Another worker changed it in between, or has left a record that this one has not read yet.
    Missed,
}

fn swap_turn(
    place: &Place,
    change: impl FnOnce(Turn) -> Option<Turn>,
) -> Result<Swapped, HostError> {
    let (turn, version) = read_turn(place)?;
    let turn = turn.unwrap_or(Turn::new(place.known.get()));
    if turn.generation != place.known.get() {
        return Ok(Swapped::Missed);
    }
    let Some(changed) = change(turn) else {
        return Ok(Swapped::Unchanged);
    };
    match host::swap_shared(&place.turn, &changed.write(), version)? {
        true => Ok(Swapped::From(turn)),
        false => Ok(Swapped::Missed),
    }
}

fn read_turn(place: &Place) -> Result<(Option<Turn>, Option<Version>), HostError> {
    Ok(match host::shared(&place.turn)? {
        None => (None, None),
        Some((octets, version)) => (Turn::read(&octets), Some(version)),
    })
}

/// Makes the calls of an errand.
fn perform(
    gate: &Gate,
    issuer: IssuerId,
    now: Timestamp,
    errand: impl FnOnce(u64, u64) -> Errand,
) -> Outcome {
    let Some(place) = gate.sharing.places.get(&issuer) else {
        return Outcome::Alone;
    };
    let mut errand = errand(gate.sharing.worker, place.known.get());
    loop {
        let reply = match errand.call() {
            Call::ReadTurn => read_turn(place).map(|(turn, version)| Reply::Turn(turn, version)),
            Call::SwapTurn(swap) => {
                host::swap_shared(&place.turn, &swap.turn.write(), swap.replaced)
                    .map(Reply::Swapped)
            }
            Call::ReadRecord => {
                read_record(gate, issuer, place, now).map(|(is_news, _)| Reply::Record { is_news })
            }
            Call::MergeRecord => merge_record(gate, issuer, place, now),
            Call::End(outcome) => {
                place.known.set(errand.known);
                return outcome;
            }
        };
        let reply = reply.unwrap_or_else(|error| {
            complain(gate, error);
            Reply::Failed
        });
        errand = errand.after(reply);
    }
}

fn read_record(
    gate: &Gate,
    issuer: IssuerId,
    place: &Place,
    now: Timestamp,
) -> Result<(bool, Option<Version>), HostError> {
    Ok(match host::shared(&place.record)? {
        None => (false, None),
        Some((record, version)) => (gate.restore(issuer, &record, now), Some(version)),
    })
}

/// What others have left since is taken in first: a failure must not take the place of keys.
fn merge_record(
    gate: &Gate,
    issuer: IssuerId,
    place: &Place,
    now: Timestamp,
) -> Result<Reply, HostError> {
    for _ in 0..TRIES {
        let (_, version) = read_record(gate, issuer, place, now)?;
        let Some(record) = gate.record(issuer) else {
            break;
        };
        if host::swap_shared(&place.record, &record, version)? {
            return Ok(Reply::Merged);
        }
    }
    Ok(Reply::Failed)
}

fn complain(gate: &Gate, error: HostError) {
    if !gate.sharing.has_complained.replace(true) {
        let line = format!("scopegate: keys are not shared with the other workers: {error}");
        host::log(Level::Warn, &line);
    }
}
