//! The root context: takes over a policy, and fetches keys for the requests that wait.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use scopegate_core::{
    Allow, Decision, FetchFailure, FetchReport, KeyAnswer, KeyRequest, Timestamp,
};

use crate::answer;
use crate::configuration;
use crate::gate::Gate;
use crate::host::{self, Buffer, Level};
use crate::key_call;
use crate::stream::Stream;
use crate::waiting::{Full, Progress, Waiter};

/// The context of one configured filter.
pub(crate) struct Root {
    context: u32,
    gate: Option<Rc<Gate>>,
}

impl Root {
    pub(crate) fn new(context: u32) -> Self {
        Self {
            context,
            gate: None,
        }
    }

    fn configure(&mut self, octets: &[u8]) -> bool {
        match configuration::read(octets) {
            Ok(policy) => {
                self.gate = Some(Rc::new(Gate::new(self.context, policy)));
                true
            }
            Err(invalid) => {
                for line in invalid.to_string().lines() {
                    host::log(Level::Error, &format!("scopegate: policy: {line}"));
                }
                false
            }
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize, _: usize) {
        let Some(gate) = &self.gate else { return };
        let ended = gate.waiting.borrow_mut().ended(token);
        // A fetch that was given up before: its waiters have their answer.
        let Some(fetch) = ended else { return };
        attend(gate, |gate, now| {
            let outcome = key_call::read(headers, body_size);
            conclude(gate, &fetch.request, outcome, now);
        });
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let octets = match size {
            0 => Ok(Vec::new()),
            size => host::buffer(Buffer::PluginConfiguration, size),
        };
        match octets {
            Ok(octets) => self.configure(&octets),
            Err(error) => {
                host::log(
                    Level::Error,
                    &format!("scopegate: policy: cannot be read: {error}"),
                );
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let Some(gate) = &self.gate else { return };
        attend(gate, |gate, now| {
            let wanted = gate.waiting.borrow_mut().take_wanted();
            for request in wanted {
                fetch(gate, request, now);
            }
            let overdue = gate.waiting.borrow_mut().take_overdue_fetches(now);
            for fetch in overdue {
                conclude(gate, &fetch.request, Err(FetchFailure::Timeout), now);
            }
            gate.waiting.borrow_mut().release_overdue(now);
        });
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context, self.gate.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Does the root's work, answers those who are ready, and sees to it that it is called again in time.
fn attend(gate: &Gate, work: impl FnOnce(&Gate, Timestamp)) {
    let attended = host::now().and_then(|now| {
        work(gate, now);
        // Taken out first: what happens to one of them must not meet a borrowed queue.
        let ready = gate.waiting.borrow_mut().take_ready();
        for waiter in ready {
            decide_again(gate, waiter, now);
        }
        // That has moved the effective context from request to request.
        host::set_effective_context(gate.root)?;
        let period = gate.waiting.borrow().next_tick(now);
        host::set_tick_period(period)
    });
    if let Err(error) = attended {
        gate.waiting.borrow_mut().unwant_all();
        host::log(
            Level::Error,
            &format!("scopegate: keys are not attended to: {error}"),
        );
    }
}

/// Begins a fetch.
fn fetch(gate: &Gate, request: KeyRequest, now: Timestamp) {
    match key_call::dispatch(gate, &request) {
        Ok(token) => gate.waiting.borrow_mut().began(request, token, now),
        Err(error) => {
            let name = gate.issuer_name(request.issuer);
            let line = format!(
                "scopegate: keys of `{name}`: the fetch did not begin: {error} \
                 (2: Envoy has no such cluster; 10: the cluster has no host)"
            );
            host::log(Level::Warn, &line);
            conclude(gate, &request, Err(FetchFailure::Unreachable), now);
        }
    }
}

/// Hands the outcome of a fetch to the core; everyone who waited for it can be answered.
fn conclude(
    gate: &Gate,
    request: &KeyRequest,
    outcome: Result<KeyAnswer, FetchFailure>,
    now: Timestamp,
) {
    let report = gate.install(request, outcome, now);
    let name = gate.issuer_name(request.issuer);
    gate.counters.key_fetch(name, report);
    let level = match report {
        FetchReport::Discovered | FetchReport::Installed { .. } => Level::Info,
        FetchReport::Failed(_) => Level::Warn,
    };
    host::log(
        level,
        &format!(
            "scopegate: keys of `{name}`: {}: {report}",
            request.location
        ),
    );
    if let Some(next) = gate.under_way(request.issuer, now) {
        // Metadata was a step on the way: those who wait go on to wait for the keys.
        return fetch(gate, next, now);
    }
    gate.waiting.borrow_mut().release(request.issuer);
}

/// Asks the core the same question once more, and acts on the waiter's own context.
fn decide_again(gate: &Gate, waiter: Waiter, now: Timestamp) {
    waiter.progress.set(Progress::Held);
    if host::set_effective_context(waiter.context).is_err() {
        // The client left, and its context is gone.
        return;
    }
    let needed = match gate.decide(&waiter.request, now) {
        Decision::Allow(allowed) => return let_pass(gate, &waiter, &allowed),
        Decision::Deny(denied) => return answer::deny(gate, &waiter.request, &denied),
        Decision::NeedKeys(needed) => needed,
    };
    if waiter.is_overdue(now) {
        return answer::deny(gate, &waiter.request, &needed.give_up());
    }
    // Keys may come in more than one step; the deadline stays the first one's.
    gate.waiting.borrow_mut().want(needed.keys.clone());
    let joined = gate.waiting.borrow_mut().join(waiter, &needed.keys, now);
    if let Err(Full(waiter)) = joined {
        answer::deny(gate, &waiter.request, &needed.give_up());
    }
}

/// Lets a waiter go on, its headers changed.
fn let_pass(gate: &Gate, waiter: &Waiter, allowed: &Allow<'_, '_>) {
    if let Some(wanted) = &allowed.fetch {
        gate.waiting.borrow_mut().want(wanted.clone());
    }
    let passed = answer::allow(gate, allowed).and_then(|()| {
        waiter.progress.set(Progress::Passed);
        host::resume_request()
    });
    if let Err(error) = passed {
        waiter.progress.set(Progress::Held);
        answer::deny_broken(gate, error);
    }
}
