//! The options that every measurement has: how often, for how long, and where the figures go.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use lexopt::{Arg, ValueExt as _};

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub enum Task {
    /// To be told what may be asked for.
    Help,
    /// To measure.
    Measure(Options),
}

/// How much is measured.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// How often everything is.
    pub rounds: usize,
    /// How long each measurement takes.
    pub time: Duration,
    /// Where all figures go.
    pub json: Option<PathBuf>,
}

/// What is measured where nothing is said.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// As in [`Options`].
    pub rounds: usize,
    /// As in [`Options`].
    pub time: Duration,
}

/// Reads the options. `usual` is what is measured without any, `quick` with `--quick`; every other word goes to `other`.
///
/// # Errors
/// They mean nothing.
pub fn parse(
    words: &[OsString],
    usual: Amount,
    quick: Amount,
    mut other: impl FnMut(Arg<'_>) -> Result<()>,
) -> Result<Task> {
    let mut parser = lexopt::Parser::from_args(words);
    let (mut rounds, mut time, mut json) = (None, None, None);
    let mut is_quick = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Task::Help),
            Arg::Long("rounds") => rounds = Some(read_rounds(&parser.value()?.string()?)?),
            Arg::Long("seconds") => time = Some(read_seconds(&parser.value()?.string()?)?),
            Arg::Long("quick") => is_quick = true,
            Arg::Long("json") => json = Some(parser.value()?.into()),
            argument => other(argument)?,
        }
    }
    if is_quick && (rounds.is_some() || time.is_some()) {
        bail!("`--quick` says how many rounds, and how long they are");
    }
    let amount = if is_quick { quick } else { usual };
    Ok(Task::Measure(Options {
        rounds: rounds.unwrap_or(amount.rounds),
        time: time.unwrap_or(amount.time),
        json,
    }))
}

/// For what takes no other word.
///
/// # Errors
/// Always: the word means nothing.
pub fn no_other(argument: Arg<'_>) -> Result<()> {
    Err(argument.unexpected().into())
}

fn read_rounds(text: &str) -> Result<usize> {
    let rounds = text.parse().ok().filter(|rounds| *rounds > 0);
    rounds.context("`--rounds` wants a whole number above 0")
}

/// Shorter ones hold too little to say anything.
fn read_seconds(text: &str) -> Result<Duration> {
    let seconds = text.parse().ok().filter(|s| (0.01..=600.0).contains(s));
    let seconds = seconds.context("`--seconds` wants a number from 0.01 to 600")?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        let amount = |rounds, seconds| Amount {
            rounds,
            time: Duration::from_secs(seconds),
        };
        parse(&words, amount(9, 4), amount(2, 1), no_other).map_err(|error| error.to_string())
    }

    fn measure(rounds: usize, millis: u64, json: Option<&str>) -> Result<Task, String> {
        Ok(Task::Measure(Options {
            rounds,
            time: Duration::from_millis(millis),
            json: json.map(PathBuf::from),
        }))
    }

    #[test]
    fn options_are_read() {
        for (line, task) in [
            ("", measure(9, 4000, None)),
            ("--quick", measure(2, 1000, None)),
            (
                "--rounds 3 --seconds 0.5 --json a.json",
                measure(3, 500, Some("a.json")),
            ),
            ("--rounds 3", measure(3, 4000, None)),
            ("--help", Ok(Task::Help)),
            ("--quick -h", Ok(Task::Help)),
        ] {
            assert_eq!(parsed(line), task, "{line}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (line, complaint) in [
            ("verify", "unexpected argument"),
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
