//! `bench spin`: what the gate costs as a Spin component, beside the same application without it.

mod applications;
mod arguments;
mod report;
mod rounds;
mod subject;

use std::ffi::OsString;

use anyhow::{Context, Result};

use crate::Misuse;
use applications::Applications;
use arguments::{Options, Task};
use subject::Subject;

/// Measures what the words behind `spin` say.
pub(crate) fn run(words: &[OsString]) -> Result<()> {
    match arguments::parse(words).map_err(|error| Misuse(format!("{error:#}")))? {
        Task::Help => print!("{}", arguments::USAGE),
        Task::Measure(options) => measure(&options)?,
    }
    Ok(())
}

fn measure(options: &Options) -> Result<()> {
    let applications = Applications::start()?;
    eprintln!("{}", applications.program);
    let subjects = Subject::all(&applications)?;
    let results = rounds::measure(&subjects, options)?;
    // Few, if the store does what it is for: cold instances take them from there.
    eprintln!("keys were fetched {} times", applications.issuer.fetches());
    let report = report::Report {
        program: applications.program.to_string(),
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
