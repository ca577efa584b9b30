//! `cargo xtask demo`: get everything ready, then become the demo program.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{envoy, process, spin, wasm};

/// Builds the gate for the host that is asked for, and the demo program of package `e2e`, gets the host, and hands over.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let environment = if on_spin(arguments) {
        wasm::build_spin(layout)?;
        wasm::build_timesheets(layout)?;
        let host = spin::get(layout)?;
        vec![(host.variable, host.program)]
    } else {
        let filter = wasm::build_filter(layout)?;
        vec![
            ("SCOPEGATE_FILTER", filter),
            ("ENVOY_BIN", envoy::get(layout)?),
        ]
    };
    eprintln!("building the demo");
    process::run(
        layout
            .cargo()
            .args(["build", "--package", "e2e", "--bin", "demo"]),
    )?;
    let program = format!("demo{}", std::env::consts::EXE_SUFFIX);
    let program = layout.built.join("debug").join(program);
    let mut demo = Command::new(&program);
    demo.args(arguments).envs(environment);
    become_it(&mut demo, &program)
}

/// Whether `--host` names Spin. What else it may name, the demo program knows.
fn on_spin(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().map(|word| word.to_string_lossy());
    let mut spin = false;
    while let Some(word) = words.next() {
        let host = match word.strip_prefix("--host") {
            Some("") => words.next().unwrap_or_default().into_owned(),
            Some(rest) => rest.trim_start_matches('=').to_owned(),
            None => continue,
        };
        spin = host.starts_with("spin");
    }
    spin
}

/// Nothing of ours stays between the user's Ctrl-C and the demo, which has an Envoy or a Spin to stop.
#[cfg(unix)]
fn become_it(demo: &mut Command, program: &Path) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(demo.exec()).with_context(|| format!("cannot start `{}`", program.display()))
}

#[cfg(not(unix))]
fn become_it(demo: &mut Command, program: &Path) -> Result<()> {
    let status = demo
        .status()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    std::process::exit(status.code().unwrap_or(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_in_every_spelling_of_the_demo() {
        for (line, expected) in [
            ("", false),
            ("--check --host spin", true),
            ("--host=spin-middleware --check", true),
            ("--host envoy", false),
            ("--host spin --host envoy", false),
            ("--host", false),
            ("--policy spin", false),
        ] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(on_spin(&words), expected, "{line}");
        }
    }
}
