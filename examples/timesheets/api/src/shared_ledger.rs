//! One ledger for all requests. Each has its turn or is told soon that it has none.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{sleep, timeout_at};

use crate::answer::Refusal;
use crate::ledger::{Unfulfilled, fulfil};
use crate::sqlite_ledger::{Failure, SqliteLedger};
use crate::wish::Wish;

/// Somebody with `sqlite3` may hold the file for a moment. A request waits no longer than this for them and for other requests.
const PATIENCE: Duration = Duration::from_secs(2);

/// About as long as a change takes on a slow disk, and seldom enough that 500 requests that wait leave room for those that need not.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The ledger. Whoever waits for it holds no thread, only the connection on which its request came: the server has a limit of those.
#[derive(Debug)]
pub(crate) struct SharedLedger(Arc<Mutex<SqliteLedger>>);

impl SharedLedger {
    pub(crate) fn new(ledger: SqliteLedger) -> Self {
        Self(Arc::new(Mutex::new(ledger)))
    }

    /// Does what is wished. If it is refused for being busy, or dropped while it waits, it is not done later either.
    ///
    /// # Errors
    /// The API refuses it, it had no turn in time, or the ledger failed.
    pub(crate) async fn fulfil(&self, wish: Wish) -> Result<Response<String>, Refusal> {
        let deadline = sleep(PATIENCE).deadline();
        while let Ok(ledger) = timeout_at(deadline, Arc::clone(&self.0).lock_owned()).await {
            // Without a deadline: what has begun is done, and its client hears of it.
            match once(ledger, wish.clone()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Unfulfilled::Refused(refusal))) => return Err(refusal),
                // Waiting in here and not in SQLite, so that reading goes on meanwhile, and ends when the client does.
                Ok(Err(Unfulfilled::Failed(Failure::Busy))) => {
                    if timeout_at(deadline, sleep(BETWEEN_TRIES)).await.is_err() {
                        break;
                    }
                }
                Ok(Err(Unfulfilled::Failed(failure))) => {
                    eprintln!("timesheets: the database: {failure}");
                    return Err(Refusal::of_the_ledger());
                }
                // It panicked, and has printed why.
                Err(_) => return Err(Refusal::of_the_ledger()),
            }
        }
        eprintln!("timesheets: the database: {}", Failure::Busy);
        Err(Refusal::busy())
    }
}

/// On a thread that may wait for the disk. Every change is one statement: a thread that panics leaves nothing half done.
async fn once(
    mut ledger: OwnedMutexGuard<SqliteLedger>,
    wish: Wish,
) -> Result<Result<Response<String>, Unfulfilled<Failure>>, JoinError> {
    spawn_blocking(move || Handle::current().block_on(fulfil(&mut *ledger, wish))).await
}
