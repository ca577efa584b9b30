//! `cargo xtask bench`: build what is measured and what measures, then let it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::{envoy, process, wasm};

/// The profile of Cargo.toml for programs of this machine that have to be fast.
const PROFILE: &str = "optimised";

/// The one for the command, as its users build it.
const COMMAND_PROFILE: &str = "command";

/// What can be measured: the first word behind `bench`.
pub const MEASURED: [&str; 5] = ["envoy", "spin", "verify", "scale", "policy"];

/// Builds what is measured and what measures; ends with the exit status of the latter.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    let environment = match arguments.first().and_then(|what| what.to_str()) {
        Some("spin") => on_spin(layout)?,
        Some("envoy") => in_envoy(layout)?,
        Some("scale") => Environment::new(),
        Some("policy") => vec![(
            "SCOPEGATE_COMMAND",
            build_in(layout, "scopegate", COMMAND_PROFILE)?,
        )],
        // A program of its own, so that the others need no wasmtime.
        Some("verify") => {
            let environment = of_verify(layout)?;
            let program = build(layout, "bench-verify")?;
            return measure(
                &program,
                arguments.get(1..).unwrap_or_default(),
                environment,
            );
        }
        _ => bail!("there is nothing of that name to measure"),
    };
    measure(&build(layout, "bench")?, arguments, environment)
}

fn measure(program: &Path, arguments: &[OsString], environment: Environment) -> Result<()> {
    let status = Command::new(program)
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

/// What is measured natively is compiled as what is shipped is, linked as one: the same code, for another processor.
fn of_verify(layout: &Layout) -> Result<Environment> {
    Ok(vec![
        ("SCOPEGATE_VERIFY_GUEST", wasm::build_verify_guest(layout)?),
        (
            "SCOPEGATE_VERIFY_NATIVE",
            build_in(layout, "bench-verify-native", "release")?,
        ),
    ])
}

/// Envoy, the gate as a filter, and the filters that it is compared with.
fn in_envoy(layout: &Layout) -> Result<Environment> {
    let others = wasm::build_bench_filters(layout)?;
    Ok(vec![
        ("ENVOY_BIN", envoy::get(layout)?),
        ("SCOPEGATE_FILTER", wasm::build_filter(layout)?),
        ("SCOPEGATE_BENCH_HEADER", others.header),
        ("SCOPEGATE_BENCH_HOSTCALLS", others.hostcalls),
        ("SCOPEGATE_BENCH_FLOOR", others.floor),
    ])
}

/// Returns the program of that package's name.
fn build(layout: &Layout, package: &str) -> Result<PathBuf> {
    build_in(layout, package, PROFILE)
}

fn build_in(layout: &Layout, package: &str, profile: &str) -> Result<PathBuf> {
    eprintln!("building {package} with optimisation");
    let mut cargo = layout.cargo();
    cargo.args(["build", "--profile", profile, "--package", package]);
    process::run(cargo.args(["--bin", package]))?;
    let program = format!("{package}{}", std::env::consts::EXE_SUFFIX);
    Ok(layout.built.join(profile).join(program))
}
