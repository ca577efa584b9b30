//! One policy at work: what a root context and its requests share.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use scopegate_core::{
    Decision, FetchFailure, FetchReport, IssuerId, KeyAnswer, KeyCache, KeyRequest, KeyStatus,
    Policy, Request, Timestamp, TokenCache, decide,
};

use crate::counters::Counters;
use crate::gauges::Gauges;
use crate::sharing::Sharing;
use crate::verifier::HostVerifier;
use crate::waiting::Waiting;

/// A policy, and all state that belongs to it and to nothing else.
///
/// The cells are borrowed within one expression each, never across a host call that may call back.
pub(crate) struct Gate {
    /// The root context, which fetches keys for everyone.
    pub(crate) root: u32,
    pub(crate) policy: Policy,
    pub(crate) waiting: RefCell<Waiting>,
    pub(crate) counters: Rc<Counters>,
    pub(crate) gauges: Gauges,
    pub(crate) sharing: Sharing,
    keys: RefCell<KeyCache>,
    tokens: RefCell<TokenCache>,
    verifier: HostVerifier,
}

impl Gate {
    /// A gate without keys yet.
    pub(crate) fn new(root: u32, policy: Policy) -> Self {
        let counters = Rc::new(Counters::define(&policy));
        // The standard library seeds this from the host's random numbers.
        let seed = RandomState::new().hash_one(root);
        let worker = RandomState::new().hash_one(seed);
        let keys = KeyCache::new(&policy);
        let records = policy.issuer_ids().filter_map(|issuer| {
            // Keys that came through another cluster came from somewhere else.
            let cluster = policy.cluster(policy.issuer_name(issuer))?;
            Some((issuer, keys.record_name(issuer, cluster)?))
        });
        Self {
            sharing: Sharing::new(worker, records),
            gauges: Gauges::define(&policy),
            root,
            waiting: RefCell::new(Waiting::new(policy.issuer_names().count())),
            keys: RefCell::new(keys),
            tokens: RefCell::new(TokenCache::new(&policy, seed)),
            verifier: HostVerifier::new(Rc::clone(&counters)),
            counters,
            policy,
        }
    }

    /// Asks the core.
    pub(crate) fn decide<'p, 'r>(
        &'p self,
        request: &Request<'r>,
        now: Timestamp,
    ) -> Decision<'p, 'r> {
        let keys = self.keys.borrow();
        let mut tokens = self.tokens.borrow_mut();
        decide(
            &self.policy,
            request,
            &keys,
            &mut tokens,
            &self.verifier,
            now,
        )
    }

    /// Hands the outcome of a fetch to the core.
    pub(crate) fn install(
        &self,
        request: &KeyRequest,
        outcome: Result<KeyAnswer, FetchFailure>,
        now: Timestamp,
    ) -> FetchReport {
        let mut tokens = self.tokens.borrow_mut();
        self.keys
            .borrow_mut()
            .install(&mut tokens, request, outcome, now)
    }

    /// What to fetch next in the round of that issuer's that has begun.
    pub(crate) fn under_way(&self, issuer: IssuerId, now: Timestamp) -> Option<KeyRequest> {
        self.keys.borrow().under_way(issuer, now)
    }

    /// What to fetch although no request waits for it.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<KeyRequest> {
        self.keys.borrow().due(now)
    }

    /// How an issuer's keys stand.
    pub(crate) fn status(&self, issuer: IssuerId, now: Timestamp) -> Option<KeyStatus> {
        self.keys.borrow().status(issuer, now)
    }

    /// What this worker knows of an issuer's keys, for the others.
    pub(crate) fn record(&self, issuer: IssuerId) -> Option<Vec<u8>> {
        self.keys.borrow().record(issuer)
    }

    /// Takes in what another worker knows, and says whether there is anything new in it.
    pub(crate) fn restore(&self, issuer: IssuerId, record: &[u8], now: Timestamp) -> bool {
        let mut tokens = self.tokens.borrow_mut();
        let mut keys = self.keys.borrow_mut();
        keys.restore(&mut tokens, issuer, record, now)
    }

    /// Says how many requests wait now.
    pub(crate) fn publish_waiting(&self) {
        let waiting = self.waiting.borrow();
        self.gauges.waiting(|issuer| waiting.count(issuer));
    }

    /// The issuer's name in the policy.
    pub(crate) fn issuer_name(&self, issuer: IssuerId) -> &str {
        self.policy.issuer_name(issuer)
    }
}
