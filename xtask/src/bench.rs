//! `cargo xtask bench`: build what is measured and what measures, then let it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{process, wasm};

/// The profile of Cargo.toml for programs of this machine that have to be fast.
const PROFILE: &str = "optimised";

/// Builds the gate, what it is compared with, and what measures; ends with the exit status of the latter.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let gateway = wasm::build_spin(layout)?.gateway;
    let plain = wasm::build_bench_plain(layout)?;
    // Where there is a real Spin it is taken; whether `spin` on the PATH is one, the program knows.
    let spin_host = build(layout, "spin-host")?;
    let program = build(layout, "bench")?;
    let status = Command::new(&program)
        .args(arguments)
        .env("SCOPEGATE_SPIN", gateway)
        .env("SCOPEGATE_PLAIN", plain)
        .env("SPIN_HOST_BIN", spin_host)
        .status()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    match status.code() {
        Some(0) => Ok(()),
        code => std::process::exit(code.unwrap_or(1)),
    }
}

/// Returns the program of that package's name.
fn build(layout: &Layout, package: &str) -> Result<PathBuf> {
    eprintln!("building {package} with optimisation");
    let mut cargo = layout.cargo();
    cargo.args(["build", "--profile", PROFILE, "--package", package]);
    process::run(cargo.args(["--bin", package]))?;
    let program = format!("{package}{}", std::env::consts::EXE_SUFFIX);
    Ok(layout.built.join(PROFILE).join(program))
}
