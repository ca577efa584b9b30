//! Where a command reads and writes: results to standard output, complaints and progress to standard error.

use std::io::{self, Read, Write};

use anstream::{AutoStream, StripStream};
use anstyle::{AnsiColor, Style};

use crate::arguments::ColorChoice;

/// Standard input, output and error. What has no use for colours loses them on its way.
pub struct Streams {
    input: Box<dyn Read>,
    out: Box<dyn Write>,
    log: Box<dyn Write>,
}

/// An error's first word.
const ERROR: Style = AnsiColor::Red.on_default().bold();

impl Streams {
    /// Streams of somebody else's. What is written there has no colours.
    pub fn new(
        input: impl Read + 'static,
        out: impl Write + 'static,
        log: impl Write + 'static,
    ) -> Self {
        Self {
            input: Box::new(input),
            out: Box::new(StripStream::new(Box::new(out) as Box<dyn Write>)),
            log: Box::new(StripStream::new(Box::new(log) as Box<dyn Write>)),
        }
    }

    /// Those of the process.
    pub(crate) fn of_the_process(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => None,
            ColorChoice::Always => Some(anstream::ColorChoice::Always),
            ColorChoice::Never => Some(anstream::ColorChoice::Never),
        };
        let out = match choice {
            None => AutoStream::auto(io::stdout()),
            Some(choice) => AutoStream::new(io::stdout(), choice),
        };
        let log = match choice {
            None => AutoStream::auto(io::stderr()),
            Some(choice) => AutoStream::new(io::stderr(), choice),
        };
        Self {
            input: Box::new(io::stdin()),
            out: Box::new(out),
            log: Box::new(log),
        }
    }

    /// What is read where a file is `-`.
    pub fn input(&mut self) -> &mut dyn Read {
        &mut self.input
    }

    /// For results.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// For complaints and progress.
    pub fn log(&mut self) -> &mut dyn Write {
        &mut self.log
    }

    /// Says why there is no result. Nobody can be told when that fails.
    pub(crate) fn complain(&mut self, what: &str) {
        let _ = writeln!(self.log, "{ERROR}error{ERROR:#}: {what}");
    }
}
