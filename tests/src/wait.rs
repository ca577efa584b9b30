//! Waiting for what comes a moment later: a line of a log, a count, the end of a process.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a busy machine. What is there is found at once, so that only a test that fails takes so long.
const AT_MOST: Duration = Duration::from_secs(20);

/// Waits until it is so. Panics where it never is, and says what was waited for.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    until_some(what, || is_so().then_some(()));
}

/// Waits until there is something, and gives it. Panics where there never is, and says what was waited for.
#[track_caller]
pub fn until_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + AT_MOST;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "waited {} s until {what}",
            AT_MOST.as_secs()
        );
        thread::sleep(Duration::from_millis(5));
    }
}
