//! `bench envoy`: what the gate costs as a filter in Envoy, beside Envoy's own filters and beside filters that decide nothing.

mod arguments;
mod call_times;
mod chart;
mod client;
mod floor;
mod host_calls;
mod memory;
mod native;
mod policy;
mod report;
mod rounds;
mod setup;
mod subject;
mod targets;
mod token_cache;
mod trial;
mod worker;
mod workload;

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::Misuse;
use crate::issuer::Algorithm;
use arguments::{Options, Task};
use report::Report;
use workload::Load;

/// Where figures and chart are written.
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");

/// Measures what the words behind `envoy` say.
pub(crate) fn run(words: &[OsString]) -> Result<()> {
    match arguments::parse(words).map_err(|error| Misuse(format!("{error:#}")))? {
        Task::Help => print!("{}", arguments::USAGE),
        Task::Measure(options) => measure(&options)?,
    }
    Ok(())
}

fn measure(options: &Options) -> Result<()> {
    let bench = subject::Bench::start(options)?;
    let differences = host_calls::differences(&bench)?;
    for difference in &differences {
        eprintln!("not the host calls of the gate: {difference}");
    }
    let rows = rounds::measure(&bench, options)?;
    eprintln!("measuring host calls");
    let good = bench.issuer.token(Algorithm::Rs256)?;
    let calls = call_times::measure(bench.call_times, &good)?;
    eprintln!("measuring memory");
    let memory = memory::measure(&bench)?;
    let report = Report {
        rounds: options.rounds,
        seconds: options.time.as_secs_f64(),
        is_pinned: bench.is_pinned,
        cached: bench.caches.of(Load::Rs256One)?.tokens,
        differences: &differences,
        rows: &rows,
        outcomes: &targets::judge(&rows),
        calls: &calls,
        memory: memory.as_ref(),
    };
    print!("{report}");
    let folder = options.results.as_deref().unwrap_or(Path::new(RESULTS));
    let json = report.json();
    write(
        folder,
        options,
        "json",
        &serde_json::to_string_pretty(&json)?,
    )?;
    write(folder, options, "svg", &chart::svg(&rows))?;
    // The last line, for machines.
    println!("\n{json}");
    Ok(())
}

/// Only what was measured whole, and for long enough, takes the place of such figures.
fn write(folder: &Path, options: &Options, kind: &str, text: &str) -> Result<()> {
    let name = match options {
        options if !options.is_whole() => "envoy-part",
        options if options.is_quick => "envoy-quick",
        _ => "envoy",
    };
    let file = folder.join(format!("{name}.{kind}"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, format!("{}\n", text.trim_end())))
        .with_context(|| format!("writing {}", file.display()))?;
    eprintln!("wrote {}", file.display());
    Ok(())
}
