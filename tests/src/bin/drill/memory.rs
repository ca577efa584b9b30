//! The memory of the process in which the VMs are, and whether it grows.
//!
//! Envoy's admin interface tells what its own allocator gave out; the linear memories of the VMs are none of that, V8 maps them
//! itself. So what counts is the resident set of the whole process, VMs and all.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::times::Moment;

/// The resident set at a moment, in KiB.
pub(crate) type Sample = (Moment, u64);

/// What is not looked at: the VMs are compiled, caches fill, allocators take what they keep.
const WARM_UP: Duration = Duration::from_secs(60);

/// What may be more at the end than at the beginning, in KiB: 8 MiB. New VMs leave gaps until there are enough of them: in a soak of
/// ten minutes the medians were 155, 162, 167, 168 and 171 MiB in the first five, and between 169 and 171 from then on. A hundred
/// octets lost with each request are found in ten minutes (see the tests below).
const ROOM: u64 = 8 * 1024;

/// The resident set of a process, in KiB.
pub(crate) fn resident(process: u32) -> Result<u64> {
    // Without it, `ps` (as on macOS) knows it too.
    if let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let line = line.context("/proc tells no resident set")?;
        return Ok(line.trim().trim_end_matches("kB").trim_end().parse()?);
    }
    let said = Command::new("ps")
        .args(["-o", "rss=", "-p", &process.to_string()])
        .output()
        .context("neither /proc nor `ps` tells the resident set")?;
    String::from_utf8_lossy(&said.stdout)
        .trim()
        .parse()
        .context("`ps` tells no resident set")
}

/// The resident set in the first and in the last third of the time after the warm-up, and in every minute, in KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) by_minute: Vec<u64>,
}

impl Memory {
    /// The medians; `None` where there are too few samples to tell.
    pub(crate) fn of(samples: &[Sample]) -> Option<Self> {
        let warm: Vec<u64> = samples
            .iter()
            .filter(|(moment, _)| *moment >= WARM_UP)
            .map(|(_, resident)| *resident)
            .collect();
        let third = warm.len() / 3;
        Some(Self {
            first: median(warm.get(..third)?)?,
            last: median(warm.get(warm.len() - third..)?)?,
            by_minute: samples
                .chunk_by(|(one, _), (next, _)| one.as_secs() / 60 == next.as_secs() / 60)
                .filter_map(|minute| {
                    let minute: Vec<u64> = minute.iter().map(|(_, resident)| *resident).collect();
                    median(&minute)
                })
                .collect(),
        })
    }

    /// Whether it is no more at the end than noise explains.
    pub(crate) fn is_flat(&self) -> bool {
        self.last <= self.first + ROOM
    }
}

fn median(values: &[u64]) -> Option<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(resident: impl Fn(u64) -> u64) -> Vec<Sample> {
        (0..600)
            .map(|second| (Duration::from_secs(second), resident(second)))
            .collect()
    }

    #[test]
    fn what_fills_up_in_the_first_minute_and_goes_up_and_down_later_is_flat() {
        let memory = Memory::of(&samples(|second| {
            150_000 + second.min(60) * 1_000 + (second % 90) * 400
        }));
        assert!(memory.as_ref().unwrap().is_flat(), "{memory:?}");
    }

    #[test]
    fn a_hundred_octets_a_request_are_not() {
        let memory = Memory::of(&samples(|second| 200_000 + second * 320 * 100 / 1024));
        assert!(!memory.as_ref().unwrap().is_flat(), "{memory:?}");
        assert_eq!(memory.unwrap().by_minute.len(), 10);
    }

    #[test]
    fn a_run_of_a_minute_tells_nothing() {
        assert_eq!(Memory::of(&samples(|_| 1)[..61]), None);
    }

    #[test]
    fn this_process_has_a_memory() {
        assert!(resident(std::process::id()).unwrap() > 1_000);
    }
}
