//! Who waits for keys, which keys are to be fetched, and which fetches are under way. Plain data: no host call.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use scopegate_core::{IssuerId, KeyRequest, Timestamp};

use crate::asked::Asked;

/// The most requests that wait at one time, per worker and policy, unless [`LEAST_SHARE`] makes it more; what comes
/// then is refused with 503.
///
/// Each holds its headers, at most 60 KiB with Envoy's default `max_request_headers_kb`, so some 60 MiB in the worst case and
/// about 1 MiB in a usual one; and what has come of its body, which Envoy keeps within its own limits: 24 MiB for each
/// HTTP/2 connection with its defaults, 1 MiB with those of envoy/envoy.yaml. Issuers have equal shares: who waits for one
/// whose keys do not come, with a forged token if need be, takes no place from another's.
/// Within one issuer's share forged tokens and good ones are not told apart: nothing can, before the keys are there. It matters while they
/// are fetched for the first time in a process, or a `kid` is looked for; keys at hand are not waited for.
pub(crate) const MAX_WAITING: usize = 1_000;

/// The least share of an issuer, however many the policy names: beyond twenty issuers it is what bounds the whole.
const LEAST_SHARE: usize = 50;

/// The most waiting requests that are answered in one call of the VM; the others follow a millisecond later.
///
/// Envoy 1.40 carries out the answers of one call nested in each other, because each calls the VM once more: about 300
/// overflowed V8's stack of 1 MB ("Maximum call stack size exceeded") and took the VM down. A tenth is far from that.
pub(crate) const ANSWERED_AT_ONCE: usize = 32;

/// How long after a deadline the filter stops counting on Envoy, whose own timeout for a fetch comes first.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

/// How soon requests that wait for another worker's fetch look whether it has ended. Five workers that look at one entry this often
/// take half a millisecond of a second.
const LOOK: u32 = 5;

/// How far a request has come. Shared between its context and its place in the queue, once it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing has let it pass yet: neither its body nor its trailers may go on.
    #[default]
    Held,
    /// It waits for keys, and holds still as well.
    Waiting,
    /// It was allowed.
    Passed,
}

/// A request that waits for keys, with all that is needed to decide about it later.
pub(crate) struct Waiter {
    /// The context of the request in Envoy.
    pub(crate) context: u32,
    pub(crate) asked: Asked,
    pub(crate) progress: Rc<Cell<Progress>>,
    /// When it has waited long enough; set by [`Waiting::join`].
    pub(crate) deadline: Option<Timestamp>,
}

/// A fetch that Envoy is busy with.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) request: KeyRequest,
    pub(crate) started: Timestamp,
    /// Envoy's number for the call.
    token: u32,
}

/// The requests that wait and the fetches they wait for.
pub(crate) struct Waiting {
    queues: BTreeMap<IssuerId, Queue>,
    wanted: BTreeMap<IssuerId, KeyRequest>,
    /// Wanted by requests that wait, and being fetched by another worker.
    held_back: BTreeMap<IssuerId, KeyRequest>,
    under_way: BTreeMap<IssuerId, Fetch>,
    /// The most requests that wait for one issuer.
    share: usize,
}

/// Who waits for one issuer: by context, which Envoy counts up, so in the order of arrival.
#[derive(Default)]
struct Queue {
    waiters: BTreeMap<u32, Waiter>,
    /// Those whose fetch has ended, or whose time has.
    ready: BTreeMap<u32, Waiter>,
}

/// The issuer's queue is full; the request must be refused.
pub(crate) struct Full(pub(crate) Waiter);

impl Waiting {
    /// Empty queues for that many issuers.
    pub(crate) fn new(issuers: usize) -> Self {
        Self {
            queues: BTreeMap::new(),
            wanted: BTreeMap::new(),
            held_back: BTreeMap::new(),
            under_way: BTreeMap::new(),
            share: MAX_WAITING
                .checked_div(issuers)
                .map_or(MAX_WAITING, |share| share.max(LEAST_SHARE)),
        }
    }

    /// Lets a request wait for keys, which are fetched only if [`Waiting::want`] is told.
    ///
    /// One that waits for a second fetch keeps the deadline of its first.
    pub(crate) fn join(
        &mut self,
        mut waiter: Waiter,
        wanted: &KeyRequest,
        now: Timestamp,
    ) -> Result<(), Full> {
        let queue = self.queues.entry(wanted.issuer).or_default();
        if queue.len() >= self.share {
            return Err(Full(waiter));
        }
        waiter.deadline.get_or_insert(deadline(now, wanted.timeout));
        waiter.progress.set(Progress::Waiting);
        queue.waiters.insert(waiter.context, waiter);
        Ok(())
    }

    /// Notes keys to be fetched, once per issuer. Says whether that is new.
    pub(crate) fn want(&mut self, wanted: KeyRequest) -> bool {
        let issuer = wanted.issuer;
        if self.is_under_way(issuer) || self.held_back.contains_key(&issuer) {
            return false;
        }
        self.wanted.insert(wanted.issuer, wanted).is_none()
    }

    /// Takes back what could not be asked of the root.
    pub(crate) fn unwant(&mut self, issuer: IssuerId) {
        self.wanted.remove(&issuer);
    }

    /// Takes back everything that could not be asked of the root: the next who wants it wakes it again.
    pub(crate) fn unwant_all(&mut self) {
        self.wanted.clear();
        self.held_back.clear();
    }

    /// What is to be fetched now, or at least tried: for requests that still wait, or as soon as somebody wants it.
    pub(crate) fn take_wanted(&mut self) -> impl Iterator<Item = KeyRequest> + use<> {
        let mut wanted = std::mem::take(&mut self.wanted);
        for (issuer, request) in std::mem::take(&mut self.held_back) {
            if self.has_waiters(issuer) {
                wanted.entry(issuer).or_insert(request);
            }
        }
        wanted.into_values()
    }

    /// Puts back what another worker is fetching, if requests wait for it. What nobody waits for is left to the other.
    pub(crate) fn hold_back(&mut self, request: KeyRequest) {
        if self.has_waiters(request.issuer) {
            self.held_back.insert(request.issuer, request);
        }
    }

    fn has_waiters(&self, issuer: IssuerId) -> bool {
        let queue = self.queues.get(&issuer);
        queue.is_some_and(|queue| !queue.waiters.is_empty())
    }

    /// How many requests wait for that issuer's keys, or for their answer since they came.
    pub(crate) fn count(&self, issuer: IssuerId) -> usize {
        self.queues.get(&issuer).map_or(0, Queue::len)
    }

    /// Whether Envoy is fetching that issuer's keys for this worker.
    pub(crate) fn is_under_way(&self, issuer: IssuerId) -> bool {
        self.under_way.contains_key(&issuer)
    }

    /// What Envoy is fetching for this worker.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &KeyRequest> {
        self.under_way.values().map(|fetch| &fetch.request)
    }

    /// Notes that Envoy has begun a fetch, and calls it `token`.
    pub(crate) fn began(&mut self, request: KeyRequest, token: u32, now: Timestamp) {
        let fetch = Fetch {
            token,
            started: now,
            request,
        };
        self.under_way.insert(fetch.request.issuer, fetch);
    }

    /// The fetch that Envoy answered; nothing for one that was given up before.
    pub(crate) fn ended(&mut self, token: u32) -> Option<Fetch> {
        let (issuer, _) = self
            .under_way
            .iter()
            .find(|(_, fetch)| fetch.token == token)?;
        let issuer = *issuer;
        self.under_way.remove(&issuer)
    }

    /// The fetches that Envoy should have answered long ago. They are given up.
    pub(crate) fn take_overdue_fetches(&mut self, now: Timestamp) -> Vec<Fetch> {
        let is_overdue = |_: &IssuerId, fetch: &mut Fetch| fetch.deadline() <= now;
        self.under_way
            .extract_if(.., is_overdue)
            .map(|(_, fetch)| fetch)
            .collect()
    }

    /// Everyone who waits for the keys of that issuer is ready for an answer, and says anew what it wants.
    pub(crate) fn release(&mut self, issuer: IssuerId) {
        self.wanted.remove(&issuer);
        self.held_back.remove(&issuer);
        if let Some(queue) = self.queues.get_mut(&issuer) {
            queue.release_if(|_| true);
        }
    }

    /// Everyone who has waited long enough is ready for an answer, whatever they wait for.
    pub(crate) fn release_overdue(&mut self, now: Timestamp) {
        for queue in self.queues.values_mut() {
            queue.release_if(|waiter| waiter.is_overdue(now));
        }
    }

    /// The requests to answer now: issuer by issuer, in the order of arrival.
    pub(crate) fn take_ready(&mut self) -> Vec<Waiter> {
        let mut queues = self.queues.values_mut();
        let mut queue = queues.next();
        let ready = std::iter::from_fn(|| {
            loop {
                match queue.as_mut()?.ready.pop_first() {
                    Some((_, waiter)) => return Some(waiter),
                    None => queue = queues.next(),
                }
            }
        });
        ready.take(ANSWERED_AT_ONCE).collect()
    }

    /// Forgets a request whose client has left. Its fetch goes on: others may wait for it, or come soon.
    pub(crate) fn leave(&mut self, context: u32) {
        for queue in self.queues.values_mut() {
            queue.waiters.remove(&context);
            queue.ready.remove(&context);
        }
    }

    /// In how many milliseconds there is something to do; nothing when there is not.
    pub(crate) fn next_tick(&self, now: Timestamp) -> Option<u32> {
        let is_ready = |queue: &Queue| !queue.ready.is_empty();
        if !self.wanted.is_empty() || self.queues.values().any(is_ready) {
            return Some(1);
        }
        let look = (!self.held_back.is_empty()).then_some(LOOK);
        let waiters = self
            .queues
            .values()
            .flat_map(|queue| queue.waiters.values());
        let waiters = waiters.filter_map(|waiter| waiter.deadline);
        let fetches = self.under_way.values().map(Fetch::deadline);
        let deadline = waiters.chain(fetches).min().map(|first| {
            let left = first.millis().saturating_sub(now.millis());
            u32::try_from(left).unwrap_or(u32::MAX).max(1)
        });
        look.into_iter().chain(deadline).min()
    }
}

impl Queue {
    fn len(&self) -> usize {
        self.waiters.len().saturating_add(self.ready.len())
    }

    fn release_if(&mut self, mut is_ready: impl FnMut(&Waiter) -> bool) {
        let released = self.waiters.extract_if(.., |_, waiter| is_ready(waiter));
        self.ready.extend(released);
    }
}

impl Waiter {
    /// Whether it has waited long enough.
    pub(crate) fn is_overdue(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

impl Fetch {
    fn deadline(&self) -> Timestamp {
        deadline(self.started, self.request.timeout)
    }
}

fn deadline(start: Timestamp, timeout: Duration) -> Timestamp {
    let span = timeout.saturating_add(GRACE).as_millis();
    let span = u64::try_from(span).unwrap_or(u64::MAX);
    Timestamp::from_millis(start.millis().saturating_add(span))
}

#[cfg(test)]
mod tests;
