//! What a real run needs: an Envoy binary and the filter, for the vectors their probe, and for Spin its program and the components.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::spin::Program;

/// What a run in a real Envoy needs.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The Envoy binary.
    pub envoy: PathBuf,
    /// The filter that it is to load, a wasm file.
    pub filter: PathBuf,
}

/// What a run on Spin needs.
#[derive(Clone, Debug)]
pub struct SpinTools {
    /// Spin itself, or the project's test host.
    pub program: Program,
    /// The gate as a gateway, a wasm file.
    pub gateway: PathBuf,
}

/// Finds Envoy (`ENVOY_BIN`, else `envoy` on the PATH) and the filter (`SCOPEGATE_FILTER`, else `target/dist`).
///
/// `None` means that one is missing: that is said loudly, and the caller passes without having tested anything. With
/// `SCOPEGATE_REQUIRE_ENVOY=1`, which `cargo xtask test` sets, a missing one is an error.
///
/// # Errors
/// A variable names a file that is not there, or something is missing that is required.
pub fn find() -> Result<Option<Tools>> {
    let missing = match (envoy()?, filter()?) {
        (Some(envoy), Some(filter)) => return Ok(Some(Tools { envoy, filter })),
        (None, _) => "no Envoy",
        (Some(_), None) => "no filter",
    };
    skip(missing, "SCOPEGATE_REQUIRE_ENVOY")?;
    Ok(None)
}

/// Finds what runs a Spin application (see [`Program`]) and the gateway (`SCOPEGATE_SPIN`, else `target/dist`).
///
/// `None` means as in [`find`] that one is missing; `SCOPEGATE_REQUIRE_SPIN=1` makes that an error.
///
/// # Errors
/// As in [`find`].
pub fn find_spin() -> Result<Option<SpinTools>> {
    let gateway = component("SCOPEGATE_SPIN", "scopegate-spin.wasm")?;
    let missing = match (spin_program()?, gateway) {
        (Some(program), Some(gateway)) => return Ok(Some(SpinTools { program, gateway })),
        (None, _) => "neither Spin nor the project's test host",
        (Some(_), None) => "no component for Spin",
    };
    skip_spin(missing)?;
    Ok(None)
}

/// The same, where a test sets clocks, takes instances and breaks stores: what real Spin lets nobody do.
///
/// # Errors
/// As in [`find`].
pub fn find_steered_spin() -> Result<Option<SpinTools>> {
    let found = find_spin()?;
    if found
        .as_ref()
        .is_some_and(|tools| !tools.program.has_control())
    {
        // Not an error where Spin is required: it is there.
        writeln!(std::io::stderr(), "SKIPPED: real Spin cannot be steered")?;
        return Ok(None);
    }
    Ok(found)
}

/// The gate as middleware (`SCOPEGATE_SPIN_MIDDLEWARE`, else `target/dist`), and a component for it to guard
/// (`SPIN_HOST_GUEST`, else where the tests of the test host leave it). `None` as in [`find_spin`].
///
/// # Errors
/// As in [`find`].
pub fn find_middleware() -> Result<Option<(PathBuf, PathBuf)>> {
    let middleware = component(
        "SCOPEGATE_SPIN_MIDDLEWARE",
        "scopegate-spin-middleware.wasm",
    )?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/tmp/guest/service/wasm32-wasip2/release/spin_host_guest.wasm");
    let missing = match (middleware, wasm("SPIN_HOST_GUEST", built)?) {
        (Some(middleware), Some(guest)) => return Ok(Some((middleware, guest))),
        (None, _) => "no middleware for Spin",
        (Some(_), None) => "no component that the middleware could guard",
    };
    skip_spin(missing)?;
    Ok(None)
}

/// Says that something that Spin needs is missing, or that Spin cannot do what a test needs.
///
/// # Errors
/// It is required.
pub fn skip_spin(missing: &str) -> Result<()> {
    skip(missing, "SCOPEGATE_REQUIRE_SPIN")
}

fn spin_program() -> Result<Option<Program>> {
    // What is named wrongly is an error; what is not there is missing.
    match Program::find() {
        Ok(program) => Ok(Some(program)),
        Err(error) if Program::is_named() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Envoy and the probe that asks the filter's verifiers about vectors (`SCOPEGATE_VECTOR_PROBE`, else where cargo builds it),
/// and `None` as in [`find`].
///
/// # Errors
/// As in [`find`].
pub fn find_for_vectors() -> Result<Option<Tools>> {
    find_built(
        "SCOPEGATE_VECTOR_PROBE",
        "vector_probe.wasm",
        "no probe for the vectors",
    )
}

/// Envoy and the filter whose VM a request can take down (`SCOPEGATE_FRAGILE_FILTER`, else where cargo builds it), and `None` as
/// in [`find`].
///
/// # Errors
/// As in [`find`].
pub fn find_fragile() -> Result<Option<Tools>> {
    find_built(
        "SCOPEGATE_FRAGILE_FILTER",
        "fragile_filter.wasm",
        "no filter that can die",
    )
}

/// Envoy and a filter that is not shipped, which a variable names, or where cargo builds it.
fn find_built(variable: &str, name: &str, no_filter: &str) -> Result<Option<Tools>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/wasm32-wasip1/release");
    let missing = match (envoy()?, wasm(variable, folder.join(name))?) {
        (Some(envoy), Some(filter)) => return Ok(Some(Tools { envoy, filter })),
        (None, _) => "no Envoy",
        (Some(_), None) => no_filter,
    };
    skip(missing, "SCOPEGATE_REQUIRE_ENVOY")?;
    Ok(None)
}

/// Finds what runs Spin applications (see [`Program::find`]), where all of these components are in `target/dist`.
///
/// `None` means that something is missing, as in [`find`]; here `SCOPEGATE_REQUIRE_SPIN=1` makes that an error.
///
/// # Errors
/// A variable names a file that is not there, or something is missing that is required.
pub fn find_for_spin(components: &[&str]) -> Result<Option<Program>> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist");
    let missing = components
        .iter()
        .find(|component| !dist.join(component).is_file());
    let missing = match (spin_program()?, missing) {
        (_, Some(component)) => format!("no {component} in target/dist"),
        (Some(program), None) => return Ok(Some(program)),
        (None, None) => "neither Spin nor the project's test host".to_owned(),
    };
    skip_spin(&missing)?;
    Ok(None)
}

/// Says that something is missing, or fails where it must not be.
fn skip(missing: &str, requiring: &str) -> Result<()> {
    if env::var(requiring).is_ok_and(|value| value == "1") {
        bail!("{missing}, and {requiring}=1 asks for a real run (`cargo xtask test` gets all)");
    }
    // Not by `eprintln`, whose lines the test harness keeps back when a test passes.
    writeln!(
        std::io::stderr(),
        "SKIPPED: {missing} (run `cargo xtask test`)"
    )?;
    Ok(())
}

/// The Envoy binary alone, for what needs no filter.
///
/// # Errors
/// `ENVOY_BIN` names a file that is not there.
pub fn envoy() -> Result<Option<PathBuf>> {
    if let Some(path) = named("ENVOY_BIN")? {
        return Ok(Some(path));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::split_paths(&path)
        .map(|folder| folder.join("envoy"))
        .find(|candidate| candidate.is_file()))
}

fn filter() -> Result<Option<PathBuf>> {
    component("SCOPEGATE_FILTER", "scopegate-filter.wasm")
}

/// The file that a variable names, else the one that `cargo xtask build` leaves.
fn component(variable: &str, name: &str) -> Result<Option<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist");
    wasm(variable, folder.join(name))
}

fn wasm(variable: &str, built: PathBuf) -> Result<Option<PathBuf>> {
    Ok(match named(variable)? {
        Some(path) => Some(path),
        None => built.is_file().then_some(built),
    })
}

fn named(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
    else {
        return Ok(None);
    };
    if !path.is_file() {
        bail!("{variable} names {}, which is not a file", path.display());
    }
    // Envoy runs in a folder of its own choice: a relative path would mean something else there.
    Ok(Some(std::path::absolute(path)?))
}
