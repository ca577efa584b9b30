//! `bench spin`: what the gate costs as a Spin component, beside the same application without it.
//!
//! `cargo xtask bench spin` builds what this needs and calls it. The README beside this says what is measured, and how.

mod applications;
mod arguments;
mod load;
mod report;
mod rounds;
mod statistics;
mod subject;
mod tokens;
mod upstream;

use std::process::ExitCode;

use anyhow::{Context, Result};

use applications::Applications;
use arguments::{Options, Task};
use subject::Subject;

fn main() -> ExitCode {
    let task = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(task) => task,
        Err(misuse) => {
            eprintln!("error: {misuse:#}; `bench --help` lists what there is");
            return ExitCode::from(2);
        }
    };
    match run(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Help => print!("{}", arguments::USAGE),
        Task::Spin(options) => measure_spin(options)?,
    }
    Ok(())
}

fn measure_spin(options: &Options) -> Result<()> {
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
