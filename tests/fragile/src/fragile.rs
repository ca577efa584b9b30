//! The filter's contexts, with a way to die: `x-trap: 0` traps before the filter sees the request, `x-trap: 2` in the second tick
//! of the root context from then on. In the first one the filter begins the fetch that the request waits for.

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use crate::root::Root;

/// The header that says after how many ticks the VM is to die.
const TRAP: &str = "x-trap";

/// How many ticks the VM has left, once a request has said so. Requests and the root context share it.
type TicksLeft = Rc<Cell<Option<u32>>>;

/// The filter's root context.
pub(crate) struct FragileRoot {
    root: Root,
    ticks_left: TicksLeft,
}

/// The filter's context of one request.
struct FragileStream {
    stream: Box<dyn HttpContext>,
    ticks_left: TicksLeft,
}

impl FragileRoot {
    pub(crate) fn new(context: u32) -> Self {
        Self {
            root: Root::new(context),
            ticks_left: TicksLeft::default(),
        }
    }
}

impl RootContext for FragileRoot {
    fn on_configure(&mut self, size: usize) -> bool {
        self.root.on_configure(size)
    }

    fn on_tick(&mut self) {
        let left = self.ticks_left.get().map(|left| left.saturating_sub(1));
        self.ticks_left.set(left);
        die_if_due(&self.ticks_left);
        self.root.on_tick();
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        let stream = self.root.create_http_context(context)?;
        Some(Box::new(FragileStream {
            stream,
            ticks_left: Rc::clone(&self.ticks_left),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        self.root.get_type()
    }
}

impl Context for FragileRoot {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        self.root
            .on_http_call_response(token, headers, body, trailers);
    }

    fn on_done(&mut self) -> bool {
        self.root.on_done()
    }
}

impl HttpContext for FragileStream {
    fn on_http_request_headers(&mut self, headers: usize, is_whole: bool) -> Action {
        if let Some(ticks) = self.get_http_request_header(TRAP) {
            self.ticks_left.set(ticks.parse().ok());
            die_if_due(&self.ticks_left);
        }
        self.stream.on_http_request_headers(headers, is_whole)
    }

    fn on_http_request_body(&mut self, size: usize, is_whole: bool) -> Action {
        self.stream.on_http_request_body(size, is_whole)
    }

    fn on_http_request_trailers(&mut self, trailers: usize) -> Action {
        self.stream.on_http_request_trailers(trailers)
    }
}

impl Context for FragileStream {
    fn on_done(&mut self) -> bool {
        self.stream.on_done()
    }
}

/// A trap, as a panic of the shipped filter ends in one.
fn die_if_due(ticks_left: &TicksLeft) {
    if ticks_left.get() == Some(0) {
        std::process::abort();
    }
}
