//! How much memory the gate takes: the linear memories of its VMs, as the system sees them.
//!
//! V8 puts each linear memory before some 8 GiB of addresses that nobody may touch, so that a wild access cannot leave it. So `/proc`
//! tells how large each is: a writable mapping with such a wall behind it. Envoy with N workers has N + 2 of them: one that the others are
//! cloned from, the main thread's and the workers'.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::envoy::Envoy;
use e2e::http1;

use crate::envoy::policy;
use crate::envoy::setup::{self, Setup};
use crate::envoy::subject::{self, Bench};
use crate::envoy::workload::{CACHED, head};
use crate::issuer::Algorithm;

/// What a VM may take at rest, and besides its token cache when that is full: 8 MiB.
pub(crate) const MOST_BESIDES_CACHE: u64 = 8 * MIB;

/// How large the wasm file may be: 900 KiB.
pub(crate) const LARGEST_FILE: u64 = 900 * KIB;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The token cache of the policy that is measured: what a policy has that says nothing.
const TOKEN_CACHE_KIB: u64 = 4 * KIB;

/// More than fit into that cache, which holds some 3,000 of them.
const TOKENS: usize = 4 * CACHED as usize;

/// No reservation that is not a wall is so large.
const SMALLEST_WALL: u64 = 6 * 1024 * MIB;

/// In octets.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) file: u64,
    pub(crate) token_cache: u64,
    /// The largest VM when keys are there and a token was checked.
    pub(crate) at_rest: u64,
    /// The largest VM when the cache is full.
    pub(crate) full: u64,
    /// What the whole process holds in memory without the gate, and with it.
    pub(crate) process_without: u64,
    pub(crate) process_at_rest: u64,
    pub(crate) process_full: u64,
}

/// Measures it, in Envoys of its own. Nothing where there is no `/proc`.
pub(crate) fn measure(bench: &Bench) -> Result<Option<Memory>> {
    if !Path::new("/proc/self/maps").exists() {
        return Ok(None);
    }
    let file = fs::metadata(&bench.files.gate)?.len();
    let start = |text: &str| subject::start(&bench.envoy_bin, text, &bench.processors);
    let without = start(&setup::alone(None, &bench.issuer))?;
    let process_without = resident(&without)?;
    drop(without);

    let policy = policy::few_routes(&bench.issuer, TOKEN_CACHE_KIB);
    let envoy = start(&setup::alone(Some((&bench.files, &policy)), &bench.issuer))?;
    let listeners = envoy.listeners()?;
    let address = listeners.get(Setup::Scopegate.name());
    let address = *address.context("Envoy has no listener of the gate")?;
    let ask = |token: &str| -> Result<()> {
        let answer = http1::exchange(address, &head(Some(token)))?;
        ensure!(answer.status == 200, "a good token gets {}", answer.status);
        Ok(())
    };
    ask(&bench.issuer.token(Algorithm::EdDsa)?)?;
    let (at_rest, process_at_rest) = (largest_vm(&envoy)?, resident(&envoy)?);
    // ES256 is quick to sign, and its tokens are kept like others.
    for token in bench.issuer.distinct(Algorithm::Es256, TOKENS)? {
        ask(&token)?;
    }
    Ok(Some(Memory {
        file,
        token_cache: TOKEN_CACHE_KIB * KIB,
        at_rest,
        full: largest_vm(&envoy)?,
        process_without,
        process_at_rest,
        process_full: resident(&envoy)?,
    }))
}

fn largest_vm(envoy: &Envoy) -> Result<u64> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", envoy.id()))?;
    let largest = linear_memories(&maps).into_iter().max();
    largest.context("no linear memory was found: this V8 has no wall behind it")
}

/// The sizes of the linear memories in such a list of mappings.
fn linear_memories(maps: &str) -> Vec<u64> {
    let mappings: Vec<(u64, u64, &str)> = maps.lines().filter_map(mapping).collect();
    mappings
        .windows(2)
        .filter_map(|pair| match pair {
            [(start, end, "rw-p"), (wall, wall_end, "---p")]
                if end == wall && wall_end - wall >= SMALLEST_WALL =>
            {
                Some(end - start)
            }
            _ => None,
        })
        .collect()
}

/// Start, end and rights.
fn mapping(line: &str) -> Option<(u64, u64, &str)> {
    let mut words = line.split(' ');
    let (start, end) = words.next()?.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    Some((address(start)?, address(end)?, words.next()?))
}

/// What a process holds in memory.
fn resident(envoy: &Envoy) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", envoy.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let kibibytes = kibibytes.context("/proc without VmRSS")?;
    Ok(kibibytes.trim().parse::<u64>()? * KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_memory_has_a_wall_behind_it() {
        // As Envoy's, with what is not one: a wall elsewhere, a small one, and code.
        let maps = "\
6104ae800000-6104aea02000 ---p 00000000 00:00 0
7f6082870000-7f60829c0000 rw-p 00000000 00:00 0
7f60829c0000-7f6282870000 ---p 00000000 00:00 0
7f6282870000-7f6282880000 r--p 00000000 00:00 0
7f6924880000-7f6944880000 rwxp 00000000 00:00 0
7f6944880000-7f69449d0000 rw-p 00000000 00:00 0
7f69449e0000-7f6b44880000 ---p 00000000 00:00 0
7f6d84880000-7f6d84990000 rw-p 00000000 00:00 0 [heap]
7f6d84990000-7f6d849a0000 ---p 00000000 00:00 0
";
        assert_eq!(linear_memories(maps), [0x15_0000]);
    }
}
