//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::{Result, bail};
use bench::options::{self, Amount, Options};
use lexopt::Arg;

use crate::cases;

/// What `--help` shows.
pub(crate) const USAGE: &str = "\
Measures what one verification of a signature costs, natively and in WebAssembly, beside the libraries that others use.

Usage: bench-verify [OPTIONS] [ALGORITHM...]

  ALGORITHM     RS256, RS256-3072, RS256-4096, PS256, ES256, ES384, EdDSA; all of them by default
  --rounds N    how often everything is measured, in turn (default 9)
  --seconds S   how long each measurement takes (default 0.1)
  --quick       two rounds of 0.02 s each: shows that all of it works, the figures mean little
  --json FILE   writes all figures there

Environment:
  SCOPEGATE_VERIFY_NATIVE   the native program
  SCOPEGATE_VERIFY_GUEST    the module for WebAssembly
  NODE_BIN                  Node, else `node` on the PATH; without any, V8 is left out
";

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    Help,
    Measure(Wanted),
}

/// What is measured, and how much.
#[derive(Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) options: Options,
    /// By the names of their cases.
    pub(crate) algorithms: Vec<&'static str>,
}

/// Reads the words behind `verify`.
pub(crate) fn parse(words: &[OsString]) -> Result<Task> {
    let amount = |rounds, millis| Amount {
        rounds,
        time: Duration::from_millis(millis),
    };
    let mut algorithms = Vec::new();
    let task = options::parse(words, amount(9, 100), amount(2, 20), |argument| {
        let Arg::Value(word) = &argument else {
            return options::no_other(argument);
        };
        match cases::NAMES.into_iter().find(|name| word == *name) {
            Some(name) => algorithms.push(name),
            None => bail!("unknown algorithm `{}`", word.display()),
        }
        Ok(())
    })?;
    if algorithms.is_empty() {
        algorithms.extend(cases::NAMES);
    }
    Ok(match task {
        options::Task::Help => Task::Help,
        options::Task::Measure(options) => Task::Measure(Wanted {
            options,
            algorithms,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn algorithms_stand_among_the_options() {
        for (line, rounds, millis, algorithms) in [
            ("", 9, 100, &cases::NAMES[..]),
            ("--quick", 2, 20, &cases::NAMES),
            ("RS256 --quick EdDSA", 2, 20, &["RS256", "EdDSA"]),
            ("--rounds 3 --seconds 1 ES256", 3, 1000, &["ES256"]),
        ] {
            let options = Options {
                rounds,
                time: Duration::from_millis(millis),
                json: None,
            };
            let algorithms = algorithms.to_vec();
            let wanted = Task::Measure(Wanted {
                options,
                algorithms,
            });
            assert_eq!(parsed(line), Ok(wanted), "{line}");
        }
        assert_eq!(parsed("RS256 --help"), Ok(Task::Help));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (line, complaint) in [
            ("HS256", "unknown algorithm `HS256`"),
            ("rs256", "unknown algorithm `rs256`"),
            ("--fast", "invalid option '--fast'"),
            ("--rounds 0", "`--rounds` wants"),
        ] {
            let refused = parsed(line).expect_err(line);
            assert!(refused.starts_with(complaint), "{line}: {refused}");
        }
    }
}
