//! `bench policy`: how long the command takes for a policy of so many routes, from its start to its end.

mod arguments;
mod report;
mod rounds;
mod texts;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bench::options::{Options, Task};

use crate::Misuse;

/// Measures what the words behind `policy` say.
pub(crate) fn run(words: &[OsString]) -> Result<()> {
    match arguments::parse(words).map_err(|error| Misuse(format!("{error:#}")))? {
        Task::Help => print!("{}", arguments::USAGE),
        Task::Measure(options) => measure(&options)?,
    }
    Ok(())
}

fn measure(options: &Options) -> Result<()> {
    let command = std::env::var_os("SCOPEGATE_COMMAND").map(PathBuf::from);
    let command = command.context("SCOPEGATE_COMMAND does not say where the command is")?;
    let folder = tempfile::tempdir()?;
    let policies = texts::write(folder.path())?;
    let results = rounds::measure(&command, &policies, options)?;
    let report = report::Report {
        options,
        results: &results,
    };
    print!("{report}");
    if let Some(file) = &options.json {
        let json = serde_json::to_string_pretty(&report.json())?;
        std::fs::write(file, json + "\n").with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}
