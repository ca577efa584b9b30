//! `bench scale`: how the cost of a decision grows with the policy, the keys, the token, and the tokens that are known.

mod arguments;
mod report;
mod rounds;
mod scene;
mod series;

use std::ffi::OsString;

use anyhow::{Context, Result};
use bench::options::{Options, Task};

use crate::Misuse;

/// Measures what the words behind `scale` say.
pub(crate) fn run(words: &[OsString]) -> Result<()> {
    match arguments::parse(words).map_err(|error| Misuse(format!("{error:#}")))? {
        Task::Help => print!("{}", arguments::USAGE),
        Task::Measure(options) => measure(&options)?,
    }
    Ok(())
}

fn measure(options: &Options) -> Result<()> {
    eprintln!("making policies, keys and tokens");
    let mut series = series::all()?;
    let results = rounds::measure(&mut series, options)?;
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
