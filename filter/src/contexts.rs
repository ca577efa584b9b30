//! The contexts of one VM: the roots, one for each configured filter, and the requests of each.
//!
//! Envoy names every context by a number. A root is known since it was configured; a request since its headers came, and only for as long as its
//! body or its trailers may follow, or it is held. What comes of a request that is not known is refused.

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

/// Which root a request belongs to, as the host knows it.
pub(crate) trait Marks {
    /// Why the host did not say.
    type Error;

    /// Marks the root that is being configured.
    fn leave(&self, root: u32) -> Result<(), Self::Error>;
    /// The root that the request at hand belongs to, if that one was marked.
    fn read(&self) -> Result<Option<u32>, Self::Error>;
}

/// All contexts of a VM.
pub(crate) struct Contexts<R: RootContext> {
    roots: BTreeMap<u32, R>,
    /// Requests of which there is more to come, or that are held.
    streams: BTreeMap<u32, R::Stream>,
}

impl<R: RootContext> Contexts<R> {
    pub(crate) const fn new() -> Self {
        Self {
            roots: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }

    /// Envoy has a policy of `size` octets for a root. Says whether it is taken over.
    pub(crate) fn configure<M: Marks>(
        &mut self,
        context: u32,
        size: usize,
        marks: &M,
    ) -> Result<bool, M::Error> {
        if !self.roots.contains_key(&context) {
            // Also where it is alone, and may stay so: a worker that cannot take a second policy when it comes loses its VM, but a
            // host that refuses the mark of the first one is found out before anything serves.
            marks.leave(context)?;
        }
        let root = self.roots.entry(context);
        Ok(root.or_insert_with(|| R::new(context)).on_configure(size))
    }

    pub(crate) fn root(&mut self, context: u32) -> Option<&mut R> {
        self.roots.get_mut(&context)
    }

    /// A request has come. Its context is kept for as long as there is anything to keep: `ends` says that its headers are all there is of it.
    ///
    /// Nothing where it belongs to no root.
    pub(crate) fn request<M: Marks>(
        &mut self,
        context: u32,
        ends: bool,
        marks: &M,
    ) -> Result<Option<Action>, M::Error> {
        let Some(root) = self.root_of_request(marks)? else {
            return Ok(None);
        };
        let mut stream = root.stream(context);
        let action = stream.on_request_headers();
        if !ends || action == Action::Pause {
            self.streams.insert(context, stream);
        }
        Ok(Some(action))
    }

    fn root_of_request<M: Marks>(&self, marks: &M) -> Result<Option<&R>, M::Error> {
        if let (1, Some((_, only))) = (self.roots.len(), self.roots.first_key_value()) {
            return Ok(Some(only));
        }
        let root = marks.read()?;
        Ok(root.and_then(|root| self.roots.get(&root)))
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
        /// Requests of odd numbers are held.
        fn on_request_headers(&mut self) -> Action {
            self.told.borrow_mut().push(self.name.clone());
            match self.name.split_once(' ') {
                Some((number, _)) if number.ends_with(['1', '3', '5', '7', '9']) => Action::Pause,
                _ => Action::Continue,
            }
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

    /// A host that reads the same mark each time, or fails.
    struct Host(Result<Option<u32>, &'static str>);

    impl Marks for Host {
        type Error = &'static str;

        fn leave(&self, _: u32) -> Result<(), &'static str> {
            self.0.map(|_| ())
        }

        fn read(&self) -> Result<Option<u32>, &'static str> {
            self.0
        }
    }

    const FAILING: Host = Host(Err("no such function"));
    const UNMARKED: Host = Host(Ok(None));

    fn roots(numbers: &[u32]) -> Contexts<Root> {
        let mut contexts = Contexts::new();
        for root in numbers {
            assert_eq!(contexts.configure(*root, 9, &UNMARKED), Ok(true));
        }
        contexts
    }

    fn told(contexts: &mut Contexts<Root>, root: u32) -> Vec<String> {
        contexts.root(root).unwrap().told.take()
    }

    #[test]
    fn the_only_root_has_all_requests_whatever_their_mark() {
        let mut contexts = Contexts::new();
        assert_eq!(contexts.request(2, true, &UNMARKED), Ok(None));
        assert_eq!(contexts.configure(1, 0, &UNMARKED), Ok(false));
        // It has its mark since.
        assert_eq!(contexts.configure(1, 9, &FAILING), Ok(true));
        let passed = Ok(Some(Action::Continue));
        assert_eq!(contexts.request(2, true, &FAILING), passed);
        assert_eq!(told(&mut contexts, 1), ["2 of 1"]);
    }

    #[test]
    fn a_request_belongs_to_the_root_whose_mark_it_bears() {
        let mut contexts = roots(&[1, 2]);
        let passed = Ok(Some(Action::Continue));
        for mark in [1, 2, 1] {
            assert_eq!(contexts.request(4, true, &Host(Ok(Some(mark)))), passed);
        }
        assert_eq!(told(&mut contexts, 1), ["4 of 1", "4 of 1"]);
        assert_eq!(told(&mut contexts, 2), ["4 of 2"]);
        for mark in [Some(3), None] {
            assert_eq!(contexts.request(4, true, &Host(Ok(mark))), Ok(None));
        }
        assert!(contexts.request(4, true, &FAILING).is_err());
    }

    #[test]
    fn a_root_that_cannot_be_marked_is_not_taken() {
        for first in [&[][..], &[1]] {
            let mut contexts = roots(first);
            assert!(contexts.configure(3, 9, &FAILING).is_err());
            assert!(contexts.root(3).is_none());
        }
    }

    #[test]
    fn a_request_is_kept_while_more_may_come_of_it_or_it_is_held() {
        let mut contexts = roots(&[1]);
        for (context, ends, is_kept) in [
            (2, true, false),
            (4, false, true),
            (3, true, true),
            (5, false, true),
        ] {
            assert!(contexts.request(context, ends, &FAILING).is_ok());
            assert_eq!(contexts.stream(context).is_some(), is_kept, "{context}");
        }
        contexts.root(1).unwrap().told.take();
        for context in [2, 3, 3, 4, 9] {
            contexts.end(context);
            assert!(contexts.stream(context).is_none());
        }
        assert_eq!(told(&mut contexts, 1), ["end 3 of 1", "end 4 of 1"]);
        let told = Rc::clone(&contexts.root(1).unwrap().told);
        contexts.end(1);
        assert!(contexts.root(1).is_none());
        assert_eq!(told.take(), ["end 1"]);
    }
}
