//! `cargo xtask bench`: build what is measured and what measures, then let it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::{process, wasm};

/// The profile of Cargo.toml for programs of this machine that have to be fast.
const PROFILE: &str = "optimised";

/// What can be measured: the first word behind `bench`.
pub const MEASURED: [&str; 1] = ["spin"];

/// Builds what is measured and what measures; ends with the exit status of the latter.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let environment = match arguments.first().and_then(|what| what.to_str()) {
        Some("spin") => on_spin(layout)?,
        _ => bail!("there is nothing of that name to measure"),
    };
    let program = build(layout, "bench")?;
    let status = Command::new(&program)
        .args(arguments)
        .envs(environment)
        .status()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    match status.code() {
        Some(0) => Ok(()),
        code => std::process::exit(code.unwrap_or(1)),
    }
}

/// Where the measuring program finds what it needs.
type Environment = Vec<(&'static str, PathBuf)>;

/// The gate as a component, what it is compared with, and a Spin. Where there is a real Spin it is taken; whether `spin` on the
/// PATH is one, the program knows.
fn on_spin(layout: &Layout) -> Result<Environment> {
    Ok(vec![
        ("SCOPEGATE_SPIN", wasm::build_spin(layout)?.gateway),
        ("SCOPEGATE_PLAIN", wasm::build_bench_plain(layout)?),
        ("SPIN_HOST_BIN", build(layout, "spin-host")?),
    ])
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
