//! One policy at work, in one instance of the component.

use std::cell::{OnceCell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use http::request::Parts;
use scopegate_core::spin::{InvalidSetting, Logged};
use scopegate_core::{
    Allow, Decision, Facts, KeyCache, KeyRequest, Policy, Portable, Reason, Request as Asked,
    Response as Answer, TokenCache, decide,
};
use spin_sdk::http::Request;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};
use spin_sdk::wasip3::http_compat::IncomingRequestBody;

use crate::settings::Settings;
use crate::single_flight::Flights;
use crate::{answer, forward, host, keys};

/// How often one request may ask for keys: what the store has can be out of date, and then the issuer is asked.
const MOST_ROUNDS: usize = 3;

/// How long the variables may take, before the first request of an instance.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(5);

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
    pub(crate) keys: RefCell<KeyCache>,
    pub(crate) tokens: RefCell<TokenCache>,
    flights: Flights,
}

/// Answers a request: with what the upstream says, if it may pass.
pub(crate) async fn respond(request: Request) -> Result<Response, ErrorCode> {
    match gate().await {
        Some(gate) => gate.serve(request).await,
        None => answer::response(Answer::host_failure()),
    }
}

async fn gate() -> Option<Rc<Gate>> {
    if let Some(known) = GATE.with(|gate| gate.get().cloned()) {
        return known;
    }
    let read = host::within(SETTINGS_TIMEOUT, Settings::read()).await;
    match read.unwrap_or_else(|| Err("no answer in time".to_owned())) {
        // What is wrong with them, or with the policy, is said once in an instance.
        Ok(settings) => GATE.with(|gate| {
            let load = || load(settings).map_err(|problem| host::log(&problem)).ok();
            gate.get_or_init(load).clone()
        }),
        Err(problem) => {
            // The provider of variables may be well again when the next request comes.
            host::log(&format!("variables cannot be read: {problem}"));
            None
        }
    }
}

/// Reads the policy.
fn load(settings: Result<Settings, InvalidSetting>) -> Result<Rc<Gate>, String> {
    let settings = settings.map_err(|invalid| invalid.to_string())?;
    let text = host::policy_text()?;
    let policy = Policy::parse(&text).map_err(|invalid| format!("policy: {invalid}"))?;
    // The standard library seeds this from the host's random numbers.
    let seed = RandomState::new().hash_one(0_u8);
    Ok(Rc::new(Gate {
        keys: RefCell::new(KeyCache::new(&policy)),
        tokens: RefCell::new(TokenCache::new(&policy, seed)),
        flights: Flights::default(),
        policy,
        settings,
    }))
}

impl Gate {
    async fn serve(self: Rc<Self>, request: Request) -> Result<Response, ErrorCode> {
        let (head, body) = request.into_parts();
        let asked = asked(&head);
        let mut rounds = 0..MOST_ROUNDS;
        let deny = loop {
            let needed = match self.decide(&asked) {
                Decision::Allow(allow) => return pass(&self, (&head, body), &asked, &allow).await,
                Decision::Deny(deny) => break deny,
                Decision::NeedKeys(needed) => needed,
            };
            if rounds.next().is_none() {
                break needed.give_up();
            }
            match self.flights.begin(needed.keys.issuer) {
                Some(_flight) => keys::bring(&self, &needed.keys).await,
                None => self.flights.landed(needed.keys.issuer).await,
            }
        };
        let reason = Some(deny.reason.code());
        self.log(Logged::Refused, "refused", reason, &deny.facts);
        answer::response(deny.response(&self.policy, &asked))
    }

    /// Brings keys behind a request that they still serve, unless that is being done.
    async fn refresh(self: Rc<Self>, wanted: KeyRequest) {
        if let Some(_flight) = self.flights.begin(wanted.issuer) {
            keys::bring(&self, &wanted).await;
        }
    }

    /// A line about a decision, for those who want to read of such.
    fn log(&self, wanted: Logged, verdict: &str, reason: Option<&str>, facts: &Facts<'_>) {
        if self.settings.logged >= wanted {
            host::log(&facts.explain(verdict, reason));
        }
    }

    fn decide<'p, 'r>(&'p self, asked: &Asked<'r>) -> Decision<'p, 'r> {
        let (keys, mut tokens) = (self.keys.borrow(), self.tokens.borrow_mut());
        let now = host::now();
        decide(&self.policy, asked, &keys, &mut tokens, &Portable, now)
    }
}

/// Hands an allowed request on, and gives its answer.
async fn pass(
    gate: &Rc<Gate>,
    request: (&Parts, IncomingRequestBody),
    asked: &Asked<'_>,
    allow: &Allow<'_, '_>,
) -> Result<Response, ErrorCode> {
    match allow.shadowed.map(Reason::code) {
        None => gate.log(Logged::All, "allowed", None, &allow.facts),
        reason => gate.log(Logged::Refused, "would be refused", reason, &allow.facts),
    }
    if let Some(wanted) = allow.fetch.clone() {
        host::spawn(Rc::clone(gate).refresh(wanted));
    }
    let forwarded = forward::forward(gate, request, asked, allow).await;
    forwarded.or_else(|failure| {
        let reason = Some(failure.code());
        gate.log(Logged::Refused, "not forwarded", reason, &allow.facts);
        answer::response(Answer::forwarding_failure(failure, asked))
    })
}

/// The request as the decision reads it: nothing decoded, nothing joined.
fn asked(head: &Parts) -> Asked<'_> {
    let path = head.uri.path_and_query();
    let path = path.map(|path| path.as_str().as_bytes());
    Asked::new(head.method.as_str().as_bytes(), path, &head.headers)
}
