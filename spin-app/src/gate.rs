//! One policy at work, in one instance of the component.

use std::cell::{OnceCell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use scopegate_core::{
    Allow, Decision, FetchFailure, FetchReport, IssuerId, KeyAnswer, KeyCache, KeyRequest, Policy,
    Portable, Request as Asked, Response as Answer, TokenCache, decide,
};
use spin_sdk::wasip3::http::types::{Request, Response};

use crate::answer;
use crate::forward;
use crate::host;
use crate::keys;
use crate::message;
use crate::settings::{InvalidSetting, Logged, Settings};
use crate::single_flight::{Flights, Turn};

/// How often one request may ask for keys: what the store has can be out of date, and then the issuer is asked.
const MOST_ROUNDS: usize = 3;

thread_local! {
    /// The policy is read and compiled once in an instance. Nothing in it: the application is misconfigured.
    static GATE: OnceCell<Option<Rc<Gate>>> = const { OnceCell::new() };
}

/// A policy, and all state that belongs to it.
///
/// The cells are borrowed within one expression each, never across an `await`.
pub(crate) struct Gate {
    pub(crate) policy: Policy,
    pub(crate) settings: Settings,
    flights: Flights,
    keys: RefCell<KeyCache>,
    tokens: RefCell<TokenCache>,
}

/// Answers a request: what the upstream says, if it may pass.
pub(crate) async fn respond(request: Request) -> Response {
    match gate().await {
        Some(gate) => gate.serve(request).await,
        None => answer::response(&Answer::host_failure()),
    }
}

async fn gate() -> Option<Rc<Gate>> {
    if let Some(known) = GATE.with(|gate| gate.get().cloned()) {
        return known;
    }
    let settings = match Settings::read().await {
        Ok(settings) => settings,
        Err(problem) => {
            // The provider of variables may be well again when the next request comes.
            host::log(&format!("variables cannot be read: {problem}"));
            return None;
        }
    };
    GATE.with(|gate| gate.get_or_init(|| load(settings)).clone())
}

/// Reads the policy. What is wrong with it, or with the settings, is said once in an instance.
fn load(settings: Result<Settings, InvalidSetting>) -> Option<Rc<Gate>> {
    let read = host::policy_text().map_err(|error| {
        format!(
            "policy: {} cannot be read: {error}: mount it by `files` of the manifest",
            host::POLICY_PATH
        )
    });
    let parsed =
        read.and_then(|text| Policy::parse(&text).map_err(|invalid| format!("policy: {invalid}")));
    match (parsed, settings) {
        (Ok(policy), Ok(settings)) => Some(Rc::new(Gate::new(policy, settings))),
        (parsed, settings) => {
            let problems = [
                parsed.err(),
                settings.err().map(|invalid| invalid.to_string()),
            ];
            for line in problems.iter().flatten().flat_map(|text| text.lines()) {
                host::log(line);
            }
            None
        }
    }
}

impl Gate {
    fn new(policy: Policy, settings: Settings) -> Self {
        // The standard library seeds this from the host's random numbers.
        let seed = RandomState::new().hash_one(0_u8);
        Self {
            keys: RefCell::new(KeyCache::new(&policy)),
            tokens: RefCell::new(TokenCache::new(&policy, seed)),
            flights: Flights::default(),
            policy,
            settings,
        }
    }

    async fn serve(self: Rc<Self>, request: Request) -> Response {
        let asked = message::read(&request);
        let mut rounds = 0..MOST_ROUNDS;
        loop {
            let deny = match self.decide(&asked) {
                Decision::Allow(allow) => return self.pass(request, &asked, &allow).await,
                Decision::Deny(deny) => deny,
                Decision::NeedKeys(needed) => match rounds.next() {
                    None => needed.give_up(),
                    Some(_) => {
                        self.obtain(&needed.keys).await;
                        continue;
                    }
                },
            };
            if self.settings.logged != Logged::Nothing {
                answer::explain("refused", Some(deny.reason.code()), &deny.facts);
            }
            return answer::response(&deny.response(&self.policy, &asked));
        }
    }

    /// Hands an allowed request on, and gives its answer.
    async fn pass(
        self: &Rc<Self>,
        request: Request,
        asked: &Asked,
        allow: &Allow<'_, '_>,
    ) -> Response {
        if let Some(wanted) = allow.fetch.clone() {
            let gate = Rc::clone(self);
            host::spawn(async move { gate.refresh(&wanted).await });
        }
        match (allow.shadowed, self.settings.logged) {
            (Some(reason), Logged::All | Logged::Refused) => {
                answer::explain("would be refused", Some(reason.code()), &allow.facts);
            }
            (None, Logged::All) => answer::explain("allowed", None, &allow.facts),
            (None, Logged::Refused) | (_, Logged::Nothing) => {}
        }
        match forward::forward(self, request, asked, allow).await {
            Ok(response) => response,
            Err(failure) => {
                if self.settings.logged != Logged::Nothing {
                    answer::explain("no answer", Some(failure.code()), &allow.facts);
                }
                answer::response(&Answer::upstream_failure(failure, asked))
            }
        }
    }

    fn decide<'p, 'r>(&'p self, asked: &'r Asked) -> Decision<'p, 'r> {
        let keys = self.keys.borrow();
        let mut tokens = self.tokens.borrow_mut();
        decide(
            &self.policy,
            asked,
            &keys,
            &mut tokens,
            &Portable,
            host::now(),
        )
    }

    /// Brings keys for a request that waits: its own fetch, or the one that is under way.
    async fn obtain(&self, wanted: &KeyRequest) {
        match self.flights.join(wanted.issuer) {
            Turn::Fly(_landing) => keys::bring(self, wanted).await,
            Turn::Wait(flight) => flight.landed().await,
        }
    }

    /// Brings keys behind a request that they still serve, unless that is being done.
    async fn refresh(&self, wanted: &KeyRequest) {
        if let Turn::Fly(_landing) = self.flights.join(wanted.issuer) {
            keys::bring(self, wanted).await;
        }
    }

    /// Hands the outcome of a fetch to the core.
    pub(crate) fn install(
        &self,
        issuer: IssuerId,
        outcome: Result<KeyAnswer<'_>, FetchFailure>,
    ) -> FetchReport {
        let mut tokens = self.tokens.borrow_mut();
        let mut keys = self.keys.borrow_mut();
        keys.install(&mut tokens, issuer, outcome, host::now())
    }

    /// Hands what another instance left to the core. Says whether that was news.
    #[cfg(not(feature = "middleware"))]
    pub(crate) fn restore(&self, issuer: IssuerId, record: &[u8]) -> bool {
        let mut tokens = self.tokens.borrow_mut();
        let mut keys = self.keys.borrow_mut();
        keys.restore(&mut tokens, issuer, record, host::now())
    }

    /// An issuer's keys for other instances, and the name to leave them by.
    #[cfg(not(feature = "middleware"))]
    pub(crate) fn record(&self, issuer: IssuerId) -> Option<(String, Vec<u8>)> {
        let keys = self.keys.borrow();
        Some((keys.record_name(issuer)?, keys.record(issuer)?))
    }

    /// The name of an issuer's record.
    #[cfg(not(feature = "middleware"))]
    pub(crate) fn record_name(&self, issuer: IssuerId) -> Option<String> {
        self.keys.borrow().record_name(issuer)
    }
}
