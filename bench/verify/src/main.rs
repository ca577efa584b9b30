//! Measures what one verification of a signature costs, natively and in WebAssembly, beside the libraries that others use.
//! `cargo xtask bench verify` builds what this needs and calls it; the README of `bench` says what is measured, and how.

mod arguments;
mod cases;
mod host;
mod ratios;
mod report;
mod rounds;
mod subject;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};

use arguments::{Task, Wanted};
use subject::Subject;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let task = match arguments::parse(&words) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("error: {error:#}; `bench-verify --help` lists what there is");
            return ExitCode::from(2);
        }
    };
    let done = match task {
        Task::Help => {
            print!("{}", arguments::USAGE);
            Ok(())
        }
        Task::Measure(wanted) => measure(&wanted),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(wanted: &Wanted) -> Result<()> {
    let cases = cases::make(&wanted.algorithms)?;
    let mut hosts = host::all()?;
    let subjects = Subject::all(&cases, &mut hosts, wanted.options.time)?;
    let rounds = rounds::measure(&subjects, &mut hosts, &wanted.options)?;
    let report = report::Report::of(wanted, &cases, &hosts, &rounds);
    let report = report.context("nothing was measured")?;
    print!("{report}");
    if let Some(file) = &wanted.options.json {
        let json = serde_json::to_string_pretty(&report.json())?;
        std::fs::write(file, json + "\n").with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}
