//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Result;
use bench::options::{self, Amount, Task};

/// What `--help` shows.
pub(crate) const USAGE: &str = "\
Measures the command `scopegate`, natively and from its start to its end: check, explain and diff of policies with more and more
routes, and how fast that grows.

Usage: bench policy [OPTIONS]

  --rounds N    how often everything is measured, in turn (default 9)
  --seconds S   how long each measurement takes at least (default 0.2)
  --quick       two rounds of 0.01 s each: shows that all of it works, the figures mean little
  --json FILE   writes all figures there
";

/// Reads the words behind `policy`.
pub(crate) fn parse(words: &[OsString]) -> Result<Task> {
    let amount = |rounds, millis| Amount {
        rounds,
        time: Duration::from_millis(millis),
    };
    options::parse(words, amount(9, 200), amount(2, 10), options::no_other)
}
