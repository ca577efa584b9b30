//! What a real run needs: an Envoy binary and the filter, for the vectors their probe, and on Spin what runs it.

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
    skip(missing)?;
    Ok(None)
}

/// Envoy and the probe that asks the filter's verifiers about vectors (`SCOPEGATE_VECTOR_PROBE`, else where cargo builds it),
/// and `None` as in [`find`].
///
/// # Errors
/// As in [`find`].
pub fn find_for_vectors() -> Result<Option<Tools>> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/wasm32-wasip1/release/vector_probe.wasm");
    let missing = match (envoy()?, wasm("SCOPEGATE_VECTOR_PROBE", built)?) {
        (Some(envoy), Some(filter)) => return Ok(Some(Tools { envoy, filter })),
        (None, _) => "no Envoy",
        (Some(_), None) => "no probe for the vectors",
    };
    skip(missing)?;
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
    let missing = match (Program::real()?, Program::test_host(), missing) {
        (_, _, Some(component)) => format!("no {component} in target/dist"),
        (Some(spin), ..) => return Ok(Some(spin)),
        (None, Ok(host), None) => return Ok(Some(host)),
        (None, Err(error), None) => format!("{error:#}"),
    };
    skip_unless("SCOPEGATE_REQUIRE_SPIN", &missing)?;
    Ok(None)
}

fn skip(missing: &str) -> Result<()> {
    skip_unless("SCOPEGATE_REQUIRE_ENVOY", missing)
}

/// Says that something is missing, or fails where the variable says that it must not be.
fn skip_unless(required: &str, missing: &str) -> Result<()> {
    if env::var(required).is_ok_and(|value| value == "1") {
        bail!("{missing}, and {required}=1 asks for a real run (`cargo xtask test` gets all)");
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
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist/scopegate-filter.wasm");
    wasm("SCOPEGATE_FILTER", built)
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
