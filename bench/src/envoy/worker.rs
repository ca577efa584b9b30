//! Envoy's one worker: the processor that it has to itself, and the time that it spent there.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The name of the thread, as Envoy gives it.
const THREAD: &str = "wrk:worker_0";

/// What a thread of Envoy has spent on a processor so far.
pub(crate) struct Worker {
    schedule: Option<String>,
}

impl Worker {
    /// Finds the worker of that process. Where there is no `/proc`, its time stays at zero.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let folder = format!("/proc/{process}/task");
        let Ok(threads) = fs::read_dir(&folder) else {
            return Ok(Self { schedule: None });
        };
        for thread in threads {
            let thread = thread?.path();
            let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
            if name.trim_end() == THREAD {
                let schedule = thread.join("schedstat").display().to_string();
                return Ok(Self {
                    schedule: Some(schedule),
                });
            }
        }
        anyhow::bail!("process {process} has no thread {THREAD}")
    }

    /// The time so far.
    pub(crate) fn spent(&self) -> Result<Duration> {
        let Some(file) = &self.schedule else {
            return Ok(Duration::ZERO);
        };
        let text = fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
        let nanoseconds = text.split(' ').next().unwrap_or_default();
        Ok(Duration::from_nanos(nanoseconds.parse()?))
    }
}

/// Where threads run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// On the first processor: what is measured has it to itself.
    First,
    /// On all others.
    Others,
}

/// The processors that this process may use.
pub(crate) struct Processors {
    #[cfg(target_os = "linux")]
    given: Vec<usize>,
}

#[cfg(target_os = "linux")]
impl Processors {
    pub(crate) fn given() -> Self {
        use rustix::thread::{CpuSet, sched_getaffinity};
        let given = sched_getaffinity(None).map(|set| {
            (0..CpuSet::MAX_CPU)
                .filter(|processor| set.is_set(*processor))
                .collect()
        });
        Self {
            given: given.unwrap_or_default(),
        }
    }

    /// Keeps this thread, and all that it starts from now on, there. Says whether that was possible.
    pub(crate) fn keep_to(&self, place: Place) -> bool {
        use rustix::thread::{CpuSet, sched_setaffinity};
        let (first, others) = self.given.split_at(self.given.len().min(1));
        if others.is_empty() {
            return false;
        }
        let mut set = CpuSet::new();
        let chosen = match place {
            Place::First => first,
            Place::Others => others,
        };
        for processor in chosen {
            set.set(*processor);
        }
        sched_setaffinity(None, &set).is_ok()
    }
}

/// Elsewhere the system decides who runs where.
#[cfg(not(target_os = "linux"))]
impl Processors {
    pub(crate) fn given() -> Self {
        Self {}
    }

    pub(crate) fn keep_to(&self, _: Place) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_worker_is_no_envoy() {
        let found = Worker::of(std::process::id());
        if cfg!(target_os = "linux") {
            let error = found.map(drop).unwrap_err().to_string();
            assert!(error.contains("has no thread wrk:worker_0"), "{error}");
        }
    }
}
