//! The end by a signal: Ctrl-C, `kill`, or the terminal that goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether a signal asked for the end.
#[derive(Debug)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on signals are noted. The second one ends the process at once; Envoy goes with it (see [`envoy`](crate::envoy)).
    ///
    /// # Errors
    /// The system does not let us listen.
    pub fn listen() -> Result<Self> {
        let wanted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // The order matters: the first signal finds the flag down, and raises it.
            flag::register_conditional_shutdown(signal, 1, Arc::clone(&wanted))
                .and_then(|_| flag::register(signal, Arc::clone(&wanted)))
                .context("listening for signals")?;
        }
        Ok(Self(wanted))
    }

    /// Whether one came.
    pub fn wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
