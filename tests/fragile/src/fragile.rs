//! The filter's contexts, with a way to die: `x-trap: 0` traps before the filter sees the request, `x-trap: 2` in the second tick
//! of the root context from then on. In the first one the filter begins the fetch that the request waits for.

use std::cell::Cell;
use std::rc::Rc;

use crate::contexts::{Action, RootContext, StreamContext};
use crate::host::{self, HeaderMap};
use crate::root::Root;
use crate::stream::Stream;

/// The header that says after how many ticks the VM is to die.
const TRAP: &[u8] = b"x-trap";

/// How many ticks the VM has left, once a request has said so. Requests and the root context share it.
type TicksLeft = Rc<Cell<Option<u32>>>;

/// The filter's root context.
pub(crate) struct FragileRoot {
    root: Root,
    ticks_left: TicksLeft,
}

/// The filter's context of one request.
pub(crate) struct FragileStream {
    stream: Stream,
    ticks_left: TicksLeft,
}

impl RootContext for FragileRoot {
    type Stream = FragileStream;

    fn new(context: u32) -> Self {
        Self {
            root: Root::new(context),
            ticks_left: TicksLeft::default(),
        }
    }

    fn on_configure(&mut self, size: usize) -> bool {
        self.root.on_configure(size)
    }

    fn on_tick(&mut self) {
        let left = self.ticks_left.get().map(|left| left.saturating_sub(1));
        self.ticks_left.set(left);
        die_if_due(&self.ticks_left);
        self.root.on_tick();
    }

    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize) {
        self.root.on_http_call_response(token, headers, body_size);
    }

    fn on_done(&mut self) {
        self.root.on_done();
    }

    fn stream(&self, context: u32) -> FragileStream {
        FragileStream {
            stream: self.root.stream(context),
            ticks_left: Rc::clone(&self.ticks_left),
        }
    }
}

impl StreamContext for FragileStream {
    fn on_request_headers(&mut self) -> Action {
        let fields = host::fields(HeaderMap::Request).ok();
        let ticks = fields.as_ref().and_then(|fields| fields.value(TRAP));
        if let Some(ticks) = ticks {
            let ticks = str::from_utf8(ticks).ok();
            self.ticks_left
                .set(ticks.and_then(|ticks| ticks.parse().ok()));
            die_if_due(&self.ticks_left);
        }
        self.stream.on_request_headers()
    }

    fn on_request_body(&mut self) -> Action {
        self.stream.on_request_body()
    }

    fn on_request_trailers(&mut self) -> Action {
        self.stream.on_request_trailers()
    }

    fn on_done(&mut self) {
        self.stream.on_done();
    }
}

/// A trap, as a panic of the shipped filter ends in one.
fn die_if_due(ticks_left: &TicksLeft) {
    if ticks_left.get() == Some(0) {
        std::process::abort();
    }
}
