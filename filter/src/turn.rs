//! Whose turn it is to fetch an issuer's keys, in all workers of a process: a small entry beside the record of the keys.
//! Plain data: no host call.
//!
//! The record is large, and every look at a shared value copies it. So workers look at this entry, and read the record when
//! it says that there is another one.

use std::time::Duration;

use scopegate_core::Timestamp;

/// How long a lease lasts at most. Its worker makes it longer while its fetch is under way, so that after the end of a VM another worker
/// goes on soon enough for those who wait.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// A lease that lasts longer than this was written by somebody else, or the clock was set back since. It is far more than [`LEASE`]: a
/// worker that was held up looks at one that another has taken later.
const LONGEST_LEASE: Duration = Duration::from_secs(60);

/// How long after a short fetch should have ended its lease does: by then its worker has given it up, or is no more.
pub(crate) const LEASE_GRACE: Duration = Duration::from_millis(500);

/// The form of the entry. Another one is another version.
const FORM: u8 = 1;

/// The form, three numbers, a small one and a yes or no; nothing else.
const OCTETS: usize = 1 + 8 + 8 + 8 + 1 + 1;

/// How many states of an issuer's keys there are to tell of.
const STATES: u8 = 5;

/// The entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    /// Another number after each change of the record.
    pub(crate) generation: u64,
    pub(crate) lease: Option<Lease>,
    /// The state of the keys, as the gauge counts them, of which the log spoke last.
    pub(crate) told: u8,
    /// Whether the log spoke last of an issuer's clock that is off.
    pub(crate) is_clock_off: bool,
}

/// One worker's right to fetch. It ends by itself, since a worker can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lease {
    /// The worker's own number; none has 0.
    worker: u64,
    until: Timestamp,
}

impl Turn {
    /// The entry where there is none yet, or none that can be read, for a worker that knows of that generation: what it
    /// leaves next is new to all who know of the same.
    pub(crate) const fn new(generation: u64) -> Self {
        Self {
            generation,
            lease: None,
            told: 0,
            is_clock_off: false,
        }
    }

    /// Reads an entry. Nothing for octets that are none: anybody with the same `vm_id` could have written them.
    pub(crate) fn read(octets: &[u8]) -> Option<Self> {
        let (form, rest) = octets.split_first()?;
        let (generation, rest) = number(rest)?;
        let (worker, rest) = number(rest)?;
        let (until, rest) = number(rest)?;
        let lease = match (worker, until) {
            (0, 0) => None,
            (0, _) => return None,
            (worker, until) => Some(Lease {
                worker,
                until: Timestamp::from_millis(until),
            }),
        };
        match rest {
            [told, clock @ (0 | 1)] if *form == FORM && *told < STATES => Some(Self {
                generation,
                lease,
                told: *told,
                is_clock_off: *clock == 1,
            }),
            _ => None,
        }
    }

    /// The octets of the entry.
    pub(crate) fn write(self) -> Vec<u8> {
        let (worker, until) = match self.lease {
            None => (0, 0),
            Some(lease) => (lease.worker, lease.until.millis()),
        };
        let mut octets = Vec::with_capacity(OCTETS);
        octets.push(FORM);
        for number in [self.generation, worker, until] {
            octets.extend_from_slice(&number.to_be_bytes());
        }
        octets.extend_from_slice(&[self.told, u8::from(self.is_clock_off)]);
        octets
    }

    /// Whether another worker may be fetching.
    pub(crate) fn is_anothers(self, worker: u64, now: Timestamp) -> bool {
        self.lease
            .is_some_and(|lease| lease.worker != worker && lease.is_running(now))
    }

    /// Whether there is a lease that ran out before it was given back.
    pub(crate) fn has_lapsed(self, now: Timestamp) -> bool {
        self.lease.is_some_and(|lease| !lease.is_running(now))
    }

    /// The entry without any lease; everybody reads the record once more.
    #[must_use]
    pub(crate) const fn cleared(self) -> Self {
        Self {
            lease: None,
            ..self.announced()
        }
    }

    /// The entry after that worker took the lease, or made its own longer.
    #[must_use]
    pub(crate) const fn taken(self, worker: u64, until: Timestamp) -> Self {
        Self {
            lease: Some(Lease { worker, until }),
            ..self
        }
    }

    /// The entry after that worker gave its lease back. Another's stays.
    #[must_use]
    pub(crate) fn given_back(self, worker: u64) -> Self {
        Self {
            lease: self.lease.filter(|lease| lease.worker != worker),
            ..self
        }
    }

    /// The entry after the record was changed.
    #[must_use]
    pub(crate) const fn announced(self) -> Self {
        Self {
            generation: self.generation.wrapping_add(1),
            ..self
        }
    }
}

impl Lease {
    fn is_running(self, now: Timestamp) -> bool {
        let left = self.until.millis().checked_sub(now.millis());
        left.is_some_and(|left| left > 0 && u128::from(left) <= LONGEST_LEASE.as_millis())
    }
}

fn number(octets: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = octets.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);
    const UNTIL: Timestamp = Timestamp::from_secs(1_005);

    fn taken() -> Turn {
        Turn {
            told: 3,
            is_clock_off: true,
            ..Turn::new(7).taken(1, UNTIL)
        }
    }

    #[test]
    fn what_was_written_is_read() {
        for turn in [Turn::new(u64::MAX), taken(), taken().announced()] {
            assert_eq!(turn.write().len(), OCTETS);
            assert_eq!(Turn::read(&turn.write()), Some(turn));
        }
    }

    #[test]
    fn anything_else_is_not_there() {
        let good = taken().write();
        let changed = |at: usize, to: u8| {
            let mut octets = good.clone();
            octets[at] = to;
            octets
        };
        let longer = [&good[..], &[0]].concat();
        let shorter = good[..OCTETS - 1].to_vec();
        let nobodys = {
            let mut octets = good.clone();
            octets[9..17].fill(0);
            octets
        };
        for (shown, octets) in [
            ("nothing", Vec::new()),
            ("text", b"{}".to_vec()),
            ("too long", longer),
            ("cut off", shorter),
            ("another form", changed(0, 2)),
            ("a state that there is not", changed(OCTETS - 2, 5)),
            ("neither yes nor no", changed(OCTETS - 1, 2)),
            ("a lease of nobody", nobodys),
        ] {
            assert_eq!(Turn::read(&octets), None, "{shown}");
        }
    }

    #[test]
    fn a_lease_keeps_the_others_out_until_it_ends() {
        let turn = taken();
        assert!(turn.is_anothers(2, NOW));
        assert!(!turn.is_anothers(1, NOW), "its own");
        assert!(!turn.is_anothers(2, UNTIL));
        assert!(!turn.is_anothers(2, Timestamp::from_secs(2_000)));
        assert!(
            !turn.is_anothers(2, Timestamp::from_secs(944)),
            "a lease longer than any: the clock was set back"
        );
        assert!(!Turn::new(7).is_anothers(2, NOW));
    }

    #[test]
    fn a_lease_that_ran_out_is_cleared_and_the_record_read_once_more() {
        assert!(!taken().has_lapsed(NOW));
        assert!(taken().has_lapsed(UNTIL));
        assert!(!Turn::new(7).has_lapsed(NOW));
        let cleared = taken().cleared();
        assert!(!cleared.has_lapsed(UNTIL));
        assert_eq!((cleared.generation, cleared.told), (8, 3));
    }

    #[test]
    fn only_its_own_lease_is_given_back() {
        assert!(taken().given_back(2).is_anothers(3, NOW));
        assert!(!taken().given_back(1).is_anothers(3, NOW));
        assert_eq!(taken().given_back(1).told, 3);
    }

    #[test]
    fn another_record_has_another_number() {
        assert_eq!(Turn::new(7).announced().generation, 8);
        assert_eq!(Turn::new(u64::MAX).announced().generation, 0);
    }
}
