//! `cargo xtask demo`: get everything ready, then become the demo program.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{envoy, process, wasm};

/// Builds the filter and the demo program of package `e2e`, gets Envoy, and hands over.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let filter = wasm::build_filter(layout)?;
    let envoy = envoy::get(layout)?;
    eprintln!("building the demo");
    process::run(
        layout
            .cargo()
            .args(["build", "--package", "e2e", "--bin", "demo"]),
    )?;
    let program = format!("demo{}", std::env::consts::EXE_SUFFIX);
    let program = layout.built.join("debug").join(program);
    let mut demo = Command::new(&program);
    demo.args(arguments)
        .env("ENVOY_BIN", envoy)
        .env("SCOPEGATE_FILTER", filter);
    become_it(&mut demo, &program)
}

/// Nothing of ours stays between the user's Ctrl-C and the demo, which has an Envoy to stop.
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
