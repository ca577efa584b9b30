//! The wall clock that components see, which a test may shift. The monotonic clock is the machine's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::HostWallClock;

/// The machine's wall clock, shifted.
#[derive(Debug, Clone, Default)]
pub(crate) struct WallClock {
    shift_ms: Arc<AtomicI64>,
}

impl WallClock {
    /// Shifts the clock by so many milliseconds more.
    pub(crate) fn advance(&self, milliseconds: i64) {
        self.shift_ms.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        let real = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let shift = self.shift_ms.load(Ordering::SeqCst);
        let by = Duration::from_millis(shift.unsigned_abs());
        if shift < 0 {
            real.saturating_sub(by)
        } else {
            real.saturating_add(by)
        }
    }
}
