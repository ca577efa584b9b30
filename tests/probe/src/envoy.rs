//! The probe as a filter in Envoy: a POST with a [`Question`], the answers of both verifiers back.

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType};
use scopegate_core::{Policy, Portable};
use serde_json::json;

use crate::counters::Counters;
use crate::question::{POLICY, Question, ask};
use crate::verifier::HostVerifier;

/// Where Envoy enters the VM. The SDK's macro exports a function, which counts as unsafe code.
mod entry {
    #![allow(unsafe_code)]

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Root { verifier: None }));
    }}
}

struct Root {
    verifier: Option<Rc<HostVerifier>>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        // The counters of a policy tell which verifier answered.
        let counters = Policy::parse(POLICY).map(|policy| Counters::define(&policy));
        self.verifier = counters
            .ok()
            .map(|counters| Rc::new(HostVerifier::new(Rc::new(counters))));
        self.verifier.is_some()
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let verifier = self.verifier.clone()?;
        Some(Box::new(Stream { verifier }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    verifier: Rc<HostVerifier>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, is_whole: bool) -> Action {
        if !is_whole {
            return Action::Pause;
        }
        let body = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, size)
            .ok()
            .flatten()
            .unwrap_or_default();
        let (status, answer) = match self.answers(&body) {
            Ok(answer) => (200, answer),
            Err(error) => (400, error),
        };
        // When this fails nobody is answered, and the test says so.
        let _ = hostcalls::send_http_response(status, vec![], Some(answer.as_bytes()));
        Action::Pause
    }
}

impl Stream {
    fn answers(&self, body: &[u8]) -> Result<String, String> {
        let question: Question = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let host = ask(&question, &*self.verifier)?;
        let portable = ask(&question, &Portable)?;
        Ok(json!({ "host": host, "portable": portable }).to_string())
    }
}
