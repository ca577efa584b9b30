//! A request's content on its way to the upstream: chunk by chunk, with its trailers, never as a whole.
//!
//! The platform could splice the two streams, and would then pass the client's trailers on as they are. They must not: some servers
//! merge trailers with header fields, so what is identity or credential in them is taken away here.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use scopegate_core::{Policy, forbidden_trailers};
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Trailers};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};

use crate::fields;
use crate::gate::Gate;
use crate::host;

/// How much is on its way at one time.
const CHUNK: usize = 64 * 1024;

/// What a request carries besides its header.
pub(crate) struct Content {
    /// Nothing for a request without content: to an upstream that is not the same as content of no octets.
    pub(crate) stream: Option<StreamReader<u8>>,
    pub(crate) trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    pub(crate) progress: Progress,
}

/// Since when it is the upstream that everything waits for; nothing while the client is still sending.
#[derive(Clone, Default)]
pub(crate) struct Progress(Rc<Cell<Option<Duration>>>);

impl Progress {
    /// Ends when the upstream has kept everything waiting for that long.
    #[cfg(not(feature = "middleware"))]
    pub(crate) async fn overdue(&self, limit: Duration) {
        loop {
            let waited = self
                .0
                .get()
                .map(|since| host::elapsed().saturating_sub(since));
            match waited.unwrap_or_default() {
                waited if waited >= limit => return,
                waited => host::sleep(limit.saturating_sub(waited)).await,
            }
        }
    }

    fn on_client(&self) {
        self.0.set(None);
    }

    fn on_upstream(&self) {
        self.0.set(Some(host::elapsed()));
    }
}

/// Takes the content out of a request, and sees to it that it flows.
///
/// `length` is the request's own `Content-Length`. Without one, only the stream tells whether there is content: then this waits
/// for the first of it.
pub(crate) async fn take(gate: Rc<Gate>, request: Request, length: Option<&[u8]>) -> Content {
    let (handled, result) = wit_future::new(|| Ok(()));
    drop(handled);
    let (mut incoming, trailers) = Request::consume_body(request, result);
    let first = match length {
        Some(b"0") => None,
        Some(_) => Some(Vec::new()),
        None => read(&mut incoming).await,
    };
    let progress = Progress::default();
    let (trailer_writer, trailer_reader) = wit_future::new(|| Ok(None));
    let (writer, stream) = match first {
        None => (None, None),
        Some(first) => {
            let (writer, stream) = wit_stream::new();
            (Some((writer, first)), Some(stream))
        }
    };
    let following = progress.clone();
    host::spawn(async move {
        if let Some((writer, first)) = writer {
            pump(incoming, first, writer, &following).await;
        }
        let trailers = trailers
            .await
            .map(|trailers| trailers.and_then(|trailers| permitted(&gate.policy, &trailers)));
        following.on_upstream();
        // Nobody reads them where the upstream has answered already.
        let _ = trailer_writer.write(trailers).await;
    });
    Content {
        stream,
        trailers: trailer_reader,
        progress,
    }
}

/// The next octets; nothing at the end.
async fn read(incoming: &mut StreamReader<u8>) -> Option<Vec<u8>> {
    loop {
        match incoming.read(Vec::with_capacity(CHUNK)).await {
            (StreamResult::Complete(_), chunk) if chunk.is_empty() => {}
            (StreamResult::Complete(_), chunk) => return Some(chunk),
            (StreamResult::Dropped | StreamResult::Cancelled, chunk) => {
                return (!chunk.is_empty()).then_some(chunk);
            }
        }
    }
}

async fn pump(
    mut incoming: StreamReader<u8>,
    first: Vec<u8>,
    mut outgoing: StreamWriter<u8>,
    progress: &Progress,
) {
    let mut chunk = Some(first);
    while let Some(octets) = chunk {
        progress.on_upstream();
        let unwritten = outgoing.write_all(octets).await;
        if !unwritten.is_empty() {
            // The upstream wants no more: what is left of the client's content is not asked for.
            return;
        }
        progress.on_client();
        chunk = read(&mut incoming).await;
    }
}

/// Trailers without what must not be in them.
fn permitted(policy: &Policy, trailers: &Trailers) -> Option<Trailers> {
    let mut all = trailers.copy_all();
    fields::strip_hop_by_hop(&mut all);
    all.retain(|(name, _)| !fields::is_forwarded(name) && !fields::is_of_spin(name));
    let names = all.iter().map(|(name, _)| name.as_bytes());
    let forbidden: Vec<Vec<u8>> = forbidden_trailers(policy, names)
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    all.retain(|(name, _)| !forbidden.iter().any(|known| known == name.as_bytes()));
    Fields::from_list(&all).ok()
}
