//! A drill for keys: load on the filter in a real Envoy while keys rotate, their server dies, and Envoy is configured anew.
//!
//! `cargo xtask drill` builds the filter, gets Envoy, and starts this program with `SCOPEGATE_FILTER` and `ENVOY_BIN`.
//!
//! Nothing here waits for the gate to say that it is well. Each issuer keeps a record of what it published and answered, and from
//! that alone follows what each request was owed (see `verdict`).

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use e2e::tools;

use crate::arguments::{Arguments, USAGE};
use crate::drill::Drill;
use crate::memory::Memory;
use crate::table::Report;
use e2e::stop::Stop;

mod arguments;
mod door;
mod drill;
mod evidence;
mod fetches;
mod house;
mod issuer;
mod load;
mod memory;
mod record;
mod row;
mod script;
mod table;
mod times;
mod tokens;
mod verdict;

fn main() -> ExitCode {
    e2e::program::run(USAGE, arguments::parse(lexopt::Parser::from_env()), run)
}

/// Fails where somebody was refused or let through wrongly: the table says who.
fn run(arguments: &Arguments) -> Result<()> {
    let stop = Stop::listen()?;
    let Some(tools) = tools::find()? else {
        bail!("no Envoy or no filter: `cargo xtask drill` gets both");
    };
    let mut drill = Drill::start(&tools, stop)?;
    script::play(&mut drill)?;
    while arguments.soak.is_some_and(|soak| drill.clock.now() < soak) {
        script::play(&mut drill)?;
    }
    let mut faults = Vec::new();
    let memory = match arguments.soak {
        None => None,
        Some(_) => Memory::of(&drill.memory),
    };
    match &memory {
        Some(memory) if !memory.is_flat() => {
            faults.push("Envoy's memory grew after the first minute".to_owned());
        }
        None if arguments.soak.is_some() => {
            faults.push("Envoy's memory was not seen often enough".to_owned());
        }
        _ => {}
    }
    let report = Report {
        rows: &drill.rows,
        memory,
        faults,
    };
    let mut out = std::io::stdout().lock();
    report.write(&mut out)?;
    if arguments.json {
        writeln!(out, "{}", report.to_json())?;
    }
    ensure!(report.has_passed(), "the drill did not pass: see the table");
    Ok(())
}
