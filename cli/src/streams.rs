//! Where a command reads and writes: results to standard output, complaints and progress to standard error.

use std::io::{self, ErrorKind, Read, Write};

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
            out: Box::new(Patient(out)),
            log: Box::new(Patient(log)),
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

/// A text of somebody else's as it may stand on a terminal: what would end its line, steer the terminal or turn the direction of writing is
/// written as an escape, so that a policy cannot hide or fake a line.
pub(crate) fn one_line(text: &str) -> String {
    let steers = |sign: char| {
        // Unicode Standard Annex 9 has those that turn.
        sign.is_control() || matches!(sign, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        match steers(sign) {
            true => shown.extend(sign.escape_unicode()),
            false => shown.push(sign),
        }
    }
    shown
}

/// Writes on when nobody reads any more, as in `scopegate diff … | grep -q …`: what was found still decides how the program ends.
struct Patient<W>(W);

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.0.write(octets) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(octets.len()),
            done => done,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown() {
        for (text, shown) in [
            ("org_id equals \"größe\"", "org_id equals \"größe\""),
            ("a\u{1b}[2Kb\nc", "a\\u{1b}[2Kb\\u{a}c"),
            ("a\u{9b}31m\u{202e}b", "a\\u{9b}31m\\u{202e}b"),
        ] {
            assert_eq!(one_line(text), shown);
        }
    }

    #[test]
    fn a_closed_pipe_ends_nothing() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(ErrorKind::BrokenPipe.into())
            }
        }
        let mut patient = Patient(Closed);
        assert!(patient.write_all(b"a line\n").is_ok() && patient.flush().is_ok());
    }
}
