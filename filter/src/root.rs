//! The root context: takes over a policy, and is called by Envoy for all that no request of its own can do.

use std::rc::Rc;

use crate::configuration;
use crate::contexts::RootContext;
use crate::gate::Gate;
use crate::host::{self, Buffer, Level};
use crate::stream::Stream;
use crate::{key_call, upkeep};

/// The context of one configured filter.
pub(crate) struct Root {
    context: u32,
    gate: Option<Rc<Gate>>,
}

impl Root {
    fn configure(&mut self, octets: &[u8]) -> bool {
        match configuration::read(octets) {
            Ok(policy) => {
                let gate = Gate::new(self.context, policy);
                // The keys that an earlier policy, or a VM before this one, has left.
                upkeep::attend(&gate, |gate, now| {
                    upkeep::restore(gate, now);
                    upkeep::report(gate, now);
                });
                self.gate = Some(Rc::new(gate));
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

impl RootContext for Root {
    type Stream = Stream;

    fn new(context: u32) -> Self {
        Self {
            context,
            gate: None,
        }
    }

    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize) {
        let Some(gate) = &self.gate else { return };
        let ended = gate.waiting.borrow_mut().ended(token);
        // A fetch that was given up before: its waiters have their answer.
        let Some(fetch) = ended else { return };
        upkeep::attend(gate, |gate, now| {
            let outcome = key_call::read(headers, body_size);
            upkeep::conclude(gate, &fetch.request, outcome, now);
        });
    }

    fn on_done(&mut self) {
        if let Some(gate) = self.gate.take() {
            upkeep::end(&gate);
        }
    }

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
        upkeep::attend(gate, upkeep::tick);
    }

    fn stream(&self, context: u32) -> Stream {
        Stream::new(context, self.gate.clone())
    }
}
