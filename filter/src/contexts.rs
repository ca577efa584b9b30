//! The contexts of one VM: the roots, one for each configured filter, and the requests of each.
//!
//! Envoy names every context by a number, and tells the number of its root when it creates one. A number that it never
//! created belongs to nobody: what it asks for is refused.

use std::collections::BTreeMap;

/// What Envoy does with a request next (`proxy_action_t` of ABI 0.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Action {
    /// It goes on.
    Continue = 0,
    /// It stays where it is.
    Pause = 1,
}

/// The context of one configured filter.
pub(crate) trait RootContext {
    type Stream: StreamContext;

    fn new(context: u32) -> Self;
    /// A policy of that many octets has come. Says whether it is taken over.
    fn on_configure(&mut self, size: usize) -> bool;
    fn on_tick(&mut self);
    /// An answer to a call of this context's, with that many headers and octets of content.
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize);
    /// Another policy has taken over, and the last request of this one has ended.
    fn on_done(&mut self);
    /// The context of a request.
    fn stream(&self, context: u32) -> Self::Stream;
}

/// The context of one request.
pub(crate) trait StreamContext {
    fn on_request_headers(&mut self) -> Action;
    fn on_request_body(&mut self) -> Action;
    fn on_request_trailers(&mut self) -> Action;
    /// The client has its answer, or has left.
    fn on_done(&mut self);
}

/// All contexts of a VM.
pub(crate) struct Contexts<R: RootContext> {
    roots: BTreeMap<u32, R>,
    streams: BTreeMap<u32, R::Stream>,
}

impl<R: RootContext> Contexts<R> {
    pub(crate) const fn new() -> Self {
        Self {
            roots: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }

    /// Envoy has created a context: a request of that root's, or a root where `root` is 0.
    pub(crate) fn create(&mut self, context: u32, root: u32) {
        if root == 0 {
            self.roots.insert(context, R::new(context));
        } else if let Some(root) = self.roots.get(&root) {
            self.streams.insert(context, root.stream(context));
        }
    }

    pub(crate) fn root(&mut self, context: u32) -> Option<&mut R> {
        self.roots.get_mut(&context)
    }

    pub(crate) fn stream(&mut self, context: u32) -> Option<&mut R::Stream> {
        self.streams.get_mut(&context)
    }

    /// Envoy is done with a context.
    pub(crate) fn end(&mut self, context: u32) {
        if let Some(mut stream) = self.streams.remove(&context) {
            stream.on_done();
        } else if let Some(mut root) = self.roots.remove(&context) {
            root.on_done();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    type Told = Rc<RefCell<Vec<String>>>;

    struct Root {
        context: u32,
        told: Told,
    }

    struct Stream {
        name: String,
        told: Told,
    }

    impl RootContext for Root {
        type Stream = Stream;

        fn new(context: u32) -> Self {
            let told = Told::default();
            Self { context, told }
        }

        fn on_configure(&mut self, size: usize) -> bool {
            size > 0
        }

        fn on_tick(&mut self) {}

        fn on_http_call_response(&mut self, _: u32, _: usize, _: usize) {}

        fn on_done(&mut self) {
            self.told.borrow_mut().push(format!("end {}", self.context));
        }

        fn stream(&self, context: u32) -> Stream {
            Stream {
                name: format!("{context} of {}", self.context),
                told: Rc::clone(&self.told),
            }
        }
    }

    impl StreamContext for Stream {
        fn on_request_headers(&mut self) -> Action {
            Action::Continue
        }

        fn on_request_body(&mut self) -> Action {
            Action::Continue
        }

        fn on_request_trailers(&mut self) -> Action {
            Action::Continue
        }

        fn on_done(&mut self) {
            self.told.borrow_mut().push(format!("end {}", self.name));
        }
    }

    #[test]
    fn a_request_belongs_to_its_root_until_it_ends() {
        let mut contexts: Contexts<Root> = Contexts::new();
        for (context, root) in [(1, 0), (2, 0), (3, 1), (4, 2)] {
            contexts.create(context, root);
        }
        let told = [1, 2].map(|root| Rc::clone(&contexts.root(root).unwrap().told));
        let name = |contexts: &mut Contexts<Root>, context| {
            contexts.stream(context).map(|stream| stream.name.clone())
        };
        assert_eq!(name(&mut contexts, 3).as_deref(), Some("3 of 1"));
        assert_eq!(name(&mut contexts, 4).as_deref(), Some("4 of 2"));
        for context in [3, 3, 1] {
            contexts.end(context);
        }
        assert_eq!(name(&mut contexts, 3), None);
        assert!(contexts.root(1).is_none() && contexts.root(2).is_some());
        assert_eq!(*told[0].borrow(), ["end 3 of 1", "end 1"]);
        assert_eq!(*told[1].borrow(), [""; 0]);
    }

    #[test]
    fn a_context_without_a_root_is_none() {
        let mut contexts: Contexts<Root> = Contexts::new();
        contexts.create(1, 0);
        contexts.create(2, 7);
        assert!(contexts.stream(2).is_none());
        assert!(contexts.stream(1).is_none());
        assert!(contexts.root(2).is_none());
        contexts.end(9);
        assert!(contexts.root(1).is_some());
    }
}
