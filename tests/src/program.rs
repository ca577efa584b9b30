//! What the programs of this package have in common: `--help`, exit statuses, and an error as the last word.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;

/// What the user of a program wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish<Arguments> {
    /// To know what there is to wish for.
    Help,
    /// That it does its work.
    Run(Arguments),
}

/// Does what is wished. Exit status 0: done, or helped; 1: an error, which is told; 2: a command line that means nothing, which is told with
/// the usage.
pub fn run<Arguments>(
    usage: &str,
    wish: Result<Wish<Arguments>, lexopt::Error>,
    work: impl FnOnce(&Arguments) -> Result<()>,
) -> ExitCode {
    let arguments = match wish {
        Ok(Wish::Run(arguments)) => arguments,
        Ok(Wish::Help) => {
            // Nobody reads the help if this fails.
            let _ = write!(std::io::stdout(), "{usage}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            complain(&format!("{error}\n\n{usage}"));
            return ExitCode::from(2);
        }
    };
    match work(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A terminal that has gone away takes no words, and that is no reason to panic.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "error: {text}");
}
