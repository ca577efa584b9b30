//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Result;
use bench::options::{self, Amount};
pub(crate) use bench::options::{Options, Task};

/// What `--help` shows.
pub(crate) const USAGE: &str = "\
Measures the gate as a Spin component beside the same application without it.

Usage: bench spin [OPTIONS]

  --rounds N    how often everything is measured, in turn (default 5)
  --seconds S   how long each measurement takes, a fraction if wanted (default 2)
  --quick       one round of 0.2 s each: shows that all of it works, the figures mean little
  --json FILE   writes all figures there

Environment:
  SCOPEGATE_SPIN       the gateway (default target/dist/scopegate-spin.wasm)
  SCOPEGATE_PLAIN      the gateway that decides nothing (default where cargo leaves it, built for wasm32-wasip2 in release)
  SPIN_BIN             Spin, else `spin` on the PATH, else
  SPIN_HOST_BIN        the project's test host, which should be built with optimisation
";

/// Reads the words behind `spin`.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Task> {
    let amount = |rounds, millis| Amount {
        rounds,
        time: Duration::from_millis(millis),
    };
    options::parse(
        arguments,
        amount(5, 2000),
        amount(1, 200),
        options::no_other,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_is_one_short_round() {
        for (line, rounds, millis) in [("", 5, 2000), ("--quick", 1, 200)] {
            let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
            let options = Options {
                rounds,
                time: Duration::from_millis(millis),
                json: None,
            };
            assert_eq!(parse(&words).unwrap(), Task::Measure(options), "{line}");
        }
    }
}
