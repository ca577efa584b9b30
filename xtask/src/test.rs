//! `cargo xtask test`: the steps that decide whether a change is good.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::arguments::{Comparison, Part};
use crate::layout::Layout;
use crate::{envoy, process, upstreams, versus, wasm};

/// Runs one part, or all of them, and stops at the first step that fails.
pub fn run(layout: &Layout, part: Part) -> Result<()> {
    let started = Instant::now();
    match part {
        Part::Lint => lint(layout)?,
        Part::Unit => step("unit tests", || {
            let mut cargo = layout.cargo();
            cargo.args(["test", "--workspace", "--exclude", "e2e"]);
            process::run_with_output(&mut cargo)
        })?,
        Part::EndToEnd => {
            let host = host(layout)?;
            step("end-to-end tests", || {
                tests(layout, &["--package", "e2e"], &host)
            })?;
            compare(layout, &host)?;
        }
        Part::All => {
            lint(layout)?;
            let host = host(layout)?;
            step("unit and end-to-end tests", || {
                tests(layout, &["--workspace"], &host)
            })?;
            compare(layout, &host)?;
            step("seeds of the fuzz targets", || seeds(layout))?;
        }
    }
    eprintln!("== all steps passed in {}", spoken(started.elapsed()));
    Ok(())
}

fn lint(layout: &Layout) -> Result<()> {
    component(layout, "rustfmt", "fmt")?;
    component(layout, "clippy", "clippy")?;
    step("format", || {
        cargo(layout, "fmt --all --check")?;
        cargo(layout, "fmt --manifest-path fuzz/Cargo.toml --check")
    })?;
    step("clippy", || {
        cargo(layout, "clippy --workspace --all-targets -- -D warnings")
    })?;
    step("dependencies", || dependencies(layout))
}

/// Gets a component of the Rust toolchain that rustup's minimal profile leaves out.
fn component(layout: &Layout, name: &str, command: &str) -> Result<()> {
    if process::read(layout.cargo().args([command, "--version"])).is_ok() {
        return Ok(());
    }
    step(&format!("get {name}"), || {
        let mut rustup = Command::new("rustup");
        rustup.current_dir(&layout.root);
        rustup.args(["component", "add", name]);
        process::run(&mut rustup).with_context(|| {
            format!(
                "this Rust has no {name}; install it, with rustup or from your system's packages"
            )
        })
    })
}

/// What `deny.toml` allows. The advisories need a database from the network, the rest does not.
fn dependencies(layout: &Layout) -> Result<()> {
    if process::read(layout.cargo().args(["deny", "--version"])).is_err() {
        eprintln!("skipped: cargo-deny is not installed (cargo install cargo-deny)");
        return Ok(());
    }
    cargo(
        layout,
        "deny check --hide-inclusion-graph bans licenses sources",
    )?;
    if let Err(error) = cargo(layout, "deny fetch db") {
        eprintln!("skipped: advisories, their database cannot be fetched: {error:#}");
        return Ok(());
    }
    cargo(layout, "deny check advisories")
}

fn cargo(layout: &Layout, words: &str) -> Result<()> {
    process::run(layout.cargo().args(words.split(' ')))
}

/// What the end-to-end tests run in.
struct Host {
    filter: PathBuf,
    vector_probe: PathBuf,
    envoy: PathBuf,
}

fn host(layout: &Layout) -> Result<Host> {
    step("upstreams", || upstreams::get(layout))?;
    Ok(Host {
        filter: step("build the filter", || wasm::build_filter(layout))?,
        vector_probe: step("build the probe for signature vectors", || {
            wasm::build_vector_probe(layout)
        })?,
        envoy: step("Envoy", || envoy::get(layout))?,
    })
}

fn tests(layout: &Layout, packages: &[&str], host: &Host) -> Result<()> {
    let mut cargo = layout.cargo();
    cargo
        .arg("test")
        .args(packages)
        .env("ENVOY_BIN", &host.envoy)
        .env("SCOPEGATE_FILTER", &host.filter)
        .env("SCOPEGATE_VECTOR_PROBE", &host.vector_probe)
        // Without them, the end-to-end tests would pass without having tested anything.
        .env("SCOPEGATE_REQUIRE_ENVOY", "1");
    process::run_with_output(&mut cargo)
}

/// Whether docs/versus-jwt-authn.md still says what Envoy's own filters do with the corpus.
fn compare(layout: &Layout, host: &Host) -> Result<()> {
    step("Envoy's own filters on the corpus", || {
        versus::run_in(layout, &Comparison::Check, &host.envoy)
    })
}

/// The fuzz targets on their seeds alone, which takes no nightly: their workspace is not this one, and would break unseen.
fn seeds(layout: &Layout) -> Result<()> {
    let mut cargo = layout.cargo();
    cargo.args(["test", "--locked", "--manifest-path", "fuzz/Cargo.toml"]);
    cargo
        .arg("--target-dir")
        .arg(layout.built.join("fuzz/seeds"));
    process::run_with_output(&mut cargo)
}

fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("== {name}");
    let started = Instant::now();
    let done = work().with_context(|| format!("step `{name}` failed"))?;
    eprintln!("== {name}: done in {}", spoken(started.elapsed()));
    Ok(done)
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
