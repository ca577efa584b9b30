//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Result;
use bench::options::{self, Amount, Task};

/// What `--help` shows.
pub(crate) const USAGE: &str = "\
Measures a decision of the core, natively, with more and more routes, issuers, keys, octets of a token, and tokens known,
and how fast its cost grows.

Usage: bench scale [OPTIONS]

  --rounds N    how often everything is measured, in turn (default 9)
  --seconds S   how long each measurement takes (default 0.05)
  --quick       two rounds of 0.01 s each: shows that all of it works, the figures mean little
  --json FILE   writes all figures there
";

/// Reads the words behind `scale`.
pub(crate) fn parse(words: &[OsString]) -> Result<Task> {
    let amount = |rounds, millis| Amount {
        rounds,
        time: Duration::from_millis(millis),
    };
    options::parse(words, amount(9, 50), amount(2, 10), options::no_other)
}

#[cfg(test)]
mod tests {
    use bench::options::Options;

    use super::*;

    #[test]
    fn quick_is_quick() {
        for (line, rounds, millis) in [("", 9, 50), ("--quick", 2, 10)] {
            let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
            let options = Options {
                rounds,
                time: Duration::from_millis(millis),
                json: None,
            };
            assert_eq!(parse(&words).unwrap(), Task::Measure(options), "{line}");
        }
        assert!(parse(&["more".into()]).is_err());
    }
}
