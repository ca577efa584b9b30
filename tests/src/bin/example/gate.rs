//! What the example wants of a running gate, whatever its host.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use e2e::http1;

/// The first request waits for the filter to be compiled, and for its policy.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A gate with the timesheets API behind it: in Envoy, or on Spin.
pub(crate) trait Gate {
    /// What there is to know about it: a word, and what it is about.
    fn facts(&self) -> Vec<(&'static str, String)>;

    /// An error when the host has ended by itself.
    fn check_alive(&self) -> Result<()>;

    /// What it said about itself, for an error.
    fn log(&self) -> String;
}

/// Waits until both the API and the app answer through the gate.
pub(crate) fn wait_until_ready(gate: &dyn Gate, port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + READY_WITHIN;
    let answers = |path: &str| http1::fetch(address, path).is_ok_and(|answer| answer.status == 200);
    while !(answers("/healthz") && answers("/")) {
        gate.check_alive()?;
        if Instant::now() > deadline {
            let log = gate.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines
                .get(lines.len().saturating_sub(12)..)
                .unwrap_or(&lines);
            bail!(
                "the gate let nothing through within {} s. The end of its log:\n  {}",
                READY_WITHIN.as_secs(),
                end.join("\n  ")
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The end of a log, where the reason most likely stands.
pub(crate) fn last_lines(log: &str) -> String {
    const SHOWN: usize = 12;
    let lines: Vec<&str> = log.lines().collect();
    let end = lines.get(lines.len().saturating_sub(SHOWN)..);
    end.unwrap_or(&lines).join("\n  ")
}
