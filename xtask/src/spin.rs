//! What runs Spin applications: the user's Spin, or the project's own test host.

use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::layout::Layout;
use crate::process;

/// The first that runs components of WASI 0.3, which the gate's are.
const OLDEST: u32 = 4;

/// A program that takes `up --from spin.toml`, and the variable by which the end-to-end programs are told of it.
pub struct Host {
    pub variable: &'static str,
    pub program: PathBuf,
}

/// The Spin that `SPIN_BIN` names, else one on the PATH, else the test host, built now.
pub fn get(layout: &Layout) -> Result<Host> {
    if let Some(spin) = installed()? {
        return Ok(spin);
    }
    eprintln!("no Spin here: building the project's test host");
    test_host(layout)
}

/// The user's Spin: the one that `SPIN_BIN` names, else one on the PATH.
pub fn installed() -> Result<Option<Host>> {
    if let Some(named) = std::env::var_os("SPIN_BIN").filter(|name| !name.is_empty()) {
        let program = check(Path::new(&named)).context(
            "SPIN_BIN is no use: let it name a Spin of 4.0 or later, or unset it to have the test host built",
        )?;
        return Ok(Some(real(program)));
    }
    for found in on_path() {
        match check(&found) {
            Ok(program) => return Ok(Some(real(program))),
            Err(error) => eprintln!("skipped on the PATH: {error:#}"),
        }
    }
    Ok(None)
}

/// The project's test host, built.
fn test_host(layout: &Layout) -> Result<Host> {
    process::run(
        layout
            .cargo()
            .args(["build", "--package", "spin-host", "--bin", "spin-host"]),
    )?;
    Ok(Host {
        variable: "SPIN_HOST_BIN",
        program: test_host_file(layout),
    })
}

/// Where cargo leaves the project's test host.
pub fn test_host_file(layout: &Layout) -> PathBuf {
    let program = format!("spin-host{}", std::env::consts::EXE_SUFFIX);
    layout.built.join("debug").join(program)
}

fn real(program: PathBuf) -> Host {
    Host {
        variable: "SPIN_BIN",
        program,
    }
}

/// The absolute path, if it is a Spin new enough.
fn check(spin: &Path) -> Result<PathBuf> {
    ensure!(spin.is_file(), "`{}` is not a file", spin.display());
    let spin = absolute(spin)?;
    let said = process::read(Command::new(&spin).arg("--version"))?;
    let said = said.lines().next().unwrap_or_default();
    // The model checker of that name says something else.
    let major = major(said).with_context(|| {
        format!(
            "`{} --version` says `{said}`, which no Spin says",
            spin.display()
        )
    })?;
    ensure!(
        major >= OLDEST,
        "`{}` is {said}, older than {OLDEST}.0",
        spin.display()
    );
    eprintln!("{said}: {}", spin.display());
    Ok(spin)
}

/// The 4 in `spin 4.1.0 (aabbccd 2026-10-01)`.
fn major(said: &str) -> Option<u32> {
    let (major, _) = said.strip_prefix("spin ")?.split_once('.')?;
    major.parse().ok()
}

fn on_path() -> Vec<PathBuf> {
    let program = format!("spin{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(&program))
        .filter(|file| file.is_file())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spin_is_told_from_what_bears_its_name() {
        for (said, expected) in [
            ("spin 4.1.0 (aabbccd 2026-10-01)", Some(4)),
            ("spin 10.0.0", Some(10)),
            ("Spin Version 6.5.2 -- 6 December 2019", None),
            ("", None),
        ] {
            assert_eq!(major(said), expected, "{said}");
        }
    }
}
