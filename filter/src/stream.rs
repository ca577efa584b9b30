//! One request: read once, decided, and let pass, refused or made to wait.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use scopegate_core::{
    Decision, IssuerId, KeyRequest, NeedKeys, Request, Timestamp, forbidden_trailers,
};

use crate::answer;
use crate::asked::Asked;
use crate::contexts::{Action, StreamContext};
use crate::gate::Gate;
use crate::host::{self, HeaderMap, HostError, Level};
use crate::waiting::{Full, Progress, Waiter};

/// The context of one request.
pub(crate) struct Stream {
    context: u32,
    /// Nothing when the root context has no policy, where Envoy should not have created a request.
    gate: Option<Rc<Gate>>,
    progress: Cell<Progress>,
    /// Instead of that, once the request has begun to wait: its place in the queue knows it too. Few requests wait, and the others need no memory
    /// for it.
    shared_progress: OnceCell<Rc<Cell<Progress>>>,
}

impl Stream {
    pub(crate) fn new(context: u32, gate: Option<Rc<Gate>>) -> Self {
        Self {
            context,
            gate,
            progress: Cell::new(Progress::Held),
            shared_progress: OnceCell::new(),
        }
    }

    fn progress(&self) -> &Cell<Progress> {
        let shared = self.shared_progress.get();
        shared.map_or(&self.progress, |shared| shared.as_ref())
    }

    fn judge(&self, gate: &Gate) -> Result<(), HostError> {
        let asked = Asked::read()?;
        let mut request = Request::empty();
        asked.fill(&mut request)?;
        let now = host::now()?;
        let needed = match gate.decide(&request, now) {
            Decision::Allow(ref mut allowed) => {
                answer::allow(gate, allowed)?;
                self.progress().set(Progress::Passed);
                if let Some(wanted) = allowed.fetch.take() {
                    self.fetch_behind(gate, wanted);
                }
                return Ok(());
            }
            Decision::Deny(ref denied) => {
                answer::deny(gate, &request, denied);
                return Ok(());
            }
            Decision::NeedKeys(needed) => needed,
        };
        drop(request);
        self.wait(gate, asked, needed, now)
    }

    /// Puts the request into the root's queue.
    fn wait(
        &self,
        gate: &Gate,
        asked: Asked,
        needed: NeedKeys<'_>,
        now: Timestamp,
    ) -> Result<(), HostError> {
        let progress = self.shared_progress.get_or_init(Rc::default);
        let waiter = Waiter {
            context: self.context,
            asked,
            progress: Rc::clone(progress),
            deadline: None,
        };
        // Wanted whether there is a place to wait or not: a full queue must not keep the keys from coming.
        let is_new = gate.waiting.borrow_mut().want(needed.keys.clone());
        let joined = gate.waiting.borrow_mut().join(waiter, &needed.keys, now);
        gate.publish_waiting();
        if is_new {
            self.wake_root(gate, needed.keys.issuer)?;
        }
        if let Err(Full(waiter)) = joined {
            let mut request = Request::empty();
            waiter.asked.fill(&mut request)?;
            answer::deny(gate, &request, &needed.give_up());
        }
        Ok(())
    }

    /// Keys that will soon be too old, and in shadow mode those that are not there, are fetched without anybody waiting
    /// for them or being refused for want of them.
    fn fetch_behind(&self, gate: &Gate, wanted: KeyRequest) {
        let issuer = wanted.issuer;
        let is_new = gate.waiting.borrow_mut().want(wanted);
        if is_new && let Err(error) = self.wake_root(gate, issuer) {
            host::log(
                Level::Warn,
                &format!("scopegate: keys are not fetched: {error}"),
            );
        }
    }

    /// Has the root context called at once: only what it dispatches outlives the client of this request.
    ///
    /// Only the first who wants something wakes it. Each call starts Envoy's timer anew, so that a stream of requests
    /// less than a millisecond apart would put the tick off for ever.
    fn wake_root(&self, gate: &Gate, wanted: IssuerId) -> Result<(), HostError> {
        let woken = host::set_effective_context(gate.root).and_then(|()| {
            let woken = host::set_tick_period(1);
            host::set_effective_context(self.context)?;
            woken
        });
        if woken.is_err() {
            // The next who wants it must try again.
            gate.waiting.borrow_mut().unwant(wanted);
        }
        woken
    }

    fn leave_queue(&self) {
        if let (Progress::Waiting, Some(gate)) = (self.progress().get(), &self.gate) {
            gate.waiting.borrow_mut().leave(self.context);
            gate.publish_waiting();
            self.progress().set(Progress::Held);
        }
    }

    /// Whether the body and the trailers may go on.
    fn action(&self) -> Action {
        match self.progress().get() {
            Progress::Passed => Action::Continue,
            Progress::Held | Progress::Waiting => Action::Pause,
        }
    }
}

impl StreamContext for Stream {
    fn on_done(&mut self) {
        self.leave_queue();
    }

    fn on_request_headers(&mut self) -> Action {
        match &self.gate {
            None => answer::deny_unconfigured(),
            Some(gate) => {
                if let Err(error) = self.judge(gate) {
                    self.leave_queue();
                    self.progress().set(Progress::Held);
                    answer::deny_broken(gate, error);
                }
            }
        }
        self.action()
    }

    /// By default Envoy keeps the body back itself while the headers are paused. With the option
    /// `allow_on_headers_stop_iteration` it asks, and letting the body go on would let the headers go on too.
    fn on_request_body(&mut self) -> Action {
        self.action()
    }

    /// Trailers are a second place to claim an identity in: some servers merge them with the headers.
    fn on_request_trailers(&mut self) -> Action {
        if self.progress().get() == Progress::Held {
            // Refused before they came.
            return Action::Pause;
        }
        if let Some(gate) = &self.gate
            && let Err(error) = strip_trailers(gate)
        {
            self.leave_queue();
            self.progress().set(Progress::Held);
            answer::deny_broken(gate, error);
        }
        self.action()
    }
}

fn strip_trailers(gate: &Gate) -> Result<(), HostError> {
    let trailers = host::fields(HeaderMap::RequestTrailers)?;
    let names = trailers.iter().map(|(name, _)| name);
    for name in forbidden_trailers(&gate.policy, names) {
        host::remove_field(HeaderMap::RequestTrailers, name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::policy;

    /// Outside WebAssembly every host call fails, the reading of the request too.
    #[test]
    fn a_host_that_fails_lets_nothing_pass() {
        for gate in [None, Some(Rc::new(Gate::new(1, policy())))] {
            let mut stream = Stream::new(2, gate);
            assert_eq!(stream.on_request_body(), Action::Pause);
            assert_eq!(stream.on_request_headers(), Action::Pause);
            assert_eq!(stream.on_request_body(), Action::Pause);
            assert_eq!(stream.on_request_trailers(), Action::Pause);
            stream.on_done();
        }
    }

    #[test]
    fn trailers_that_cannot_be_stripped_do_not_pass() {
        let mut stream = Stream::new(2, Some(Rc::new(Gate::new(1, policy()))));
        stream.progress().set(Progress::Passed);
        assert_eq!(stream.on_request_body(), Action::Continue);
        assert_eq!(stream.on_request_trailers(), Action::Pause);
    }
}
