//! `cargo xtask test`: the steps that decide whether a change is good.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::arguments::{Comparison, Part};
use crate::hosted::Environment;
use crate::layout::Layout;
use crate::wasm::SpinFiles;
use crate::{envoy, example, hosted, npm, process, spin, upstreams, versus, wasm};

/// Runs one part, or all of them, and stops at the first step that fails.
pub fn run(layout: &Layout, part: Part) -> Result<()> {
    let started = Instant::now();
    match part {
        Part::Lint => lint(layout)?,
        Part::Unit => {
            schemas(layout)?;
            step("unit tests", || {
                let mut cargo = layout.cargo();
                cargo.args(["test", "--workspace", "--exclude", "e2e"]);
                process::run_with_output(&mut cargo)
            })?;
        }
        Part::EndToEnd => {
            let (on_envoy, on_spin) = (on_envoy(layout)?, on_spin(layout)?);
            let environment = [on_envoy.environment(), on_spin.environment()].concat();
            step("end-to-end tests", || {
                tests(
                    layout,
                    &["--package", "e2e", "--package", "spin-host"],
                    &environment,
                )
            })?;
            compare(layout, &on_envoy)?;
            real_spin(layout, &on_spin)?;
        }
        Part::Spin => {
            let on_spin = on_spin(layout)?;
            step("tests on Spin's test host", || {
                tests(layout, &["--package", "spin-host"], &on_spin.environment())?;
                tests(layout, &ON_SPIN, &on_spin.environment())
            })?;
            real_spin(layout, &on_spin)?;
        }
        Part::Example => {
            if parts_of_the_example(layout)? {
                let on_envoy = step("Envoy and the filter", || hosted::on_envoy(layout))?;
                let on_spin = step("Spin and the component", || hosted::on_spin(layout))?;
                step("the example", || hosted::program(layout, "example"))?;
                in_browser(layout, on_envoy, on_spin)?;
            }
        }
        Part::All => {
            lint(layout)?;
            schemas(layout)?;
            let (on_envoy, on_spin) = (on_envoy(layout)?, on_spin(layout)?);
            let environment = [on_envoy.environment(), on_spin.environment()].concat();
            step("unit and end-to-end tests", || {
                tests(layout, &["--workspace"], &environment)
            })?;
            compare(layout, &on_envoy)?;
            real_spin(layout, &on_spin)?;
            if parts_of_the_example(layout)? {
                in_browser(layout, on_envoy.environment(), on_spin.environment())?;
            }
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
        cargo(layout, "clippy --workspace --all-targets -- -D warnings")?;
        // The other build of the component for Spin.
        cargo(
            layout,
            "clippy --package scopegate-spin --features middleware -- -D warnings",
        )
    })?;
    step("dependencies", || dependencies(layout))
}

/// What the command's tests hold configuration for Kubernetes against.
fn schemas(layout: &Layout) -> Result<()> {
    step("schemas of Istio and Envoy Gateway", || {
        npm::KUBERNETES.get_if_possible(layout).map(drop)
    })
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

/// The end-to-end tests of the component for Spin.
const ON_SPIN: [&str; 8] = [
    "--package",
    "e2e",
    "--test",
    "spin*",
    "--test",
    "demo_spin",
    "--test",
    "timesheets_on_spin",
];

/// What the tests in Envoy need.
struct OnEnvoy {
    filter: PathBuf,
    vector_probe: PathBuf,
    fragile_filter: PathBuf,
    envoy: PathBuf,
}

fn on_envoy(layout: &Layout) -> Result<OnEnvoy> {
    step("upstreams", || upstreams::get(layout))?;
    Ok(OnEnvoy {
        filter: step("build the filter", || wasm::build_filter(layout))?,
        vector_probe: step("build the probe for signature vectors", || {
            wasm::build_vector_probe(layout)
        })?,
        fragile_filter: step("build the filter that can die", || {
            wasm::build_fragile_filter(layout)
        })?,
        envoy: step("Envoy", || envoy::get(layout))?,
    })
}

impl OnEnvoy {
    fn environment(&self) -> Environment {
        vec![
            ("ENVOY_BIN", self.envoy.clone()),
            ("SCOPEGATE_FILTER", self.filter.clone()),
            ("SCOPEGATE_VECTOR_PROBE", self.vector_probe.clone()),
            ("SCOPEGATE_FRAGILE_FILTER", self.fragile_filter.clone()),
            // Without them, the end-to-end tests would pass without having tested anything.
            ("SCOPEGATE_REQUIRE_ENVOY", "1".into()),
        ]
    }
}

/// What the tests on Spin need.
struct OnSpin {
    gate: SpinFiles,
    guest: SpinFiles,
    test_host: PathBuf,
}

fn on_spin(layout: &Layout) -> Result<OnSpin> {
    let gate = step("build the components for Spin", || {
        wasm::build_timesheets(layout)?;
        wasm::build_spin(layout)
    })?;
    Ok(OnSpin {
        gate,
        guest: step("build the component for Spin's test host", || {
            wasm::build_spin_guest(layout)
        })?,
        // Not built here: cargo builds it for the tests of its own package, before it runs any. By itself it would be compiled
        // with fewer features, wasmtime and all, and then again.
        test_host: spin::test_host_file(layout),
    })
}

impl OnSpin {
    fn environment(&self) -> Environment {
        vec![
            ("SCOPEGATE_SPIN", self.gate.gateway.clone()),
            ("SCOPEGATE_SPIN_MIDDLEWARE", self.gate.middleware.clone()),
            ("SPIN_HOST_GUEST", self.guest.gateway.clone()),
            ("SPIN_HOST_GUEST_MIDDLEWARE", self.guest.middleware.clone()),
            ("SPIN_HOST_BIN", self.test_host.clone()),
            // Real Spin has its turn after the test host.
            ("SPIN_BIN", PathBuf::new()),
            ("SCOPEGATE_REQUIRE_SPIN", "1".into()),
        ]
    }
}

/// The same tests on the user's Spin, where there is one.
fn real_spin(layout: &Layout, on_spin: &OnSpin) -> Result<()> {
    let Some(spin) = spin::installed()? else {
        eprintln!(
            "skipped: no Spin here (SPIN_BIN, or the PATH), so its test host alone was asked"
        );
        return Ok(());
    };
    step("tests on Spin itself", || {
        let mut environment = on_spin.environment();
        environment.retain(|(name, _)| !matches!(*name, "SPIN_BIN" | "SCOPEGATE_REQUIRE_SPIN"));
        environment.push((spin.variable, spin.program.clone()));
        tests(layout, &ON_SPIN, &environment)
    })
}

fn tests(layout: &Layout, packages: &[&str], environment: &Environment) -> Result<()> {
    let mut cargo = layout.cargo();
    cargo.arg("test").args(packages);
    cargo.envs(environment.iter().map(|(name, value)| (name, value)));
    process::run_with_output(&mut cargo)
}

/// The tests of the example that need no browser, and whether there is one for the others.
fn parts_of_the_example(layout: &Layout) -> Result<bool> {
    step("authorization server and app of the example", || {
        example::test_parts(layout)
    })
}

fn in_browser(layout: &Layout, on_envoy: Environment, on_spin: Environment) -> Result<()> {
    step("the example in a browser, in Envoy", || {
        example::test_in_browser(layout, "envoy", on_envoy)
    })?;
    step("the example in a browser, on Spin", || {
        example::test_in_browser(layout, "spin", on_spin)
    })
}

/// Whether docs/versus-jwt-authn.md still says what Envoy's own filters do with the corpus.
fn compare(layout: &Layout, host: &OnEnvoy) -> Result<()> {
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
