//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use lexopt::{Arg, ValueExt as _};

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

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    Help,
    Measure(Options),
}

/// How much is measured.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Of each measurement.
    pub(crate) time: Duration,
    pub(crate) json: Option<PathBuf>,
}

/// Reads the words behind `spin`.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Task> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut rounds, mut time, mut json) = (None, None, None);
    let mut quick = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Task::Help),
            Arg::Long("rounds") => rounds = Some(read_rounds(&parser.value()?.string()?)?),
            Arg::Long("seconds") => time = Some(read_seconds(&parser.value()?.string()?)?),
            Arg::Long("quick") => quick = true,
            Arg::Long("json") => json = Some(parser.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    if quick && (rounds.is_some() || time.is_some()) {
        bail!("`--quick` says how many rounds, and how long they are");
    }
    let (usual_rounds, usual_time) = match quick {
        false => (5, Duration::from_secs(2)),
        true => (1, Duration::from_millis(200)),
    };
    Ok(Task::Measure(Options {
        rounds: rounds.unwrap_or(usual_rounds),
        time: time.unwrap_or(usual_time),
        json,
    }))
}

fn read_rounds(text: &str) -> Result<usize> {
    let rounds = text.parse().ok().filter(|rounds| *rounds > 0);
    rounds.context("`--rounds` wants a whole number above 0")
}

/// Shorter ones hold too few requests to say anything.
fn read_seconds(text: &str) -> Result<Duration> {
    let seconds = text.parse().ok().filter(|s| (0.05..=600.0).contains(s));
    let seconds = seconds.context("`--seconds` wants a number from 0.05 to 600")?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        parse(&words).map_err(|error| error.to_string())
    }

    fn spin(rounds: usize, millis: u64, json: Option<&str>) -> Result<Task, String> {
        Ok(Task::Measure(Options {
            rounds,
            time: Duration::from_millis(millis),
            json: json.map(PathBuf::from),
        }))
    }

    #[test]
    fn options_are_read() {
        for (line, task) in [
            ("", spin(5, 2000, None)),
            ("--quick", spin(1, 200, None)),
            (
                "--rounds 3 --seconds 0.5 --json a.json",
                spin(3, 500, Some("a.json")),
            ),
            ("--help", Ok(Task::Help)),
            ("-h", Ok(Task::Help)),
        ] {
            assert_eq!(parsed(line), task, "{line}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (line, complaint) in [
            ("spin", "unexpected argument"),
            ("--rounds", "missing argument"),
            ("--rounds 0", "`--rounds` wants"),
            ("--seconds 0", "`--seconds` wants"),
            ("--seconds NaN", "`--seconds` wants"),
            ("--quick --rounds 2", "`--quick` says"),
            ("--fast", "invalid option"),
        ] {
            let refused = parsed(line).expect_err(line);
            assert!(refused.starts_with(complaint), "{line}: {refused}");
        }
    }
}
