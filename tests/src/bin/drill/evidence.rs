//! What a phase has to have tried. A phase in which nothing was put to the test has shown nothing, and fails.

use std::collections::BTreeSet;

use crate::record::Kid;
use crate::times::Moment;
use crate::verdict::{Asked, Brought, Issuer, Owed};

/// Requests that must have been sent on every connection, and so to every worker.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// For people: "with keys that are stale".
    pub(crate) about: &'static str,
    pub(crate) brought: Wanted,
    pub(crate) owed: Owed,
    /// They were sent then or later.
    pub(crate) since: Moment,
}

/// What such a request brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A sound token of the tenant's with that key.
    Key(Kid),
    Forged,
    Stranger,
}

impl Evidence {
    /// The connections, of that many, on which no such request was sent.
    pub(crate) fn missing(&self, judged: &[(Asked, Owed)], connections: usize) -> BTreeSet<usize> {
        let seen: BTreeSet<usize> = judged
            .iter()
            .filter(|(asked, owed)| {
                asked.sent >= self.since && self.brought.is_in(asked.brought) && *owed == self.owed
            })
            .map(|(asked, _)| asked.connection)
            .collect();
        (0..connections)
            .filter(|connection| !seen.contains(connection))
            .collect()
    }
}

impl Wanted {
    fn is_in(self, brought: Brought) -> bool {
        match self {
            Self::Key(kid) => brought == Brought::Sound(Issuer::Tenant, kid),
            Self::Forged => matches!(brought, Brought::Forged(_)),
            Self::Stranger => brought == Brought::Stranger,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verdict::Answer;

    #[test]
    fn only_requests_of_that_kind_at_that_time_on_that_connection_are_evidence() {
        let evidence = Evidence {
            about: "a test",
            brought: Wanted::Key(2),
            owed: Owed::Pass,
            since: Duration::from_secs(10),
        };
        let judged = |connection, brought, sent, owed| {
            let sent = Duration::from_secs(sent);
            let asked = Asked {
                connection,
                brought,
                sent,
                answered: sent,
                answer: Answer::Allowed,
            };
            (asked, owed)
        };
        let key = |kid| Brought::Sound(Issuer::Tenant, kid);
        let requests = [
            judged(0, key(2), 10, Owed::Pass),
            judged(1, key(2), 9, Owed::Pass),
            judged(2, key(1), 11, Owed::Pass),
            judged(3, key(2), 11, Owed::Either),
            judged(4, Brought::Sound(Issuer::Partner, 2), 11, Owed::Pass),
        ];
        assert_eq!(evidence.missing(&requests, 6), [1, 2, 3, 4, 5].into());
        assert_eq!(evidence.missing(&requests[..1], 1), BTreeSet::new());
    }
}
