//! Answering the requests that have waited: the same question once more, on each one's own context.

use scopegate_core::{Allow, Decision, Timestamp};

use crate::answer;
use crate::gate::Gate;
use crate::host;
use crate::waiting::{Full, Progress, Waiter};

/// Asks the core the same question once more, and acts on the waiter's own context.
pub(crate) fn decide_again(gate: &Gate, waiter: Waiter, now: Timestamp) {
    waiter.progress.set(Progress::Held);
    if host::set_effective_context(waiter.context).is_err() {
        // The client left, and its context is gone.
        return;
    }
    let request = waiter.asked.request();
    let needed = match gate.decide(&request, now) {
        Decision::Allow(allowed) => return let_pass(gate, &waiter, &allowed),
        Decision::Deny(denied) => return answer::deny(gate, &request, &denied),
        Decision::NeedKeys(needed) => needed,
    };
    if waiter.is_overdue(now) {
        return answer::deny(gate, &request, &needed.give_up());
    }
    drop(request);
    // Keys may come in more than one step; the deadline stays the first one's.
    gate.waiting.borrow_mut().want(needed.keys.clone());
    let joined = gate.waiting.borrow_mut().join(waiter, &needed.keys, now);
    if let Err(Full(waiter)) = joined {
        answer::deny(gate, &waiter.asked.request(), &needed.give_up());
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
