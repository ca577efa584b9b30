//! Measures what the gate costs. `cargo xtask bench` builds what this needs and calls it; the README beside this says what is measured, and how.

mod envoy;
mod growth;
mod issuer;
mod load;
mod policy;
mod scale;
mod spin;
mod upstream;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::process::ExitCode;

use anyhow::{Result, bail};
use bench::statistics;

/// What `--help` shows.
const USAGE: &str = "\
Measures what the gate costs.

Usage: bench <what> [OPTIONS]

  spin    the gate as a Spin component, beside the same application without it
  scale   a decision, with more routes, issuers, keys, octets of a token, and tokens known
  policy  the command `scopegate` on policies of more and more routes
  envoy   the gate as a filter in Envoy, beside Envoy's own filters and filters that decide nothing

`bench <what> --help` says more.
";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Misuse>() => {
            eprintln!("error: {error}; `bench --help` lists what there is");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[OsString]) -> Result<()> {
    let (what, options) = match words.split_first() {
        Some((what, options)) => (what.as_os_str(), options),
        None => (OsStr::new(""), words),
    };
    match what.to_str() {
        Some("spin") => spin::run(options),
        Some("scale") => scale::run(options),
        Some("policy") => policy::run(options),
        Some("envoy") => envoy::run(options),
        Some("--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some("") => bail!(Misuse("what to measure is missing".to_owned())),
        _ => bail!(Misuse(format!("unknown measurement `{}`", what.display()))),
    }
}

/// A command line that means nothing, and why.
#[derive(Debug)]
pub(crate) struct Misuse(pub(crate) String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_is_refused() {
        for (line, complaint) in [
            ("", "what to measure is missing"),
            ("spinning", "unknown measurement `spinning`"),
            ("--quick spin", "unknown measurement `--quick`"),
            ("spin --fast", "invalid option '--fast'"),
            ("envoy --fast", "invalid option '--fast'"),
        ] {
            let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
            let error = run(&words).expect_err(line);
            assert!(error.is::<Misuse>(), "{line}");
            assert_eq!(error.to_string(), complaint, "{line}");
        }
    }
}
