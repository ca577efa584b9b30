//! The key-value store, where instances leave an issuer's keys for each other. A cache, never an authority.

use std::rc::Rc;
use std::time::Duration;

use scopegate_core::IssuerId;
use spin_sdk::key_value::Error;

use crate::gate::Gate;
use crate::host;

/// How long the store may take. It saves a fetch, which is no use if it takes as long as one.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Takes from the store what this instance does not know yet, and says whether there was any. Nothing for a store that cannot be read, or
/// for keys of a file, which every instance can read for itself.
pub(crate) async fn restore(gate: &Gate, issuer: IssuerId) -> Option<bool> {
    let name = gate.keys.borrow().record_name(issuer, "")?;
    let read = async { host::store().await?.get(name).await };
    let record = in_time("read", read).await?.unwrap_or_default();
    let (mut keys, mut tokens) = (gate.keys.borrow_mut(), gate.tokens.borrow_mut());
    Some(keys.restore(&mut tokens, issuer, &record, host::now()))
}

/// Leaves what is known now for other instances, behind the requests that wait. What these have left since is taken in first: a failure
/// must not take the place of keys.
pub(crate) async fn leave(gate: Rc<Gate>, issuer: IssuerId) {
    if restore(&gate, issuer).await.is_none() && gate.keys.borrow().has_failed(issuer) {
        return;
    }
    let name = gate.keys.borrow().record_name(issuer, "");
    let record = name.zip(gate.keys.borrow().record(issuer));
    if let Some((name, record)) = record {
        let write = async { host::store().await?.set(name, record).await };
        in_time("written", write).await.unwrap_or_default();
    }
}

/// What the store says in time. What it does not say is worth a line in the log, and no more.
async fn in_time<T>(done: &str, work: impl Future<Output = Result<T, Error>>) -> Option<T> {
    let said = host::within(TIMEOUT, work).await;
    let said = said.unwrap_or_else(|| Err(Error::Other("no answer in time".to_owned())));
    let tell = |problem| host::log(&format!("the key-value store cannot be {done}: {problem}"));
    said.map_err(tell).ok()
}
