//! The command for policies. It stands on the core that the gate stands on: what it says is what the gate does.
//!
//! Each command is a module with its arguments, what it answers as plain data, and how that is shown. What they share: texts by name
//! ([`document`]), what is wrong with them ([`diagnostic`]), where things stand in a policy ([`place`]), which of its patterns lie within others
//! ([`pattern_tree`]), who may pass ([`demand`]), and where output goes ([`streams`]).

mod arguments;
pub mod check;
pub mod clock;
pub mod demand;
pub mod diagnostic;
pub mod diff;
pub mod document;
mod drift;
pub mod ecds;
pub mod explain;
pub mod http_server;
mod import;
pub mod issuer;
pub mod keys;
pub mod lint;
mod manual;
mod openapi;
pub mod pattern_tree;
pub mod place;
pub mod policy_file;
pub mod push;
pub mod render;
pub mod replacement;
mod routes;
mod schema;
pub mod streams;
pub mod test;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use streams::Streams;

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well: exit status 0.
    Well,
    /// What was looked at is not as it should be: exit status 1.
    Wrong,
}

/// The program. Exit status 0: all is well; 1: what was looked at is not as it should be; 2: the arguments cannot be used.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut streams = Streams::of_the_process(arguments.color);
    match run(arguments.command, &mut streams) {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Wrong) => ExitCode::from(1),
        Err(error) => {
            streams.complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// The same within another program: the words of a command line, its own name first.
///
/// # Errors
/// What ends the program with exit status 2.
pub fn command(
    words: impl IntoIterator<Item = OsString>,
    streams: &mut Streams,
) -> anyhow::Result<Outcome> {
    run(Arguments::try_parse_from(words)?.command, streams)
}

fn run(command: Command, streams: &mut Streams) -> anyhow::Result<Outcome> {
    match command {
        Command::Check(arguments) => check::run(&arguments, streams),
        Command::Explain(arguments) => explain::run(&arguments, streams),
        Command::Test(arguments) => test::run(&arguments, streams),
        Command::Push(arguments) => push::run(&arguments, streams),
        Command::Diff(arguments) => diff::run(&arguments, streams),
        Command::Import(arguments) => import::run(&arguments, streams),
        Command::Drift(arguments) => drift::run(&arguments, streams),
        Command::Completions(arguments) => manual::completions(&arguments, streams),
        Command::Issuer(arguments) => issuer::run(&arguments, streams),
        Command::Man(arguments) => manual::man(&arguments, streams),
        Command::Routes(arguments) => routes::run(&arguments, streams),
        Command::Render(arguments) => render::run(&arguments, streams),
        Command::Schema(arguments) => schema::run(&arguments, streams),
    }
}
