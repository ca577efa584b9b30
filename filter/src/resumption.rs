//! Answering the requests that have waited: the same question once more, on each one's own context.

use std::rc::Rc;

use scopegate_core::{Allow, Decision, Request, Timestamp};

use crate::answer;
use crate::gate::Gate;
use crate::host::{self, HostError};
use crate::waiting::{Full, Progress, Waiter};

/// Asks the core the same question once more, and acts on the waiter's own context.
pub(crate) fn decide_again(gate: &Gate, waiter: Waiter, now: Timestamp) {
    let progress = Rc::clone(&waiter.progress);
    progress.set(Progress::Held);
    if host::set_effective_context(waiter.context).is_err() {
        // The client left, and its context is gone.
        return;
    }
    if let Err(error) = judge(gate, waiter, now) {
        progress.set(Progress::Held);
        answer::deny_broken(gate, error);
    }
}

fn judge(gate: &Gate, waiter: Waiter, now: Timestamp) -> Result<(), HostError> {
    let mut request = Request::empty();
    waiter.asked.fill(&mut request)?;
    let needed = match gate.decide(&request, now) {
        Decision::Allow(allowed) => return let_pass(gate, &waiter, &allowed),
        Decision::Deny(denied) => {
            answer::deny(gate, &request, &denied);
            return Ok(());
        }
        Decision::NeedKeys(needed) => needed,
    };
    if waiter.is_overdue(now) {
        answer::deny(gate, &request, &needed.give_up());
        return Ok(());
    }
    drop(request);
    // Keys may come in more than one step; the deadline stays the first one's.
    gate.waiting.borrow_mut().want(needed.keys.clone());
    let joined = gate.waiting.borrow_mut().join(waiter, &needed.keys, now);
    if let Err(Full(waiter)) = joined {
        let mut request = Request::empty();
        waiter.asked.fill(&mut request)?;
        answer::deny(gate, &request, &needed.give_up());
    }
    Ok(())
}

/// Lets a waiter go on, its headers changed.
fn let_pass(gate: &Gate, waiter: &Waiter, allowed: &Allow<'_, '_>) -> Result<(), HostError> {
    if let Some(wanted) = &allowed.fetch {
        gate.waiting.borrow_mut().want(wanted.clone());
    }
    answer::allow(gate, allowed)?;
    waiter.progress.set(Progress::Passed);
    host::resume_request()
}
