//! The command line.

use std::time::Duration;

use e2e::program::Wish;
use lexopt::prelude::*;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask drill [--soak MINUTES] [--json]

Puts steady load on the filter in a real Envoy with 4 workers while the issuer's keys rotate, its server dies and comes back, and
Envoy is configured anew. Prints a table; exit status 1 if a request was wrongly refused or wrongly allowed, or keys were
fetched too often. Takes under two minutes.

  --soak MINUTES  repeat it for that long (at least 5), and check that Envoy's memory is flat after the first minute
  --json          write a last line for machines, one JSON object
";

/// A run must be longer than what its memory is not looked at in, by far.
const SHORTEST_SOAK: u64 = 5;

/// The flags.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// How long to go on, instead of once.
    pub(crate) soak: Option<Duration>,
    pub(crate) json: bool,
}

/// Reads the command line.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Wish<Arguments>, lexopt::Error> {
    let mut arguments = Arguments::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("soak") => {
                let minutes: u64 = parser.value()?.parse()?;
                if minutes < SHORTEST_SOAK {
                    return Err(format!(
                        "`--soak` wants at least {SHORTEST_SOAK} minutes: in less, memory tells nothing"
                    )
                    .into());
                }
                arguments.soak = Some(Duration::from_secs(minutes * 60));
            }
            Long("json") => arguments.json = true,
            Long("help") | Short('h') => return Ok(Wish::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Wish::Run(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Wish<Arguments>, String> {
        parse(lexopt::Parser::from_args(line.split_whitespace())).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_are_read() {
        let run = |soak: Option<u64>, json| {
            let soak = soak.map(|minutes| Duration::from_secs(minutes * 60));
            Ok(Wish::Run(Arguments { soak, json }))
        };
        assert_eq!(parsed(""), run(None, false));
        assert_eq!(parsed("--json --soak 10"), run(Some(10), true));
        assert_eq!(parsed("--soak 10 -h"), Ok(Wish::Help));
        for wrong in ["--soak 4", "--soak", "--soak ten", "--fast", "now"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
