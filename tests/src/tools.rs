//! The two things a real run needs: an Envoy binary and the filter.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// What a run in a real Envoy needs.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The Envoy binary.
    pub envoy: PathBuf,
    /// The filter, a wasm file.
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
    if env::var("SCOPEGATE_REQUIRE_ENVOY").is_ok_and(|value| value == "1") {
        bail!(
            "{missing}, and SCOPEGATE_REQUIRE_ENVOY=1 asks for a real run (`cargo xtask test` gets both)"
        );
    }
    // Not by `eprintln`, whose lines the test harness keeps back when a test passes.
    writeln!(
        std::io::stderr(),
        "SKIPPED: {missing} (run `cargo xtask test`)"
    )?;
    Ok(None)
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
    if let Some(path) = named("SCOPEGATE_FILTER")? {
        return Ok(Some(path));
    }
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist/scopegate-filter.wasm");
    Ok(built.is_file().then_some(built))
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
