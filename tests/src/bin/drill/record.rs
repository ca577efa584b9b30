//! What an issuer did, and when: all that is needed to say what the gate owed to a request.

use std::collections::BTreeSet;

use crate::times::Moment;

/// The number of a key, of which its `kid` is made.
pub(crate) type Kid = u32;

/// The keys that an issuer has had, whether it could be reached, and what it answered.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// What it published, each from that moment on; the first from the beginning.
    pub(crate) published: Vec<Version>,
    /// Its good answers, in their order.
    pub(crate) answers: Vec<Version>,
    /// When nobody could reach it: from, and until, if that is over.
    pub(crate) outages: Vec<(Moment, Option<Moment>)>,
}

/// A key set at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) at: Moment,
    pub(crate) kids: BTreeSet<Kid>,
}

impl Record {
    /// An issuer that has these keys from the beginning, and was not asked for them yet.
    pub(crate) fn new(kids: BTreeSet<Kid>) -> Self {
        Self {
            published: vec![Version {
                at: Moment::ZERO,
                kids,
            }],
            answers: Vec::new(),
            outages: Vec::new(),
        }
    }

    /// The keys that it has now.
    pub(crate) fn keys(&self) -> BTreeSet<Kid> {
        self.published
            .last()
            .map(|version| version.kids.clone())
            .unwrap_or_default()
    }

    /// Since when it has had that key without a break, seen from that moment; `None` when it did not have it then.
    pub(crate) fn published_since(&self, kid: Kid, moment: Moment) -> Option<Moment> {
        self.published
            .iter()
            .rev()
            .skip_while(|version| version.at > moment)
            .take_while(|version| version.kids.contains(&kid))
            .last()
            .map(|version| version.at)
    }

    /// Since when it could be reached without a break, seen from that moment; `None` when it could not be then.
    pub(crate) fn reachable_since(&self, moment: Moment) -> Option<Moment> {
        let last = self
            .outages
            .iter()
            .rev()
            .find(|(from, _)| *from <= moment)
            .copied();
        match last {
            None => Some(Moment::ZERO),
            Some((_, until)) => until.filter(|until| *until <= moment),
        }
    }

    /// The first answer from that moment on that has, or has not, that key.
    pub(crate) fn first_answer(&self, from: Moment, kid: Kid, has_it: bool) -> Option<Moment> {
        self.answers
            .iter()
            .find(|answer| answer.at >= from && answer.kids.contains(&kid) == has_it)
            .map(|answer| answer.at)
    }

    /// When it answered last.
    pub(crate) fn last_answer(&self) -> Option<Moment> {
        self.answers.last().map(|answer| answer.at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const fn s(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    fn version(at: u64, kids: &[Kid]) -> Version {
        Version {
            at: s(at),
            kids: kids.iter().copied().collect(),
        }
    }

    #[test]
    fn a_key_that_comes_back_counts_from_its_return() {
        let record = Record {
            published: vec![version(0, &[1]), version(5, &[2]), version(9, &[1, 2])],
            ..Record::new(BTreeSet::new())
        };
        for (kid, moment, expected) in [
            (1, 4, Some(0)),
            (1, 6, None),
            (1, 9, Some(9)),
            (2, 4, None),
            (2, 20, Some(5)),
        ] {
            assert_eq!(
                record.published_since(kid, s(moment)),
                expected.map(s),
                "{kid} at {moment}"
            );
        }
    }

    #[test]
    fn an_issuer_is_reachable_between_its_outages() {
        let record = Record {
            outages: vec![(s(5), Some(s(8))), (s(20), None)],
            ..Record::new(BTreeSet::new())
        };
        for (moment, expected) in [
            (0, Some(0)),
            (5, None),
            (7, None),
            (8, Some(8)),
            (19, Some(8)),
            (20, None),
            (99, None),
        ] {
            assert_eq!(
                record.reachable_since(s(moment)),
                expected.map(s),
                "at {moment}"
            );
        }
    }
}
