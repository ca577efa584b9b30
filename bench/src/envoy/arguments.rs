//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use lexopt::{Arg, ValueExt as _};

use crate::envoy::setup::Setup;
use crate::envoy::workload::Load;

/// What `--help` shows.
pub(crate) const USAGE: &str = "\
Measures the gate as a filter in Envoy, beside Envoy's own filters and filters that decide nothing.

Usage: bench envoy [OPTIONS]

  --rounds N      how often everything is measured, in turn (default 80), after rounds that are not counted: a second of each
  --seconds S     how long each measurement takes, a fraction if wanted (default 0.05)
  --quick         nine rounds of 0.15 s, after two that are not counted
  --loads A,B     these loads alone: rs256-one, routes-1000, rs256-distinct, rs256-zipf, es256-distinct, eddsa-distinct,
                  ps256-distinct, refused
  --configs A,B   these configurations alone: none, wasm-header, wasm-hostcalls, wasm-floor, jwt_authn, jwt_authn-cache, jwt_authn-rbac, scopegate,
                  scopegate-uncached
  --results DIR   where figures (JSON) and chart (SVG) are written (default bench/results)

The last line of standard output is one JSON object with all figures.

Environment:
  ENVOY_BIN                  Envoy, else `envoy` on the PATH
  SCOPEGATE_FILTER           the gate's filter (default target/dist/scopegate-filter.wasm)
  SCOPEGATE_BENCH_HEADER     the filter that reads one header (default where cargo leaves it, built for wasm32-wasip1 in release)
  SCOPEGATE_BENCH_HOSTCALLS  the filter that makes the gate's host calls (default as above)
  SCOPEGATE_BENCH_FLOOR      the same, entered as often as the gate (default as above)
";

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    Help,
    Measure(Options),
}

/// What is measured, and how often.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Of each measurement.
    pub(crate) time: Duration,
    pub(crate) loads: Vec<Load>,
    pub(crate) setups: Vec<Setup>,
    /// Nothing for the usual folder.
    pub(crate) results: Option<PathBuf>,
    pub(crate) is_quick: bool,
}

impl Options {
    /// Whether nothing was left out.
    pub(crate) fn is_whole(&self) -> bool {
        self.loads.len() == Load::ALL.len() && self.setups.len() == Setup::ALL.len()
    }
}

/// Reads the words behind `envoy`.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Task> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut rounds, mut time, mut results) = (None, None, None);
    let mut loads = Load::ALL.to_vec();
    let mut setups = Setup::ALL.to_vec();
    let mut is_quick = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Task::Help),
            Arg::Long("rounds") => rounds = Some(read_rounds(&parser.value()?.string()?)?),
            Arg::Long("seconds") => time = Some(read_seconds(&parser.value()?.string()?)?),
            Arg::Long("quick") => is_quick = true,
            Arg::Long("loads") => {
                loads = chosen(&parser.value()?.string()?, "load", &Load::ALL, Load::name)?;
            }
            Arg::Long("configs") => {
                let value = parser.value()?.string()?;
                setups = chosen(&value, "configuration", &Setup::ALL, Setup::name)?;
            }
            Arg::Long("results") => results = Some(parser.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    if is_quick && (rounds.is_some() || time.is_some()) {
        bail!("`--quick` says how many rounds, and how long they are");
    }
    if loads == [Load::Routes1000] && !setups.contains(&Setup::Scopegate) {
        bail!("`routes-1000` is measured with `scopegate` alone");
    }
    let (usual_rounds, usual_time) = match is_quick {
        // Many short rounds rather than few long ones: what else the machine does comes and goes within a second, and is to meet all of
        // what is compared or none of it.
        false => (80, Duration::from_millis(50)),
        true => (9, Duration::from_millis(150)),
    };
    Ok(Task::Measure(Options {
        rounds: rounds.unwrap_or(usual_rounds),
        time: time.unwrap_or(usual_time),
        loads,
        setups,
        results,
        is_quick,
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

/// Those of all that a list with commas names, in the order of all.
fn chosen<T: Copy>(
    list: &str,
    kind: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Vec<T>> {
    let names: Vec<&str> = list.split(',').collect();
    for wanted in &names {
        if !all.iter().any(|one| name(*one) == *wanted) {
            bail!("there is no {kind} `{wanted}`");
        }
    }
    let chosen = all.iter().copied();
    Ok(chosen.filter(|one| names.contains(&name(*one))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read() {
        let usual = || Options {
            rounds: 80,
            time: Duration::from_millis(50),
            loads: Load::ALL.to_vec(),
            setups: Setup::ALL.to_vec(),
            results: None,
            is_quick: false,
        };
        let quick = Options {
            rounds: 9,
            time: Duration::from_millis(150),
            is_quick: true,
            ..usual()
        };
        let some = Options {
            rounds: 2,
            time: Duration::from_millis(500),
            loads: vec![Load::Rs256One, Load::Refused],
            setups: vec![Setup::JwtAuthn, Setup::Scopegate],
            results: Some("there".into()),
            is_quick: false,
        };
        assert!(usual().is_whole() && quick.is_whole() && !some.is_whole());
        for (line, options) in [
            ("", usual()),
            ("--quick", quick),
            (
                "--rounds 2 --seconds 0.5 --loads refused,rs256-one --configs jwt_authn,scopegate --results there",
                some,
            ),
        ] {
            assert_eq!(parsed(line), Ok(Task::Measure(options)), "{line}");
        }
        assert_eq!(parsed("--help"), Ok(Task::Help));
        assert_eq!(parsed("-h"), Ok(Task::Help));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (line, complaint) in [
            ("envoy", "unexpected argument"),
            ("--rounds", "missing argument"),
            ("--rounds 0", "`--rounds` wants"),
            ("--seconds 0", "`--seconds` wants"),
            ("--quick --rounds 2", "`--quick` says"),
            ("--loads rs256", "there is no load `rs256`"),
            ("--loads refused,", "there is no load ``"),
            ("--configs envoy", "there is no configuration `envoy`"),
            (
                "--loads routes-1000 --configs none",
                "`routes-1000` is measured with",
            ),
            ("--fast", "invalid option"),
        ] {
            let refused = parsed(line).expect_err(line);
            assert!(refused.starts_with(complaint), "{line}: {refused}");
        }
    }
}
